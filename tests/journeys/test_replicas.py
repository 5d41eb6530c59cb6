"""Three replicas on PostgreSQL, killed at random while the demo pipeline runs under load."""

from pathlib import Path

import pytest

from tests.bench.takeover import takeover
from tests.support.crashing import nothing_was_lost_or_doubled
from tests.support.postgres import Cluster
from tests.support.replicas import Crashing, opened

KILLS = 12


@pytest.mark.timeout(600)
def test_three_replicas_killed_at_random_lose_and_double_nothing(
    tmp_path: Path, postgres: Cluster
) -> None:
    with opened(Crashing(tmp_path, 20261127, replicas=3, database=postgres.database())) as stage:
        stage.play(KILLS, loaded=True)
        assert stage.kills >= KILLS
        assert stage.asked_for
        nothing_was_lost_or_doubled(stage.evidence, stage.asked_for)


def test_what_a_killed_replica_held_goes_on_at_another(tmp_path: Path, postgres: Cluster) -> None:
    took = takeover(tmp_path, postgres.database(), lease=2, rounds=2)
    assert len(took) == 2
