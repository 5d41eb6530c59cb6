"""The database of a simulation: SQLite in memory's file system, with bad days that are asked for.

Durability is not what is simulated here (a killed replica loses its memory, not the disk), so the disk
is not waited for. Its clock is the true time, whatever the replicas' clocks say.
"""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from controlplane.sandbox.simulation.witness import triggers
from controlplane.store.database import Database

SHARED = Path("/dev/shm")  # noqa: S108 - only looked for; the folder in it is made by tempfile


class KilledError(BaseException):
    """The process dies here: nothing of it may catch this."""


class Death(Enum):
    """At which commit boundary the replica that commits next dies."""

    NONE = auto()
    BEFORE = auto()
    AFTER = auto()


class SimulatedDatabase(Database):
    """A Database whose bad days are told: `down` refuses everything, `death` kills who commits."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        path = folder / "towpath.db"
        path.write_bytes(_template())
        super().__init__(f"sqlite:///{path}", local=now)
        self.path = path
        self.down = False
        self.death = Death.NONE
        event.listen(self.engine, "connect", _do_not_wait)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction, if the database is there, and if its owner lives to commit it."""
        self._refuse()
        with super().begin() as connection:
            yield connection
            if self.death is Death.BEFORE:
                raise KilledError
        if self.death is Death.AFTER:
            raise KilledError

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view, if the database is there."""
        self._refuse()
        with super().read() as connection:
            yield connection

    def _refuse(self) -> None:
        if self.down:
            locked = sqlite3.OperationalError("database is locked")
            raise OperationalError("BEGIN", {}, locked)


def _do_not_wait(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@cache
def _template() -> bytes:
    """The schema of the migrations with the witness in it, made once a process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "towpath.db"
        database = Database(f"sqlite:///{path}")
        database.migrate()
        with database.begin() as connection:
            for statement in triggers():
                connection.exec_driver_sql(statement)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return path.read_bytes()


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of one's own, in memory where there is a file system in memory."""
    place = SHARED if SHARED.is_dir() and os.access(SHARED, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="towpath-simulation-", dir=place) as name:
        yield Path(name)
