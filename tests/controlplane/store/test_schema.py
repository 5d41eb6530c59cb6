"""A schema that is not ours: a newer one is worked on as long as all that we need is there."""

import logging
from collections.abc import Iterator

import pytest

from controlplane.store import schema
from controlplane.store.database import Database
from controlplane.store.schema import SchemaError


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("schema")
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{folder}/t.db" if sqlite else request.getfixturevalue("postgres").database()
    made = Database(url)
    made.migrate()
    yield made
    made.close()


def change(database: Database, *statements: str) -> None:
    with database.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def expand(database: Database) -> None:
    """What a later version's migration does to it."""
    change(
        database,
        "UPDATE alembic_version SET version_num = '9999'",
        "ALTER TABLE execution ADD COLUMN later VARCHAR",
    )


def found(database: Database) -> str:
    with database.read() as connection:
        return schema.revision(connection)


def test_a_migrated_database_is_ours(database: Database) -> None:
    assert found(database) == schema.OURS
    assert schema.said(schema.OURS) == ""
    with database.read() as connection:
        assert schema.missing(connection) == []


def test_a_newer_schema_is_left_as_it_is_and_said(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    expand(database)
    with caplog.at_level(logging.WARNING):
        database.migrate()
    assert found(database) == "9999"
    assert "revision 9999, newer than this version's" in caplog.text


def test_a_newer_schema_that_dropped_what_we_need_is_refused(database: Database) -> None:
    expand(database)
    change(database, "DROP TABLE thread", "ALTER TABLE ledger DROP COLUMN handle")
    with pytest.raises(SchemaError, match=r"lacks .*column ledger.handle.*table thread.* 9999"):
        database.migrate()


def test_an_older_schema_is_said() -> None:
    assert "older than this version's" in schema.said("0001")
    assert "revision none" in schema.said("")
