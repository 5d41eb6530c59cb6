"""Rows of what rules saw."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from controlplane.store.tables import Measurement, table
from monitors.base import Judgement

MEASUREMENT = table(Measurement)


def add(connection: Connection, action_id: int, now: float, seen: Judgement) -> None:
    """What one look saw."""
    connection.execute(
        insert(MEASUREMENT),
        {
            "action_id": action_id,
            "at": now,
            "verdict": seen.verdict,
            "value": seen.value,
            "samples": seen.samples,
            "reason": seen.reason[:1000],
            "chance": seen.chance,
            "power": seen.power,
        },
    )


def of_action(connection: Connection, action_id: int, limit: int = 500) -> Sequence[Row[Any]]:
    """The newest, in order of time."""
    rows = connection.execute(
        select(MEASUREMENT)
        .where(MEASUREMENT.c.action_id == action_id)
        .order_by(MEASUREMENT.c.id.desc())
        .limit(limit)
    ).all()
    return rows[::-1]
