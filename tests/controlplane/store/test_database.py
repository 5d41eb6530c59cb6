"""The connection: readers in any number do not keep the writer out."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from controlplane.store.database import Database, UrlError, url_of
from tests.support.postgres import Cluster

READERS = 50
"""More than a server's threads (40) and ours read at once."""


def test_many_readers_do_not_keep_the_writer_out(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    database.migrate()
    with ExitStack() as open_:
        for _ in range(READERS):
            open_.enter_context(database.read()).exec_driver_sql("SELECT 1 FROM pipeline")
        with database.begin() as connection:
            connection.exec_driver_sql("INSERT INTO installation VALUES ('key', 'value')")
    database.close()


@pytest.mark.parametrize("url", ["mysql://anne:secret@host/db", "not a url: secret"])
def test_a_database_of_another_kind_is_refused_in_a_sentence_without_its_password(url: str) -> None:
    with pytest.raises(UrlError, match="postgresql://") as caught:
        Database(url)
    assert "secret" not in str(caught.value)


def test_postgresql_is_spelled_as_everybody_spells_it() -> None:
    assert url_of("postgresql://u@h/d").drivername == "postgresql+psycopg"


def test_the_databases_clock_is_the_one_that_leases_run_by(postgres: Cluster) -> None:
    database = Database(postgres.database())
    with database.begin() as connection:
        assert database.time(connection, lambda: 0.0) > 1_600_000_000
    database.close()


def test_one_replica_wakes_the_others(postgres: Cluster) -> None:
    url, woken, listening = postgres.database(), threading.Event(), threading.Event()
    one, other = Database(url), Database(url)
    other.on_wake(lambda: woken.set() if listening.is_set() else listening.set())
    assert listening.wait(20), "it hears once that it listens"
    with one.begin() as connection:
        one.tell(connection)
    assert woken.wait(20)
    one.close()
    other.close()
