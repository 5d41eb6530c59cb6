"""Rows of drills: inserted once, moved by compare-and-swap; few, so they stay for ever."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from controlplane.states import DrillState
from controlplane.store.swap import StaleError
from controlplane.store.tables import Drill, table

DRILL = table(Drill)
D = DRILL.c
OPEN = D.ended_at.is_(None)
LOOKED_BACK = 1_000


def add(connection: Connection, row: Mapping[str, Any]) -> bool:
    """False where the stage has one that has not ended."""
    try:
        with connection.begin_nested():
            connection.execute(insert(DRILL), dict(row))
    except IntegrityError:
        return False
    return True


def open_ones(connection: Connection) -> Sequence[Row[Any]]:
    """Those that have not ended, oldest first."""
    return connection.execute(select(DRILL).where(OPEN).order_by(D.id).limit(100)).all()


def of_pipeline(connection: Connection, pipeline: str, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest of a pipeline, newest first."""
    wanted = select(DRILL).where(D.pipeline == pipeline).order_by(D.id.desc()).limit(limit)
    return connection.execute(wanted).all()


def of_execution(connection: Connection, pipeline: str, execution_id: str) -> Row[Any] | None:
    """The drill that an execution is part of."""
    wanted = select(DRILL).where(D.pipeline == pipeline, D.execution_id == execution_id)
    return connection.execute(wanted).first()


def move(connection: Connection, row: Any, new: DrillState, **values: Any) -> None:
    """Move it on from the state that it was seen in; StaleError where it has moved since."""
    as_seen = (D.id == row.id) & (D.state == row.state)
    moved = connection.execute(update(DRILL).where(as_seen).values(state=new, **values))
    if moved.rowcount != 1:
        raise StaleError(f"drill {row.id} had moved on")


def set_once_more(connection: Connection, row: Any, now: float) -> None:
    """The alarm was set."""
    first = func.coalesce(D.set_at, now)
    connection.execute(
        update(DRILL).where(D.id == row.id, OPEN).values(set_at=first, sets=D.sets + 1)
    )


def last_done(connection: Connection) -> Sequence[Row[Any]]:
    """The newest that went well of each stage; what a thousand later ones have followed is history."""
    newest = select(DRILL).order_by(D.id.desc()).limit(LOOKED_BACK)
    rows = connection.execute(newest).all()
    done = [row for row in reversed(rows) if row.state == DrillState.DONE]
    return list({(row.pipeline, row.stage): row for row in done}.values())
