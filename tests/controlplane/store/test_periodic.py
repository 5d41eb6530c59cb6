"""Periodic work: one replica does it, and only when it is due."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import periodic
from controlplane.store.database import Database
from tests.support.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made = f"sqlite:///{tmp_path}/towpath.db"
    url = made if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    database = Database(url)
    database.migrate()
    yield database
    database.close()


def test_who_comes_first_does_it_and_it_is_due_again_after_the_interval(database: Database) -> None:
    turns = []
    for now in (100.0, 101.0, 159.9, 160.0, 161.0):
        with database.begin() as connection:
            turns.append(periodic.take(connection, "sources", now, 60.0))
    assert turns == [True, False, False, True, False]


def test_one_name_does_not_hold_up_another(database: Database) -> None:
    with database.begin() as connection:
        assert periodic.take(connection, "sources", 0.0, 60.0)
        assert periodic.take(connection, "retention", 0.0, 60.0)


def test_a_replica_that_is_still_at_it_keeps_the_others_out(postgres: Cluster) -> None:
    url = postgres.database()
    one, other = Database(url), Database(url)
    with one.alone("sources") as first, other.alone("sources") as second:
        assert (first, second) == (True, False)
    with other.alone("sources") as again:
        assert again
    one.close()
    other.close()
