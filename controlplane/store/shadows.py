"""What was true at a time that is past: freezes, the quarantine, and who opened and closed ways in."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from controlplane.store.gates import covers
from controlplane.store.tables import Event, Freeze, Quarantine, table

EVENT, FREEZE, QUARANTINE = table(Event), table(Freeze), table(Quarantine)
V, F, Q = EVENT.c, FREEZE.c, QUARANTINE.c
CLOSED, OPENED = "transition.disabled", "transition.enabled"
LOOKED_THROUGH = 5_000
"""Of a pipeline's newest events."""


def freezes_at(connection: Connection, at: float) -> Sequence[Row[Any]]:
    """Those that were in force, oldest first."""
    wanted = (
        F.frozen_at <= at,
        or_(F.lifted_at.is_(None), F.lifted_at > at),
        or_(F.until.is_(None), F.until > at),
    )
    return connection.execute(select(FREEZE).where(*wanted).order_by(F.id)).all()


def quarantined_at(connection: Connection, at: float) -> frozenset[str]:
    """Every digest that went nowhere."""
    wanted = (Q.at <= at, or_(Q.lifted_at.is_(None), Q.lifted_at > at))
    found = connection.execute(select(Q.digest).where(*wanted))
    return frozenset(row.digest for row in found)


def moves_of_ways(connection: Connection, pipeline: str) -> list[Row[Any]]:
    """Who opened and closed ways into its stages of late, oldest first."""
    newest = select(V.id, V.at, V.kind, V.stage, V.text).where(V.pipeline == pipeline)
    rows = connection.execute(newest.order_by(V.id.desc()).limit(LOOKED_THROUGH)).all()
    return [row for row in reversed(rows) if row.kind in (CLOSED, OPENED)]


__all__ = ["CLOSED", "OPENED", "covers", "freezes_at", "moves_of_ways", "quarantined_at"]
