"""A small part of `make judge`, so that a change of the judge that loses its figures is seen at once."""

import numpy as np

from tests.bench.judge.judges import ours, share
from tests.bench.judge.pairs import folders, latency, real
from tests.bench.judge.shapes import SHAPES

DRAWN = latency(np.random.default_rng(7), 100, 0.0)


def test_a_slowdown_of_half_as_much_again_is_caught_within_thirty_points() -> None:
    assert share(ours, DRAWN, 10, SHAPES["1.5 times"]) >= 0.6
    assert share(ours, DRAWN, 30, SHAPES["1.5 times"]) >= 0.98


def test_releases_that_changed_nothing_on_real_series_stay() -> None:
    dice = np.random.default_rng(8)
    cut = [pair for file in folders()["CloudWatch (NAB)"] for pair in real(file, 25, dice)]
    assert len(cut) == 200
    assert share(ours, cut, 60, lambda after: after) <= 0.02
