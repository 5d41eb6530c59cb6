"""SQLite, the embedded default: WAL, synchronous=FULL. Its clock is the machine's, for there is one machine."""

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON")


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
