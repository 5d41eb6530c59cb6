"""What an explanation is made of, read in one transaction: a handful of questions, each bounded."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from controlplane.declarations.model import StageDeclaration
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.explain.records import Records
from controlplane.store import executions, ledger, measurements, queries, series

EVENTS = 1_000
RULES = 200
"""Rules of an execution whose looks are read, the newest; a stage may be retried without end."""


def records(connection: Connection, structures: Structures, execution: Any) -> Records:
    """All that is known of an execution and of what rolled it back."""
    back = executions.rollbacks_of(connection, execution.id)
    return _of_one(
        connection,
        structures,
        execution,
        [_of_one(connection, structures, row) for row in back],
    )


def _of_one(
    connection: Connection,
    structures: Structures,
    execution: Any,
    rollbacks: Sequence[Records] = (),
) -> Records:
    actions = queries.actions_of_execution(connection, execution.id)
    watching = [row.id for row in actions if row.kind not in ("action", "abandoned")][-RULES:]
    kept = series.of_actions(connection, watching)
    by_action = groupby(sorted(kept, key=lambda row: row.action_id), lambda row: row.action_id)
    return Records(
        execution=execution,
        stages=executions.of_execution(connection, execution.id),
        actions=actions,
        events=_events(connection, execution.id),
        ledger=ledger.of_stage(connection, [row.id for row in actions]),
        declared=_declared(connection, structures, execution),
        measurements={id_: measurements.of_action(connection, id_) for id_ in watching},
        series={id_: list(rows) for id_, rows in by_action},
        rollbacks=rollbacks,
    )


def _events(connection: Connection, execution_id: str) -> Sequence[Any]:
    """How it began, and what came last."""
    first = queries.events_after(connection, 0, execution=execution_id, limit=EVENTS)
    if len(first) < EVENTS:
        return first
    newest = queries.newest_events(connection, execution_id, EVENTS)[::-1]
    return [*first, *(row for row in newest if row.id > first[-1].id)]


def _declared(
    connection: Connection, structures: Structures, execution: Any
) -> Mapping[str, StageDeclaration]:
    try:
        return {stage.name: stage for stage in structures.stages(connection, execution)}
    except BrokenStructureError:
        return {}  # what happened is told all the same
