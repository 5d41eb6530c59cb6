"""The connection: SQLite (WAL, synchronous=FULL) as the embedded default; PostgreSQL by its URL.

Writers take turns: SQLite has one, and waiting in line here is quicker and fairer than its busy loop.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON")


class Database:
    """One database. `begin()` writes, `read()` reads; `wake` tells whoever waits for work."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.embedded = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if self.embedded else create_engine(url, pool_pre_ping=True)
        self._turn: AbstractContextManager[Any] = (
            threading.RLock() if self.embedded else nullcontext()
        )
        self._listeners: list[Callable[[], None]] = []

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction that writes."""
        with self._turn, self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; nothing is written."""
        with self.engine.connect().execution_options(towpath_read=True) as connection:
            yield connection

    def on_wake(self, listener: Callable[[], None]) -> None:
        """Call listener after every commit that made work due."""
        self._listeners.append(listener)

    def wake(self) -> None:
        """Something became due: called after the commit."""
        for listener in self._listeners:
            listener()

    def migrate(self) -> None:
        """Bring the schema up to date."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._turn, self.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _sqlite(url: str) -> Engine:
    # Readers must not keep the writer out of the pool: more than all threads of a process together.
    engine = create_engine(
        url, max_overflow=100, connect_args={"timeout": 30, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see _begin
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("towpath_read")
        # A writer that begins as a reader can be refused the upgrade: take the write lock at once.
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine
