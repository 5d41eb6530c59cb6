"""An ill database: its illness is made for real, and named in a sentence that holds no password."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from controlplane.store.condition import Fault, Watch, fault_of, sentence
from controlplane.store.database import Database
from tests.support.postgres import Cluster, server

INSERT = "INSERT INTO installation VALUES (?, ?)"


def embedded(folder: Path, *pragmas: str) -> Database:
    """A migrated database that is opened anew, with these pragmas on each connection."""
    database = Database(f"sqlite:///{folder}/towpath.db")
    database.migrate()
    database.close()
    database = Database(f"sqlite:///{folder}/towpath.db")
    for pragma in pragmas:
        event.listen(database.engine, "connect", lambda c, _, p=pragma: c.execute(f"PRAGMA {p}"))
    return database


def failure(database: Database, sql: str, *values: str) -> SQLAlchemyError:
    """What writing raises."""
    with pytest.raises(SQLAlchemyError) as raised, database.begin() as connection:
        connection.exec_driver_sql(sql, values)
    return raised.value


@contextmanager
def distributed(cluster: Cluster) -> Iterator[Database]:
    database = Database(cluster.database())
    yield database
    database.close()


def test_a_read_only_file_is_named(tmp_path: Path) -> None:
    database = embedded(tmp_path, "query_only=1")
    error = failure(database, INSERT, "key", "value")
    assert fault_of(error) is Fault.READ_ONLY
    assert f"{tmp_path}/towpath.db is read-only" in sentence(error, database.engine.url)


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    database = embedded(tmp_path, "max_page_count=1")
    error = failure(database, INSERT, "key", "x" * 1_000_000)
    assert fault_of(error) is Fault.FULL
    assert "is full" in sentence(error, database.engine.url)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/no/such/folder.db")
    error = failure(database, "SELECT 1")
    assert fault_of(error) is Fault.DOWN


def test_a_table_that_is_missing_is_a_matter_of_the_schema(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    error = failure(database, INSERT, "key", "value")
    assert fault_of(error) is Fault.SCHEMA


def test_an_ordinary_refusal_is_no_illness(tmp_path: Path) -> None:
    database = embedded(tmp_path)
    with database.begin() as connection:
        connection.exec_driver_sql(INSERT, ("key", "value"))
    assert fault_of(failure(database, INSERT, "key", "value")) is None


def test_a_read_only_postgresql_is_named(postgres: Cluster) -> None:
    with distributed(postgres) as database:
        name = database.engine.url.database or ""
        with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        error = failure(database, "CREATE TABLE t (i int)")
        assert fault_of(error) is Fault.READ_ONLY
        assert f"{name} on 127.0.0.1:{postgres.port} is read-only" in sentence(
            error, database.engine.url
        )


def test_a_missing_table_of_postgresql_is_a_matter_of_the_schema(postgres: Cluster) -> None:
    with distributed(postgres) as database:
        error = failure(database, "INSERT INTO installation VALUES ('a', 'b')")
    assert fault_of(error) is Fault.SCHEMA


def test_a_server_that_stopped_is_named_without_its_password() -> None:
    with server() as cluster:
        url = cluster.url("postgres").replace("towpath@", "towpath:hunter2@")
        database = Database(url)
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1")
        cluster.process.send_signal(signal.SIGINT)  # SIGTERM waits for clients
        cluster.process.wait(20)
        error = failure(database, "SELECT 1")
        database.close()
    said = sentence(error, database.engine.url)
    assert fault_of(error) is Fault.DOWN
    assert f"postgres on 127.0.0.1:{cluster.port} does not answer" in said
    assert "hunter2" not in said


class TestWatch:
    """What is met anywhere is remembered for half a minute, and logged once."""

    def test_it_is_remembered_and_said_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        now = [1_000.0]
        database = embedded(tmp_path, "query_only=1")
        watch = Watch(database.engine, lambda: now[0])
        with caplog.at_level(logging.INFO):
            failure(database, INSERT, "key", "value")
            failure(database, INSERT, "key", "value")
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert list(watch.recent()) == [Fault.READ_ONLY]
        now[0] += 31
        assert watch.recent() == {}

    def test_a_database_that_is_away_is_met_as_somebody_connects(self, tmp_path: Path) -> None:
        database = Database(f"sqlite:///{tmp_path}/no/such/folder.db")
        watch = Watch(database.engine, lambda: 0.0)
        failure(database, "SELECT 1")
        assert list(watch.recent()) == [Fault.DOWN]
