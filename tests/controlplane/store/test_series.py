"""The points of a verdict are kept as few as a drawing needs, and no bad one is thinned away."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.store import series
from monitors.base import Judgement, Point, Verdict
from tests.support.house import House

START = datetime(2026, 1, 5, tzinfo=UTC)


def points(*values: float) -> tuple[Point, ...]:
    return tuple(Point(START + timedelta(seconds=n), value) for n, value in enumerate(values))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(2, 50))
def test_thinning_keeps_order_bound_and_extremes(values: list[float], most: int) -> None:
    kept = series.thinned(points(*values), most)
    assert 0 < len(kept) <= max(most, 2)
    assert [p.at for p in kept] == sorted({p.at for p in kept})
    assert max(p.value for p in kept) == max(values)
    assert min(p.value for p in kept) == min(values)


def test_a_flapping_signal_leaves_its_newest_series_only(house: House) -> None:
    with house.database.begin() as connection:
        for at in range(40):
            seen = Judgement(Verdict.PASS, "", before=points(1), after=points(float(at)))
            series.keep(connection, 7, at, seen)
            series.keep(connection, 8, at, Judgement(Verdict.PASS, "", after=points(1)))
        rows = series.of_actions(connection, [7])
    assert [row.at for row in rows] == list(range(40 - series.KEPT, 40))
    assert json.loads(rows[-1].points_after) == [[START.timestamp(), 39.0]]


def test_a_judgement_without_points_keeps_nothing(house: House) -> None:
    with house.database.begin() as connection:
        series.keep(connection, 7, 0.0, Judgement(Verdict.NO_DATA, "silent"))
        assert series.of_actions(connection, [7]) == []
