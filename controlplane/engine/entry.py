"""Entering stages: who waits in front of which, who may go in, and the first rows of those who do."""

from typing import Any

from controlplane.declarations.model import ExecutionMode, StageDeclaration
from controlplane.engine import gate
from controlplane.engine.admit import Waiting, admit
from controlplane.engine.gate import Way
from controlplane.engine.rows import action_row, stage_row
from controlplane.engine.structures import BrokenStructureError
from controlplane.engine.transaction import Transaction
from controlplane.states import ExecutionStatus, StageStatus, check
from controlplane.store import executions, ledger, locks, pipelines

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
        for (pipeline, stage), opened in changed.items():
            _admit(tx, pipeline, stage, opened=opened)
            tx.flush()


def _takes_all(tx: Transaction, pipeline: str) -> bool:
    """Whoever arrives goes in, and keeps nobody else out."""
    version = pipelines.version(tx.connection, pipeline)
    if version is None:
        return False
    try:
        declared = tx.structures.pipeline(tx.connection, pipeline, version)
    except BrokenStructureError:
        return False  # what runs by an older version goes on, one after another
    return declared.execution_mode is ExecutionMode.PARALLEL


def _admit(tx: Transaction, pipeline: str, stage: str, *, opened: bool) -> None:
    inbound = executions.inbound(tx.connection, pipeline, stage)
    if not inbound:
        return
    newest = max(inbound, key=lambda row: row.version)
    declared = tx.structures.pipeline(tx.connection, pipeline, newest.version)
    result = admit(
        declared.execution_mode,
        [Waiting(row.id, row.execution_id, row.digest) for row in inbound],
        occupied=executions.is_occupied(tx.connection, pipeline, stage),
        closed=ledger.transition(tx.connection, pipeline, stage) is not None,
        quarantine=ledger.quarantined(tx.connection, {row.digest for row in inbound}),
    )
    rows = {row.id: row for row in inbound}
    moved = [*result.quarantined, *(old for old, _ in result.superseded), *result.enter]
    owners = executions.many(tx.connection, {waiting.execution_id for waiting in moved})
    for waiting in result.quarantined:
        why = f"{waiting.digest} is in quarantine; a person must lift it with a reason"
        _turn_away(tx, owners[waiting.execution_id], rows[waiting.stage_id], E.FAILED, why)
    for waiting, newer in result.superseded:
        why = f"overtaken by {newer.execution_id}"
        _turn_away(tx, owners[waiting.execution_id], rows[waiting.stage_id], E.SUPERSEDED, why)
    locked = declared.execution_mode is not ExecutionMode.PARALLEL
    for waiting in result.enter:
        row = rows[waiting.stage_id]
        if locked or opened or not row.held or row.id in tx.at_gate:
            _at_the_gate(tx, owners[waiting.execution_id], row, locked=locked)
        # Many may stand at the gates of a PARALLEL pipeline: who was not spoken of waits on.


def _at_the_gate(tx: Transaction, execution: Any, row: Any, *, locked: bool) -> None:
    """He is next: in, or on waiting, or turned away, as the gate's rules say."""
    stages = tx.structures.stages(tx.connection, execution)
    declared = stages[0] if execution.plan else stages[row.position]
    way, why = gate.stand(tx, execution, row, declared)
    if way is Way.OPEN:
        enter(tx, execution, row.id, row.stage, declared, locked=locked)
    elif way is Way.FAIL:
        _turn_away(tx, execution, row, E.FAILED, why, StageStatus.FAILED)
        tx.to_admit[row.pipeline, row.stage] = False  # whoever waits behind is next
    elif way is Way.SKIP:
        _skip(tx, execution, row, why)


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
    if attempt > 1:
        tx.to_settle.add(stage_id)  # what an earlier attempt did is carried over: deciding sees it
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
    _turn_away(tx, execution, row, E.STOPPED, "stopped while waiting")
    tx.to_admit[row.pipeline, row.stage] = False  # he may have stood at the gate, others behind him


def _turn_away(
    tx: Transaction,
    execution: Any,
    row: Any,
    status: ExecutionStatus,
    reason: str,
    stage: StageStatus = StageStatus.CANCELLED,
) -> None:
    """End an execution in front of a stage."""
    check(E(execution.status), status)
    _leave_stage(tx, execution, row, reason, stage)
    _end(tx, execution, status, f"{row.stage}: {reason}")


def _skip(tx: Transaction, execution: Any, row: Any, reason: str) -> None:
    """Go on behind the stage: a rule says that this one is not for it."""
    _leave_stage(tx, execution, row, reason, StageStatus.SKIPPED)
    tx.to_admit[row.pipeline, row.stage] = False
    stages, position = tx.structures.stages(tx.connection, execution), row.position + 1
    if position < len(stages):
        tx.new_stages.append(stage_row(execution, position, stages[position].name))
        tx.to_admit[row.pipeline, stages[position].name] = False
    else:
        check(E(execution.status), E.SUCCEEDED)
        _end(tx, execution, E.SUCCEEDED, "")


def _leave_stage(
    tx: Transaction, execution: Any, row: Any, reason: str, status: StageStatus
) -> None:
    check(StageStatus.INBOUND, status)
    gate.leave(tx, execution, row)
    tx.stage_moves.append(
        {
            "b_id": row.id,
            "b_old": StageStatus.INBOUND,
            "status": status,
            "locked": False,
            "cause": f"{row.stage}: {reason}",
            "b_baking": None,
            "b_entered": None,
            "ended_at": tx.now,
        }
    )
    tx.fact(f"stage.{status.lower()}", execution, stage=row.stage, text=reason)


def _end(tx: Transaction, execution: Any, status: ExecutionStatus, reason: str) -> None:
    tx.execution_moves.append(
        {
            "b_id": execution.id,
            "b_old": execution.status,
            "status": status,
            "reason": reason,
            "ended_at": tx.now,
        }
    )
    tx.fact(f"execution.{status.lower()}", execution, text=reason)
