"""Rows of Git deliveries that wait until their host can be asked, or the pipeline that they are for be read.

What waits for a pipeline stands under its name in the place of the host's: so a replica of a version before,
which knows no host of such a name, puts it off, and takes nothing of it away.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from controlplane.store.tables import LateDelivery, table

LATE = table(LateDelivery)
L = LATE.c
MOST = 10_000
"""So many may wait; a host that is away for longer than that delivers again."""
MOST_OF_PIPELINE = 1_000
PIPELINE = "pipeline "
"""How the place of what waits for a pipeline begins; no host is named with a blank."""
FOR_PIPELINE = L.host.startswith(PIPELINE, autoescape=True)


def add(connection: Connection, host: str, told: Sequence[str], now: float, reason: str) -> bool:
    """Keep them; False where too many wait already, and then none is kept."""
    mine, most = not_(FOR_PIPELINE), MOST
    if host.startswith(PIPELINE):
        mine, most = L.host == host, MOST_OF_PIPELINE
    if count(connection, mine) + len(told) > most:
        return False
    rows = [
        {"host": host, "told": one, "received_at": now, "due_at": now, "tries": 0, "reason": reason}
        for one in told
    ]
    connection.execute(insert(LATE), rows)
    return True


def count(connection: Connection, mine: ColumnElement[bool]) -> int:
    """How many there are."""
    wanted = select(func.count()).select_from(LATE).where(mine)
    return int(connection.execute(wanted).scalar_one())


def is_first(connection: Connection, host: str) -> bool:
    """True where nothing waits there yet."""
    return count(connection, (L.host == host) & L.due_at.is_not(None)) == 0


def has(connection: Connection, host: str, told: str) -> bool:
    """True where the very same waits there already."""
    return count(connection, (L.host == host) & (L.told == told) & L.due_at.is_not(None)) > 0


def hurry(connection: Connection, pipeline: str, now: float) -> None:
    """A pipeline was stored anew: what waits for it is tried at once, what was given up too."""
    mine = L.host == f"{PIPELINE}{pipeline}"
    connection.execute(update(LATE).where(mine).values(due_at=now))


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


def give_up(connection: Connection, before: float, pipelines_before: float) -> int:
    """Ask no more for what came before that; answers for how many.

    pipelines_before: for what waits for a pipeline, which a person must mend.
    """
    old = L.due_at.is_not(None) & _before(before, pipelines_before)
    return connection.execute(update(LATE).where(old).values(due_at=None)).rowcount


def forget(connection: Connection, before: float, pipelines_before: float) -> None:
    """Those that were given up have been told of for long enough."""
    connection.execute(delete(LATE).where(L.due_at.is_(None), _before(before, pipelines_before)))


def _before(hosts: float, pipelines: float) -> ColumnElement[bool]:
    return or_(
        and_(not_(FOR_PIPELINE), L.received_at < hosts),
        and_(FOR_PIPELINE, L.received_at < pipelines),
    )


def standing(connection: Connection) -> Sequence[Row[Any]]:
    """By host: how many wait, how many were given up, and why the last could not be taken."""
    waiting = func.count(L.due_at)
    return connection.execute(
        select(L.host, waiting, func.count() - waiting, func.max(L.reason)).group_by(L.host)
    ).all()
