"""The schema of the database, and ours: which is older, and whether we can work on it.

Migrations expand before they contract, so a replica goes on serving on a schema that is newer than its own:
that is said and is no fault, as long as every table and column that it needs is there.
"""

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from controlplane.store.tables import METADATA


class SchemaError(Exception):
    """This version cannot work on this schema; the sentence says which version can."""


def config() -> Config:
    """Where our migrations lie."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return found


SCRIPTS = ScriptDirectory.from_config(config())
OURS = str(SCRIPTS.get_current_head())
"""The revision that this version brings a database to."""


def revision(connection: Connection) -> str:
    """The database's revision; "" where it has none yet."""
    return ",".join(MigrationContext.configure(connection).get_current_heads())


def is_newer(found: str) -> bool:
    """True where a later version than this one made it: none of our migrations leads there."""
    return bool(found) and found not in {script.revision for script in SCRIPTS.walk_revisions()}


def missing(connection: Connection) -> list[str]:
    """Tables and columns that we need and that are not there."""
    asked = inspect(connection)
    there = set(asked.get_table_names())
    found = []
    for name, wanted in METADATA.tables.items():
        if name not in there:
            found.append(f"table {name}")
            continue
        columns = {column["name"] for column in asked.get_columns(name)}
        found += [f"column {name}.{c.name}" for c in wanted.columns if c.name not in columns]
    return found


def check_usable(connection: Connection, found: str) -> None:
    """SchemaError where a newer schema has dropped what this version needs."""
    lost = missing(connection)
    if lost:
        raise SchemaError(
            f"the database's schema is at revision {found}, which this version (revision {OURS}) does not "
            f"know, and it lacks {', '.join(lost[:5])}: start a version of Towpath that has revision {found}"
        )


def said(found: str) -> str:
    """What there is to say of a revision; "" where it is ours."""
    if found == OURS:
        return ""
    if is_newer(found):
        return (
            f"the schema is at revision {found}, newer than this version's {OURS}: this replica goes on; "
            "bring it to the newer version to finish the upgrade"
        )
    return (
        f"the schema is at revision {found or 'none'}, older than this version's {OURS}: restart Towpath, "
        "which brings it up to date"
    )
