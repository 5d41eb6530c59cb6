"""Rows of webhooks (CodePipeline's version 1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from controlplane.store.tables import Webhook, table

WEBHOOK = table(Webhook)
W = WEBHOOK.c


def by_name(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(WEBHOOK).where(W.name == name)).first()


def by_path(connection: Connection, path: str) -> Row[Any] | None:
    return connection.execute(select(WEBHOOK).where(W.path == path)).first()


def page(connection: Connection, after: str, limit: int) -> Sequence[Row[Any]]:
    """The next webhooks by name."""
    wanted = select(WEBHOOK).where(W.name > after).order_by(W.name).limit(limit)
    return connection.execute(wanted).all()


def put(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store a webhook; one of that name keeps its path."""
    kept = {name: value for name, value in row.items() if name != "path"}
    changed = connection.execute(update(WEBHOOK).where(W.name == row["name"]).values(**kept))
    if changed.rowcount == 0:
        connection.execute(insert(WEBHOOK), dict(row))


def told(connection: Connection, name: str, now: float, error: str) -> None:
    """Remember its last delivery, and what was wrong with it ("" for nothing)."""
    values: dict[str, Any] = {"error": error} if error else {"error": "", "triggered_at": now}
    connection.execute(update(WEBHOOK).where(W.name == name).values(**values))


def remove(connection: Connection, name: str) -> bool:
    """Forget it; False where there is none, which is no fault."""
    return connection.execute(delete(WEBHOOK).where(W.name == name)).rowcount > 0
