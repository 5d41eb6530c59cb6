"""Entering stages: who waits in front of which, who may go in, and the first rows of those who do."""

from typing import Any

from controlplane.declarations.model import ExecutionMode, StageDeclaration
from controlplane.declarations.wave_keys import most_in_flight
from controlplane.engine.admit import Waiting, admit
from controlplane.engine.rows import action_row
from controlplane.engine.structures import BrokenStructureError
from controlplane.engine.transaction import Transaction
from controlplane.states import ExecutionStatus, StageStatus, check
from controlplane.store import executions, locks

E = ExecutionStatus


def admit_all(tx: Transaction) -> None:
    """Let executions into every stage where something changed. Flushes what was collected."""
    while tx.to_admit:
        tx.flush()
        changed, tx.to_admit = tx.to_admit, {}
        locks.ways_in(
            tx.connection,
            [(*way, not opened and _takes_all(tx, way[0])) for way, opened in changed.items()],
        )
        for pipeline, stage in changed:
            _admit(tx, pipeline, stage)
            tx.flush()


def _takes_all(tx: Transaction, pipeline: str) -> bool:
    """Whoever arrives goes in, and keeps nobody else out."""
    version = tx.version(pipeline)
    if version is None:
        return False
    try:
        declared = tx.structures.pipeline(tx.connection, pipeline, version)
    except BrokenStructureError:
        return False  # what runs by an older version goes on, one after another
    return declared.execution_mode is ExecutionMode.PARALLEL


def _admit(tx: Transaction, pipeline: str, stage: str) -> None:
    inbound = executions.inbound(tx.connection, pipeline, stage)
    if not inbound:
        return
    newest = max(inbound, key=lambda row: row.version)
    declared = tx.structures.pipeline(tx.connection, pipeline, newest.version)
    result = admit(
        declared.execution_mode,
        [Waiting(row.stage_id, row.id, row.digest) for row in inbound],
        occupied=inbound[0].occupied,
        closed=inbound[0].closed,
        quarantine=frozenset(row.digest for row in inbound if row.quarantined),
    )
    owners = {row.stage_id: row for row in inbound}
    for waiting in result.quarantined:
        why = f"{waiting.digest} is in quarantine; a person must lift it with a reason"
        _turn_away(tx, owners[waiting.stage_id], waiting.stage_id, stage, E.FAILED, why)
    for waiting, newer in result.superseded:
        why = f"overtaken by {newer.execution_id}"
        _turn_away(tx, owners[waiting.stage_id], waiting.stage_id, stage, E.SUPERSEDED, why)
    locked = declared.execution_mode is not ExecutionMode.PARALLEL
    for waiting in result.enter:
        execution = owners[waiting.stage_id]
        stages = tx.structures.stages(tx.connection, execution)
        own = stages[0] if execution.plan else stages[execution.position]
        enter(tx, execution, waiting.stage_id, stage, own, locked=locked)


def enter(
    tx: Transaction,
    execution: Any,
    stage_id: str,
    name: str,
    stage: StageDeclaration,
    *,
    locked: bool,
) -> None:
    """Move in, with the first run order due now."""
    check(StageStatus.INBOUND, StageStatus.IN_PROGRESS)
    tx.stage_moves.append(
        {
            "b_id": stage_id,
            "b_old": StageStatus.INBOUND,
            "status": StageStatus.IN_PROGRESS,
            "locked": locked,
            "cause": "",
            "b_baking": None,
            "b_entered": tx.now,
            "ended_at": None,
        }
    )
    attempt = int(stage_id.rsplit(":", 1)[1])
    if attempt > 1 or any(most_in_flight(action) for action in stage.actions):
        # What an earlier attempt did is carried over, and a wave may be larger than what may run.
        tx.to_settle.add(stage_id)
    else:
        first = min(action.run_order for action in stage.actions)
        tx.new_actions.extend(
            action_row(execution, stage_id, action, tx.now)
            for action in stage.actions
            if action.run_order == first
        )
    tx.fact("stage.entered", execution, stage=name)


def leave(tx: Transaction, execution: Any, row: Any) -> None:
    """A person stopped an execution that waits in front of a stage."""
    _turn_away(tx, execution, row.id, row.stage, E.STOPPED, "stopped while waiting")


def _turn_away(
    tx: Transaction, execution: Any, stage_id: str, stage: str, status: ExecutionStatus, reason: str
) -> None:
    check(E(execution.status), status)
    why = f"{stage}: {reason}"
    tx.stage_moves.append(
        {
            "b_id": stage_id,
            "b_old": StageStatus.INBOUND,
            "status": StageStatus.CANCELLED,
            "locked": False,
            "cause": why,
            "b_baking": None,
            "b_entered": None,
            "ended_at": tx.now,
        }
    )
    tx.execution_moves.append(
        {
            "b_id": execution.id,
            "b_old": execution.status,
            "status": status,
            "reason": why,
            "ended_at": tx.now,
        }
    )
    tx.fact("stage.cancelled", execution, stage=stage, text=reason)
    tx.fact(f"execution.{status.lower()}", execution, text=why)
