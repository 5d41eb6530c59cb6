"""kill -9 of the one process at random points of the demo pipeline: nothing lost, nothing doubled.

Every commit is a crash point in test_commit_boundaries.py; here the moments are random, and the process
is `towpath serve` as people run it.
"""

from pathlib import Path

import pytest

from tests.support.crashing import nothing_was_lost_or_doubled
from tests.support.replicas import Crashing, opened

KILLS = 8


@pytest.mark.timeout(600)
def test_killed_at_random_points_it_goes_on(tmp_path: Path) -> None:
    with opened(Crashing(tmp_path, seed=20261123)) as stage:
        stage.play(KILLS)
        assert stage.kills >= KILLS
        nothing_was_lost_or_doubled(stage.evidence, stage.asked_for)
