"""Running processes of ours, by a heartbeat: who they are, and of which version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from controlplane.store.tables import Replica, table

REPLICA = table(Replica)
R = REPLICA.c

GONE_AFTER = 60.0
FORGOTTEN_AFTER = 3_600.0


@dataclass(frozen=True, slots=True)
class Me:
    """This process. schema: the revision that it was written for."""

    name: str
    version: str
    schema: str
    started_at: float


def beat(connection: Connection, me: Me, now: float) -> None:
    """Say that we are here; forget those who have not said so for long."""
    known = update(REPLICA).where(R.name == me.name)
    if not connection.execute(known.values(seen_at=now)).rowcount:
        values = {"name": me.name, "version": me.version, "schema_revision": me.schema}
        connection.execute(insert(REPLICA), {**values, "started_at": me.started_at, "seen_at": now})
        connection.execute(delete(REPLICA).where(R.seen_at < now - FORGOTTEN_AFTER))


def leave(connection: Connection, me: Me) -> None:
    """Say that we are going."""
    connection.execute(delete(REPLICA).where(R.name == me.name))


def here(connection: Connection, now: float) -> Sequence[Row[Any]]:
    """Who was seen within a minute, the oldest first."""
    seen = select(REPLICA).where(R.seen_at >= now - GONE_AFTER)
    return connection.execute(seen.order_by(R.started_at, R.name)).all()
