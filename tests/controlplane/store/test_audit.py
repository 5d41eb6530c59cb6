"""The audit log's rows, on both kinds of database: in one chain, and not to be changed."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from controlplane.chain import verify
from controlplane.store import audit, locks
from controlplane.store.audit import Decision
from controlplane.store.database import Database

NOW = 1_767_603_600.123456


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made = f"sqlite:///{tmp_path}/towpath.db"
    url = made if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    database = Database(url)
    database.migrate()
    yield database
    database.close()


def add(database: Database, *names: str) -> None:
    said = [
        Decision(NOW, name, "api", "freeze.set", text="für jetzt", data='{"a": 0.1}')
        for name in names
    ]
    with database.begin() as connection:
        locks.order_of_events(connection)
        audit.append(connection, said)


def test_the_newest_come_first_and_page_on_by_id(database: Database) -> None:
    add(database, "anne", "bert", "carl")
    with database.read() as connection:
        first = audit.newest(connection, limit=2)
        rest = audit.newest(connection, first[-1]["id"])
        assert [one["who"] for one in (*first, *rest)] == ["carl", "bert", "anne"]
        assert audit.newest(connection, pipeline="other") == []
        assert list(audit.entries(connection)) == [*rest, *first[::-1]]


def test_what_is_read_back_verifies(database: Database) -> None:
    add(database, "anne", "bert")
    add(database, "carl")
    with database.read() as connection:
        found = list(audit.entries(connection))
        assert verify(found) == audit.head(connection)
    assert [(one["id"], one["who"]) for one in found] == [(1, "anne"), (2, "bert"), (3, "carl")]


@pytest.mark.parametrize("bent", ["UPDATE audit SET who = 'eve'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_it(database: Database, bent: str) -> None:
    add(database, "anne")
    with pytest.raises(DBAPIError, match="only ever added to"), database.begin() as connection:
        connection.exec_driver_sql(bent)


def test_many_who_decide_at_once_make_one_chain(database: Database) -> None:
    threads = [threading.Thread(target=add, args=(database, f"person{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with database.read() as connection:
        assert verify(audit.entries(connection)).id == len(threads)
