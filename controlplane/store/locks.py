"""What a writer locks before it decides, so that two replicas never decide about one thing at once.

SQLite has one writer, so these do nothing there. On PostgreSQL the order is: stage executions by id, then
the ways into stages by name, then the order of events. Row locks and advisory locks of the transaction:
they end with it, whatever happens to the process.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select, text

from controlplane.store.distributed import CHANNEL
from controlplane.store.tables import StageExecution, table

STAGE = table(StageExecution)
EXCLUSIVE = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
EXCLUSIVE_AND_TELL = text(
    f"SELECT pg_advisory_xact_lock(hashtextextended(:name, 0)), pg_notify('{CHANNEL}', '')"
)
SHARED = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")


def stages(connection: Connection, ids: Collection[str]) -> None:
    """Of two replicas that heard of two actions of one stage, the second sees what the first wrote."""
    if ids and not _embedded(connection):
        wanted = select(STAGE.c.id).where(STAGE.c.id.in_(sorted(ids))).order_by(STAGE.c.id)
        connection.execute(wanted.with_for_update(key_share=True)).all()


def execution(connection: Connection, execution_id: str) -> None:
    """All stage executions of one execution: a person is about to change its course."""
    if not _embedded(connection):
        wanted = select(STAGE.c.id).where(STAGE.c.execution_id == execution_id).order_by(STAGE.c.id)
        connection.execute(wanted.with_for_update(key_share=True)).all()


def ways_in(connection: Connection, ways: Iterable[tuple[str, str, bool]]) -> None:
    """(pipeline, stage, shared): nobody else lets in, or arrives, or opens the way, until we commit.

    shared: in PARALLEL mode nobody who arrives keeps another out, so those do not wait for each other.
    """
    if _embedded(connection):
        return
    for pipeline, stage, shared in sorted(ways):
        name = {"name": f"way-in/{pipeline}/{stage}"}
        connection.execute(SHARED if shared else EXCLUSIVE, name)


def order_of_events(connection: Connection, *, tell: bool = False) -> None:
    """From here to the commit nobody else adds events: ids rise in the order of the commits.

    Without it a reader that goes on from the newest id it saw would miss a lower one that commits later.
    tell: and wake the other replicas with the commit, which would be a statement of its own otherwise.
    """
    if not _embedded(connection):
        statement = EXCLUSIVE_AND_TELL if tell else EXCLUSIVE
        connection.execute(statement, {"name": "events"})


def _embedded(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
