"""What people asked for in Slack: taken once, claimed by one replica at a time."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from controlplane.store.tables import SlackInbox, table

INBOX = table(SlackInbox)
I = INBOX.c  # noqa: E741 - as the other stores name theirs


def add(connection: Connection, key: str, kind: str, payload: str, now: float) -> bool:
    """Store it; False where it is there already: Slack delivered it twice, or somebody replays it."""
    row = {"key": key, "kind": kind, "payload": payload, "received_at": now, "due_at": now}
    try:
        with connection.begin_nested():
            connection.execute(
                insert(INBOX), {**row, "owner": None, "fence": 0, "attempts": 0, "error": ""}
            )
    except IntegrityError:
        return False
    return True


def claim(
    connection: Connection, owner: str, now: float, until: float, limit: int
) -> Sequence[Row[Any]]:
    """Take what is due, the oldest first; nobody else takes it before `until`."""
    due = (
        select(I.key)
        .where(I.due_at.is_not(None), I.due_at <= now)
        .order_by(I.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # locked once: PostgreSQL may run a plain subquery more than once
    )
    taken = (
        update(INBOX)
        .where(I.key.in_(select(due.c.key)))
        .values(owner=owner, fence=I.fence + 1, due_at=until, attempts=I.attempts + 1)
        .returning(INBOX)
    )
    return sorted(connection.execute(taken).all(), key=lambda row: row.received_at)


def write(connection: Connection, row: Any, **values: Any) -> bool:
    """Write how it went; False where the claim ran out and another replica has it."""
    mine = (row.key == I.key) & (row.fence == I.fence)
    return bool(connection.execute(update(INBOX).where(mine).values(**values)).rowcount)


def next_due(connection: Connection) -> float | None:
    """When something is due next."""
    found = select(I.due_at).where(I.due_at.is_not(None)).order_by(I.due_at).limit(1)
    return connection.execute(found).scalar()


def forget(connection: Connection, before: float) -> int:
    """Forget what is done and too old to be delivered again; how many."""
    old = I.due_at.is_(None) & (I.received_at < before)
    return connection.execute(delete(INBOX).where(old)).rowcount
