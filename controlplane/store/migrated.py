"""Rows of pipelines that came over, and of what following the old ones has shown."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from controlplane.store.tables import Migrated, Shadowed, table

MIGRATED, SHADOWED = table(Migrated), table(Shadowed)
M, S = MIGRATED.c, SHADOWED.c
KEPT = 1_000
"""Shadowed executions of a pipeline; older ones are forgotten."""


def of(connection: Connection, pipeline: str) -> Row[Any] | None:
    return connection.execute(select(MIGRATED).where(M.pipeline == pipeline)).first()


def closed(row: Any) -> list[str]:
    """The stages whose ways in the migration has closed once."""
    found: list[str] = json.loads(row.closed)
    return found


def put(connection: Connection, row: Mapping[str, Any]) -> None:
    """Store it, or what changed of it."""
    kept = {name: value for name, value in row.items() if name != "pipeline"}
    changed = connection.execute(
        update(MIGRATED).where(M.pipeline == row["pipeline"]).values(**kept)
    )
    if changed.rowcount == 0:
        connection.execute(insert(MIGRATED), {"shadow": False, "followed_at": None, **row})


def forget(connection: Connection, pipeline: str) -> None:
    """It is deleted; what was seen of the old one stays."""
    connection.execute(delete(MIGRATED).where(M.pipeline == pipeline))


def follow(connection: Connection, pipeline: str, *, shadow: bool) -> bool:
    """Follow the old one, or follow it no longer; False where it did not come over."""
    done = update(MIGRATED).where(M.pipeline == pipeline).values(shadow=shadow)
    return connection.execute(done).rowcount == 1


def followed(connection: Connection, pipeline: str, now: float) -> None:
    connection.execute(update(MIGRATED).where(M.pipeline == pipeline).values(followed_at=now))


def shadowing(connection: Connection) -> Sequence[Row[Any]]:
    """Every pipeline whose old one is followed, by name."""
    wanted = select(MIGRATED).where(M.shadow.is_(True)).order_by(M.pipeline)
    return connection.execute(wanted).all()


def known(connection: Connection, pipeline: str, ids: Collection[str]) -> frozenset[str]:
    """Those of these executions that were compared already."""
    wanted = select(S.execution_id).where(S.pipeline == pipeline, S.execution_id.in_(list(ids)))
    return frozenset(row.execution_id for row in connection.execute(wanted))


def add(connection: Connection, row: Mapping[str, Any], most: int = KEPT) -> None:
    """One more; the oldest make room."""
    connection.execute(insert(SHADOWED), dict(row))
    newest = select(S.started_at).where(S.pipeline == row["pipeline"])
    edge = newest.order_by(S.started_at.desc()).offset(most).limit(1).scalar_subquery()
    old = delete(SHADOWED).where(S.pipeline == row["pipeline"], S.started_at <= edge)
    connection.execute(old)


def shadowed(connection: Connection, pipeline: str, limit: int) -> Sequence[Row[Any]]:
    """The newest first."""
    wanted = select(SHADOWED).where(S.pipeline == pipeline).order_by(S.started_at.desc())
    return connection.execute(wanted.limit(limit)).all()
