"""What ails a database, in a sentence with the mend: down, read-only, full, or of another schema.

The sentence names the place and never a password; who looks at /readyz, the log or the doctor sees the same.
"""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import URL, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

log = logging.getLogger(__name__)


class Fault(StrEnum):
    """What can ail it."""

    DOWN = "down"
    READ_ONLY = "read-only"
    FULL = "full"
    SCHEMA = "schema"
    CROWDED = "crowded"


SENTENCES: Mapping[Fault, str] = {
    Fault.DOWN: "the database {place} does not answer ({why}): see that it runs and can be reached",
    Fault.READ_ONLY: "the database {place} is read-only ({why}): nothing moves until it can be "
    "written; pages are still answered",
    Fault.FULL: "the database {place} is full ({why}): make room; nothing that is new can be kept",
    Fault.SCHEMA: "the database {place} lacks what this version needs ({why}): restart Towpath, "
    "which brings the schema up to date, or restore the backup that fits",
    Fault.CROWDED: "the database {place} has no connection to give ({why}): ask again",
}

BY_SQLITE: Mapping[int, Fault] = {
    sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_CANTOPEN: Fault.DOWN,
    sqlite3.SQLITE_IOERR: Fault.DOWN,
    sqlite3.SQLITE_CORRUPT: Fault.DOWN,
    sqlite3.SQLITE_NOTADB: Fault.DOWN,
    sqlite3.SQLITE_BUSY: Fault.CROWDED,
}
"""https://www.sqlite.org/rescode.html; the low byte of what it answers."""

BY_SQLSTATE: Mapping[str, Fault] = {
    "25006": Fault.READ_ONLY,
    "53100": Fault.FULL,
    "53300": Fault.CROWDED,
    "42P01": Fault.SCHEMA,
    "42703": Fault.SCHEMA,
    "57P01": Fault.DOWN,
    "57P02": Fault.DOWN,
    "57P03": Fault.DOWN,
    "28P01": Fault.DOWN,
    "28000": Fault.DOWN,
    "3D000": Fault.DOWN,
}
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def fault_of(error: BaseException) -> Fault | None:
    """What ails the database; None where the error says nothing of that kind."""
    if isinstance(error, PoolTimeoutError):
        return Fault.CROWDED
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        if str(cause).startswith(("no such table", "no such column")):
            return Fault.SCHEMA
        return BY_SQLITE.get((getattr(cause, "sqlite_errorcode", 0) or 0) & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return BY_SQLSTATE.get(state)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return Fault.DOWN if lost or type(cause).__name__ == "OperationalError" else None


def sentence(error: BaseException, url: URL) -> str:
    """The sentence for a person; of an error that is no fault of the database's, its first line."""
    fault = fault_of(error)
    cause = error.orig if isinstance(error, DBAPIError) else error
    why = _first_line(cause, url)
    return SENTENCES[fault].format(place=place(url), why=why) if fault else why


def place(url: URL) -> str:
    """Where it is: a file, or host, port and name."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return f"{url.database} on {url.host or 'localhost'}:{url.port or 5432}"


def _first_line(cause: BaseException | None, url: URL) -> str:
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    secret = url.password
    return lines[0].replace(str(secret), "***") if secret else lines[0]


class Watch:
    """Remembers what ailed the database lately, whoever met it, and says it in the log once."""

    RECENT = 30.0

    def __init__(self, engine: Engine, now: Callable[[], float]) -> None:
        self._url, self._now = engine.url, now
        self._seen: dict[Fault, tuple[float, str]] = {}
        event.listen(engine, "handle_error", self._failed)

    def recent(self) -> dict[Fault, str]:
        """What ailed it within the last half minute: engines and heartbeats try more often than that."""
        for fault, (at, _) in list(self._seen.items()):
            if self._now() - at > self.RECENT:
                del self._seen[fault]
                log.info("the database is no longer %s", fault)
        return {fault: said for fault, (_, said) in self._seen.items()}

    def _failed(self, context: Any) -> None:
        error = context.sqlalchemy_exception or context.original_exception
        fault = fault_of(error)
        if fault is None or fault is Fault.CROWDED:
            return
        if fault not in self._seen:
            log.error("%s", sentence(error, self._url))
        self._seen[fault] = (self._now(), sentence(error, self._url))
