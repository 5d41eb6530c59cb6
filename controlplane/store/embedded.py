"""SQLite, the embedded default: WAL, synchronous=FULL. Its clock is the machine's, for there is one machine."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=30000",
    "foreign_keys=ON",
    # Pages (40 MB): `tended` keeps the log short. A commit that must do it itself waits for the whole file.
    "wal_autocheckpoint=10000",
)
CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
EVERY = 1.0
"""Seconds between two checkpoints; one that finds nothing to do costs microseconds."""


def engine_of(url: URL) -> Engine:
    """An engine whose writers begin as writers."""
    # Readers must not keep the writer out of the pool: more than all threads of a process together.
    engine = create_engine(
        url,
        max_overflow=100,
        hide_parameters=True,
        connect_args={"timeout": 30, "check_same_thread": False},
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


@contextmanager
def tended(engine: Engine) -> Iterator[None]:
    """Move what was committed from the log into the file, in a thread: no commit waits for that.

    A passive checkpoint keeps neither readers nor the writer out (https://www.sqlite.org/wal.html).
    """
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(EVERY):
            try:
                with closing(engine.raw_connection()) as connection:
                    connection.cursor().execute(CHECKPOINT)
            except (sqlite3.Error, SQLAlchemyError) as error:
                log.warning("the log could not be moved into the database's file: %s", error)

    thread = threading.Thread(target=work, name="towpath-checkpoints", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
