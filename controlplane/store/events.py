"""Events, and the outbox rows written in the same transaction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, exists, insert, select, update

from controlplane.store.bulk import inserting
from controlplane.store.tables import Event, Outbox, Thread, table

EVENT = table(Event)
OUTBOX = table(Outbox)
THREAD = table(Thread)
O = OUTBOX.c  # noqa: E741 - the table's columns, as C, E and S are elsewhere


APPEND = inserting(
    EVENT, "at", "kind", "pipeline", "execution_id", "stage", "action", "text", "data"
)


def append(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Events that nobody is told of."""
    APPEND(connection, rows)


def append_told(
    connection: Connection, row: Mapping[str, Any], outbox: Sequence[Mapping[str, Any]]
) -> int:
    """An event that people are told of: its outbox rows commit with it, or not at all."""
    event_id = connection.execute(insert(EVENT).returning(EVENT.c.id), dict(row)).scalar_one()
    if outbox:
        connection.execute(insert(OUTBOX), [{**o, "event_id": event_id} for o in outbox])
    return int(event_id)


EARLIER = OUTBOX.alias("earlier")
BLOCKED = exists().where(
    and_(
        EARLIER.c.execution_id == O.execution_id,
        EARLIER.c.place == O.place,
        EARLIER.c.id < O.id,
        EARLIER.c.status == "PENDING",
    )
)
"""An older one to the same place about the same execution has not left yet."""


DUE = (
    select(O.id)
    .where(O.due_at.is_not(None), O.due_at <= bindparam("now"), O.status == "PENDING", ~BLOCKED)
    .order_by(O.due_at, O.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")  # locked once: PostgreSQL may run a plain subquery more than once
)
CLAIM = (
    update(OUTBOX)
    .where(O.id.in_(select(DUE.c.id)))
    .values(
        {
            "owner": bindparam("by"),
            "fence": O.fence + 1,
            "due_at": bindparam("until"),
            "attempts": O.attempts + 1,
        }
    )
    .returning(OUTBOX)
)


def claim_outbox(
    connection: Connection, owner: str, now: float, until: float, limit: int
) -> Sequence[Row[Any]]:
    """Take what is due: to one place about one execution only the oldest that is not sent."""
    given = {"by": owner, "now": now, "until": until, "most": limit}
    return sorted(connection.execute(CLAIM, given).all(), key=lambda row: row.id)


RECORD_OUTBOX = (
    update(OUTBOX)
    .where(O.id == bindparam("b_id"), O.fence == bindparam("b_fence"))
    .values(
        {
            "status": bindparam("status"),
            "due_at": bindparam("due_at"),
            "error": bindparam("error"),
            "sent_at": bindparam("sent_at"),
            "owner": None,
        }
    )
)


def record_outbox(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write how sending went."""
    if rows:
        connection.execute(RECORD_OUTBOX, list(rows))


def outbox_owners(connection: Connection) -> Sequence[str]:
    """Everybody who is sending something."""
    held = select(O.owner).where(O.owner.is_not(None), O.status == "PENDING").distinct()
    return [str(owner) for owner in connection.execute(held).scalars()]


def release_outbox(connection: Connection, owner: str, now: float) -> None:
    """What a dead owner was sending is due again."""
    statement = update(OUTBOX).where(O.owner == owner, O.status == "PENDING")
    connection.execute(statement.values(owner=None, due_at=now))


REFERENCE = select(THREAD.c.reference).where(
    THREAD.c.execution_id == bindparam("execution"), THREAD.c.place == bindparam("place")
)


def thread(connection: Connection, execution_id: str, place: str) -> str:
    """What the channel needs to go on with its message; "" before the first."""
    given = {"execution": execution_id, "place": place}
    return str(connection.execute(REFERENCE, given).scalar() or "")


def keep_thread(connection: Connection, execution_id: str, place: str, reference: str) -> None:
    """Remember it, once or anew."""
    key = (THREAD.c.execution_id == execution_id) & (THREAD.c.place == place)
    if not connection.execute(update(THREAD).where(key).values(reference=reference)).rowcount:
        connection.execute(
            insert(THREAD),
            {"execution_id": execution_id, "place": place, "reference": reference},
        )


def next_due(connection: Connection) -> float | None:
    """When the outbox is due next; what is blocked is not, however old it is."""
    due = O.due_at.is_not(None) & (O.status == "PENDING") & ~BLOCKED
    statement = select(O.due_at).where(due).order_by(O.due_at).limit(1)
    return connection.execute(statement).scalar()


BY_ID = select(EVENT).where(EVENT.c.id == bindparam("id"))


def event(connection: Connection, event_id: int) -> Row[Any]:
    return connection.execute(BY_ID, {"id": event_id}).one()


def threads(connection: Connection, execution_id: str) -> set[str]:
    """Every message that an execution has, whatever the place."""
    statement = select(THREAD.c.reference).where(THREAD.c.execution_id == execution_id)
    return {str(found) for found in connection.execute(statement).scalars()}


def newest(connection: Connection, execution_id: str, kinds: Collection[str]) -> Row[Any] | None:
    """The last event of an execution that is of one of these kinds."""
    statement = select(EVENT).where(EVENT.c.execution_id == execution_id, EVENT.c.kind.in_(kinds))
    return connection.execute(statement.order_by(EVENT.c.id.desc()).limit(1)).first()
