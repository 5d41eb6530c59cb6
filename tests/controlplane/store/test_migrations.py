"""A migrated database and a fresh one are the same, and migrating twice changes nothing."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from controlplane.store import tables
from controlplane.store.database import Database


def test_the_migrated_schema_is_what_the_tables_say(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    database.migrate()
    with database.engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
    assert tables.table(tables.Execution) is not None
    assert difference == []


def test_partial_indexes_survive_migration(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    database.migrate()
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type='index'")
        text = " ".join(row[0] or "" for row in found)
    for clause in (
        "WHERE locked",
        "WHERE due_at IS NOT NULL",
        "WHERE status = 'Inbound'",
        "WHERE ended_at IS NULL",
    ):
        assert clause in text


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/towpath.db")
    database.migrate()
    database.migrate()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM alembic_version").scalar() == 1
