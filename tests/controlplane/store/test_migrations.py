"""A migrated database and a fresh one are the same, and migrating twice changes nothing. On both kinds."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from controlplane.store import tables
from controlplane.store.database import Database
from tests.support.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made = f"sqlite:///{tmp_path}/towpath.db"
    url = made if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    database = Database(url)
    yield database
    database.close()


def test_the_migrated_schema_is_what_the_tables_say(database: Database) -> None:
    database.migrate()
    with database.engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
    assert tables.table(tables.Execution) is not None
    assert difference == []


def test_partial_indexes_survive_migration(database: Database) -> None:
    database.migrate()
    asked = {
        True: "SELECT sql FROM sqlite_master WHERE type='index'",
        False: "SELECT indexdef FROM pg_indexes",
    }
    with database.read() as connection:
        found = connection.exec_driver_sql(asked[database.embedded])
        text = " ".join(row[0] or "" for row in found).replace("(", "").replace(")", "")
    for clause in (
        "WHERE locked",
        "WHERE due_at IS NOT NULL",
        "WHERE status",
        "WHERE ended_at IS NULL",
        "WHERE lifted_at IS NULL",
    ):
        assert clause in text


def test_migrating_again_changes_nothing(database: Database) -> None:
    database.migrate()
    database.migrate()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar() == 1


def test_replicas_that_start_together_migrate_one_after_another(postgres: Cluster) -> None:
    url = postgres.database()
    replicas = [Database(url) for _ in range(4)]
    threads = [threading.Thread(target=replica.migrate) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with replicas[0].read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar() == 1
    for replica in replicas:
        replica.close()
