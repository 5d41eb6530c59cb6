"""An empty database with its tables: copied from one that was made once, for making them takes longer than
most tests that need them.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event

from controlplane.store.database import Database
from controlplane.store.tables import METADATA


def make(url: str) -> None:
    """Make them in an empty database."""
    database = Database(url)
    METADATA.create_all(database.engine)
    database.close()


@cache
def _file() -> bytes:
    """A whole SQLite database."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "towpath.db")
        make(f"sqlite:///{file}")
        return file.read_bytes()


def in_folder(folder: Path) -> str:
    """An empty SQLite database there, or the one that is there already; its URL."""
    file = folder / "towpath.db"
    if not file.exists():
        file.write_bytes(_file())
    return f"sqlite:///{file}"


def careless(database: Database) -> Database:
    """Let it not wait for the disk: what is lost with the machine's power is lost with the test, too."""

    def connect(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    if database.embedded:
        event.listen(database.engine, "connect", connect)
    return database
