"""An upgrade under way: executions in flight go on, and the version before it goes on serving."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, insert, select

from controlplane.sandbox.scripted import after
from controlplane.store.database import Database
from controlplane.store.tables import METADATA
from tests.support.house import House, deploying, pipeline, source

BEFORE = "0002"
"""The schema of the version that ran on one machine only."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/old.db"
    return made if request.param == "sqlite" else request.getfixturevalue("postgres").database()


@pytest.fixture
def old(url: str) -> Iterator[Database]:
    database = Database(url)
    database.migrate(BEFORE)
    yield database
    database.close()


def known(connection: Connection) -> MetaData:
    """The tables as they are in the database."""
    found = MetaData()
    found.reflect(connection)
    return found


def rows_of(house: House, tables: MetaData) -> dict[str, list[dict[str, Any]]]:
    """What stands in each of these tables, in the columns that they have."""
    found = {}
    with house.database.read() as connection:
        for name in sorted(set(tables.tables) - {"alembic_version"}):
            ours = METADATA.tables[name].c
            wanted = select(*(ours[column.name] for column in tables.tables[name].columns))
            found[name] = [dict(row) for row in connection.execute(wanted).mappings()]
    return found


def put(rows: dict[str, list[dict[str, Any]]], tables: MetaData, into: Database) -> None:
    """Write them as the version before does: it knows no other columns."""
    with into.begin() as connection:
        for table in tables.sorted_tables:
            if rows.get(table.name):
                connection.execute(insert(table), rows[table.name])
        if not into.embedded:  # numbers were given here, which its sequences have not seen
            for name in ("action_execution", "event", "ledger", "measurement", "outbox"):
                go_on = f"SELECT setval('{name}_id_seq', (SELECT coalesce(max(id), 1) FROM {name}))"
                connection.exec_driver_sql(go_on)


@pytest.fixture
def in_flight(tmp_path: Path) -> Iterator[House]:
    """An execution whose deployment runs, one that waits, and one that is over."""
    house = House(tmp_path)
    house.apply(pipeline(source(), deploying("Dev"), deploying("Prod")))
    house.start()
    house.wait(40)
    house.drivers["CodeDeploy"].default = after(3)
    house.start()
    house.start()
    house.wait(3)
    yield house
    house.database.close()


def test_what_is_in_flight_goes_on_after_the_upgrade(
    in_flight: House, old: Database, url: str, tmp_path: Path
) -> None:
    with old.read() as connection:
        tables = known(connection)
    put(rows_of(in_flight, tables), tables, old)
    old.migrate()
    new = House(tmp_path / "new", url)
    new.clock.time, new.drivers = in_flight.clock.time, in_flight.drivers
    new.engine = new.new_engine()
    new.wait(150)
    over = [row.status for row in new.rows()]
    new.database.close()
    assert over == ["Succeeded"] * 3
    started = [task.token for task in new.drivers["CodeDeploy"].started]
    assert len(started) == len(set(started)) == 6


def test_the_version_before_goes_on_writing_what_it_knows(in_flight: House, old: Database) -> None:
    with old.read() as connection:
        tables = known(connection)
    old.migrate()
    put(rows_of(in_flight, tables), tables, old)
    with old.read() as connection:
        kept = connection.execute(select(tables.tables["execution"].c.status)).scalars().all()
    assert sorted(kept) == ["InProgress", "InProgress", "Succeeded"]
