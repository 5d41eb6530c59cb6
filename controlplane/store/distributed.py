"""PostgreSQL, for many replicas: READ COMMITTED, and locks taken in one order: nobody decides on old news.

Writers lock what they decide about before they read it (`store.locks`). A transaction that stands still
holds its locks, so the server ends it; a client that went away is noticed by its socket.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError

log = logging.getLogger(__name__)

CHANNEL = "towpath_due"
SETTINGS = {
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "10s",  # a frozen replica must not hold the others up
    "lock_timeout": "5s",  # five tries end before a lease does
    "timezone": "UTC",
}
LOST = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "55P03",  # lock_not_available: lock_timeout ran out
    }
)
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""
SOCKET = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}
IDLE = 1.0
"""Seconds after which a connection is asked whether it still lives before it is used."""
PAUSE = 2.0
"""Seconds between two tries to listen; polling goes on meanwhile."""


def engine_of(url: URL) -> Engine:
    """An engine with a pool for all threads of a process."""
    engine = create_engine(
        url,
        pool_size=10,
        max_overflow=50,
        hide_parameters=True,
        connect_args={"application_name": "towpath", **SOCKET},
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.autocommit = True  # a setting made in a transaction ends with it
        for name, value in SETTINGS.items():
            connection.execute(f"SET {name} = '{value}'")
        connection.autocommit = False

    @event.listens_for(engine, "checkout")
    def _checkout(connection: Any, record: Any, _proxy: Any) -> None:
        """Ask a connection that lay idle whether it still lives; the pool makes new ones where it does not.

        As pool_pre_ping does before every transaction, which costs it a round trip.
        """
        if time.monotonic() - record.info.get("returned", 0.0) > IDLE:
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as error:
                raise DisconnectionError from error

    @event.listens_for(engine, "checkin")
    def _checkin(_connection: Any, record: Any) -> None:
        record.info["returned"] = time.monotonic()

    return engine


def lost_a_race(error: Exception) -> bool:
    """True where PostgreSQL took a transaction back in favour of another: the same may go through now."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") in LOST


def clock(connection: Connection) -> float:
    """The database's own clock, in seconds since the epoch: the one that all replicas share."""
    return float(connection.execute(CLOCK).scalar_one())


CLOCK = text("SELECT extract(epoch FROM clock_timestamp())::float8")
NOTIFY = text("SELECT pg_notify(:channel, '')")


def tell(connection: Connection) -> None:
    """Wake the other replicas when, and only if, this transaction commits."""
    connection.execute(NOTIFY, {"channel": CHANNEL})


@contextmanager
def alone(engine: Engine, key: int) -> Iterator[bool]:
    """An advisory lock of the session; False where another replica has it. Gone with the connection."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        taken = bool(connection.execute(TRY, {"key": key}).scalar_one())
        try:
            yield taken
        finally:
            if taken:
                connection.execute(GIVE_BACK, {"key": key})


TRY = text("SELECT pg_try_advisory_lock(:key)")
GIVE_BACK = text("SELECT pg_advisory_unlock(:key)")
WAIT = text("SELECT pg_advisory_lock(:key)")


@contextmanager
def in_turn(engine: Engine, key: int) -> Iterator[None]:
    """Wait for an advisory lock of the session; for what every replica does, one after another."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET lock_timeout = 0")
        connection.execute(WAIT, {"key": key})
        try:
            yield
        finally:
            connection.execute(GIVE_BACK, {"key": key})
            connection.invalidate()  # its lock_timeout is not the pool's


class Listener:
    """Calls back for every NOTIFY of another replica. One connection and one thread."""

    def __init__(self, engine: Engine, heard: Callable[[], None]) -> None:
        self._engine = engine
        self._heard = heard
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="towpath-listener", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("not listening for other replicas (%s); polling goes on", error)
                self._stop.wait(PAUSE)

    def _listen(self) -> None:
        arguments, named = self._engine.dialect.create_connect_args(self._engine.url)
        options = {"application_name": "towpath-listener", "autocommit": True, **SOCKET}
        with psycopg.connect(*arguments, **{**named, **options}) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._heard()  # what was told while nobody listened
            while not self._stop.is_set():
                for _ in connection.notifies(timeout=0.25, stop_after=1):
                    self._heard()

    def stop(self) -> None:
        """End within a quarter of a second."""
        self._stop.set()
        self._thread.join(5)
