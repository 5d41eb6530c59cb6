"""Whose turn it is: periodic work is due by a row, which one replica moves on."""

from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError

from controlplane.store.tables import Periodic, table

PERIODIC = table(Periodic)
P = PERIODIC.c


def take(connection: Connection, name: str, now: float, every: float) -> bool:
    """True where it is due and is now ours to do; `every` seconds later it is due again."""
    due = update(PERIODIC).where(P.name == name, P.due_at <= now)
    if connection.execute(due.values(due_at=now + every)).rowcount:
        return True
    try:
        with connection.begin_nested():
            connection.execute(insert(PERIODIC), {"name": name, "due_at": now + every})
    except IntegrityError:
        return False  # it is there, and not due
    return True
