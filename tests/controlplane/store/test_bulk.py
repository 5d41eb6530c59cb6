"""What is written in bulk is written the same way by both databases, and counted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select
from sqlmodel import SQLModel

from controlplane.store import executions
from controlplane.store.bulk import among, inserting, updating
from controlplane.store.database import Database
from controlplane.store.swap import StaleError
from controlplane.store.tables import Seen, table
from tests.support.postgres import Cluster

SEEN = table(Seen)
ADD = inserting(SEEN, "key", "at")
MOVE = updating(
    SEEN,
    {"b_key": "key", "b_old": "at", "at": "at"},
    lambda statement, given: statement.where(
        SEEN.c.key == given["b_key"], SEEN.c.at == given["b_old"]
    ).values(at=given["at"] + 1),
)
ROWS: list[dict[str, Any]] = [
    {"key": "a", "at": 1.0},
    {"key": "b", "at": 2.0},
    {"key": "ö'\"\\", "at": 3.0},
]


@pytest.fixture(params=["sqlite", "postgres"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    database = Database(_url(request, tmp_path))
    SQLModel.metadata.create_all(database.engine)
    with database.begin() as connection:
        ADD(connection, ROWS)
        yield connection
    database.close()


def _url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder}/towpath.db"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.database()


def rows(connection: Connection) -> Any:
    return {row.key: row.at for row in connection.execute(select(SEEN))}


def test_rows_are_added_as_they_are(connection: Connection) -> None:
    assert rows(connection) == {row["key"]: row["at"] for row in ROWS}


def test_each_row_is_changed_by_what_is_given_for_it(connection: Connection) -> None:
    given = [{"b_key": row["key"], "b_old": row["at"], "at": row["at"] * 10} for row in ROWS]
    assert MOVE(connection, given) == len(ROWS)
    assert rows(connection) == {"a": 11.0, "b": 21.0, "ö'\"\\": 31.0}


def test_a_row_that_had_moved_on_is_not_counted(connection: Connection) -> None:
    given = [{"b_key": "a", "b_old": 9.0, "at": 0.0}, {"b_key": "b", "b_old": 2.0, "at": 0.0}]
    assert MOVE(connection, given) == 1
    assert rows(connection)["a"] == 1.0


def test_nothing_is_written_of_no_rows(connection: Connection) -> None:
    assert MOVE(connection, []) == 0


def test_many_are_asked_for_with_one_parameter(connection: Connection) -> None:
    wanted = select(SEEN.c.key).where(among(SEEN.c.key, "keys"))
    found = connection.execute(wanted, {"keys": ["a", "ö'\"\\", "unknown"]}).scalars()
    assert set(found) == {"a", "ö'\"\\"}


def test_a_swap_of_a_row_that_had_moved_on_is_refused(connection: Connection) -> None:
    gone = {"b_id": "e", "b_old": "InProgress", "status": "Failed", "reason": "", "ended_at": 1.0}
    with pytest.raises(StaleError, match="1 of 1 rows of execution had moved on"):
        executions.move(connection, [gone])


@pytest.mark.parametrize("connection", ["postgres"], indirect=True)
def test_postgresql_looks_one_row_up_and_does_not_read_the_whole_table(
    connection: Connection,
) -> None:
    fill = "INSERT INTO seen SELECT 'k' || n, n FROM generate_series(1, 10000) n"
    connection.exec_driver_sql(fill)
    connection.exec_driver_sql("ANALYZE seen")
    said: list[tuple[str, Any]] = []
    listens = (connection, "before_cursor_execute", lambda _c, _k, *said_: said.append(said_[:2]))
    event.listen(*listens)
    assert MOVE(connection, [{"b_key": "k7", "b_old": 7.0, "at": 0.0}]) == 1
    found = select(SEEN.c.at).where(among(SEEN.c.key, "keys"))
    assert connection.execute(found, {"keys": ["k7"]}).scalars().all() == [1.0]
    event.remove(*listens)
    for sql, given in said:
        plan = connection.exec_driver_sql(f"EXPLAIN {sql}", given).scalars().all()
        assert any("Index Scan using seen_pkey" in step for step in plan), plan
