"""Rows of Git deliveries that wait until their host can be asked."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from controlplane.store.tables import LateDelivery, table

LATE = table(LateDelivery)
L = LATE.c
MOST = 10_000
"""So many may wait; a host that is away for longer than that delivers again."""


def add(connection: Connection, host: str, told: Sequence[str], now: float, reason: str) -> bool:
    """Keep them; False where too many wait already, and then none is kept."""
    waiting = connection.execute(select(func.count()).select_from(LATE)).scalar_one()
    if waiting + len(told) > MOST:
        return False
    rows = [
        {"host": host, "told": one, "received_at": now, "due_at": now, "tries": 0, "reason": reason}
        for one in told
    ]
    connection.execute(insert(LATE), rows)
    return True


def due(connection: Connection, now: float, limit: int) -> Sequence[Row[Any]]:
    """Those whose host is to be asked now, in the order in which they came."""
    return connection.execute(select(LATE).where(L.due_at <= now).order_by(L.id).limit(limit)).all()


def done(connection: Connection, id_: int) -> None:
    """It is taken."""
    connection.execute(delete(LATE).where(L.id == id_))


def put_off(
    connection: Connection, host: str, until: float, reason: str, only: int | None = None
) -> None:
    """The host is still away: all that wait for it wait on, so that their order is kept.

    only: the one that the host answered, and refused; it keeps up no other.
    """
    waits = (L.host == host) & L.due_at.is_not(None)
    if only is not None:
        waits &= L.id == only
    connection.execute(
        update(LATE).where(waits).values(due_at=until, tries=L.tries + 1, reason=reason)
    )


def give_up(connection: Connection, before: float) -> int:
    """Ask no more for what came before that; answers for how many."""
    old = L.due_at.is_not(None) & (L.received_at < before)
    return connection.execute(update(LATE).where(old).values(due_at=None)).rowcount


def forget(connection: Connection, before: float) -> None:
    """Those that were given up have been told of for long enough."""
    connection.execute(delete(LATE).where(L.due_at.is_(None), L.received_at < before))


def standing(connection: Connection) -> Sequence[Row[Any]]:
    """By host: how many wait, how many were given up, and why the last could not be taken."""
    waiting = func.count(L.due_at)
    return connection.execute(
        select(L.host, waiting, func.count() - waiting, func.max(L.reason)).group_by(L.host)
    ).all()
