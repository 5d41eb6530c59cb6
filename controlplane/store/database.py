"""The connection: SQLite (WAL, FULL) as the embedded default; PostgreSQL by its URL, for many replicas.

Writers of one process take turns on SQLite: it has one, and waiting in line here is quicker and fairer
than its busy loop.
"""

import logging
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from controlplane.store import distributed, embedded, schema

log = logging.getLogger(__name__)

MIGRATION_TRIES = 10
KINDS = {"sqlite": embedded.engine_of, "postgresql": distributed.engine_of}


class UrlError(ValueError):
    """The database's URL is of no kind that we know; the message never repeats it."""


class Database:
    """One database. `begin()` writes, `read()` reads; `wake` tells whoever waits for work."""

    def __init__(self, url: str, local: Callable[[], float] | None = None) -> None:
        """local: a clock to use instead of the database's own (tests, simulations).

        UrlError where the URL is of a kind that we do not know; it never repeats a password.
        """
        self.url = url
        parsed = url_of(url)
        self.engine = KINDS[parsed.get_backend_name()](parsed)
        self.embedded = parsed.get_backend_name() == "sqlite"
        self._local = local
        self._turn: AbstractContextManager[Any] = (
            threading.RLock() if self.embedded else nullcontext()
        )
        self._listeners: list[Callable[[], None]] = []
        self._listener: distributed.Listener | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction that writes."""
        with self._turn, self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; nothing is written."""
        options: dict[str, Any] = {"towpath_read": True}
        if not self.embedded:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection:
            yield connection

    def time(self, connection: Connection, machine: Callable[[], float]) -> float:
        """Seconds since the epoch by the clock that leases run by: the database's, where replicas share one.

        machine: the clock of this process, which is the embedded database's own.
        """
        if self._local is not None:
            return self._local()
        return machine() if self.embedded else distributed.clock(connection)

    def on_wake(self, listener: Callable[[], None]) -> None:
        """Call listener after every commit that made work due, here or (PostgreSQL) in another replica."""
        self._listeners.append(listener)
        if not self.embedded and self._listener is None:
            self._listener = distributed.Listener(self.engine, self.wake)

    def wake(self) -> None:
        """Something became due: called after the commit."""
        for listener in self._listeners:
            listener()

    def tell(self, connection: Connection) -> None:
        """Wake the other replicas too, when this transaction commits."""
        if not self.embedded:
            distributed.tell(connection)

    def tended(self) -> AbstractContextManager[None]:
        """What the database needs done beside its transactions, while somebody writes to it all the time."""
        return embedded.tended(self.engine) if self.embedded else nullcontext()

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Hold a name for a while; False where another replica holds it. Embedded: there is no other."""
        if self.embedded:
            yield True
            return
        with distributed.alone(self.engine, key_of(name)) as taken:
            yield taken

    def migrate(self, to: str = "head") -> None:
        """Bring the schema up to date; of several replicas that start together one does it.

        A newer one is left as it is: SchemaError where this version cannot work on it.
        """
        config = schema.config()
        with self._migrating(), self._turn:
            with self.read() as connection:
                found = schema.revision(connection)
                if schema.is_newer(found):
                    schema.check_usable(connection, found)
                    log.warning("%s", schema.said(found))
                    return
            for tries_left in reversed(range(MIGRATION_TRIES)):
                try:
                    self._upgrade(config, to)
                except OperationalError as error:
                    if not tries_left or not distributed.lost_a_race(error):
                        raise
                    log.warning("the replicas that serve held the migration up; trying again")
                else:
                    return

    def _upgrade(self, config: Config, to: str) -> None:
        with self.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)

    def _migrating(self) -> AbstractContextManager[None]:
        if self.embedded:
            return nullcontext()
        return distributed.in_turn(self.engine, key_of("migrations"))

    def close(self) -> None:
        """Give the connections back."""
        if self._listener is not None:
            self._listener.stop()
        self.engine.dispose()


def url_of(url: str) -> URL:
    """Read a database URL; postgresql:// and postgres:// mean the driver that we ship."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UrlError(
            "The database URL cannot be read; it begins with sqlite:/// or postgresql://."
        ) from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise UrlError(
            f"Towpath does not run on {parsed.drivername!r}: give a URL that begins with "
            "sqlite:/// (one machine) or postgresql:// (several replicas)."
        )
    return parsed


def reason(error: DBAPIError) -> str:
    """What the database said, in a line; its driver never puts a password in it."""
    said = str(error.orig).strip().splitlines()
    return said[0] if said else type(error.orig).__name__


def key_of(name: str) -> int:
    """The number of an advisory lock: PostgreSQL's are numbers, ours have names."""
    return zlib.crc32(f"towpath:{name}".encode())
