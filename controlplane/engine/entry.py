"""Entering stages: who waits in front of which, who may go in, and the first rows of those who do."""

from typing import Any, NamedTuple

from controlplane.declarations.model import ExecutionMode, StageDeclaration
from controlplane.declarations.wave_keys import most_in_flight
from controlplane.engine import gate
from controlplane.engine.admit import Waiting, admit
from controlplane.engine.carried import in_quarantine
from controlplane.engine.gate import Way
from controlplane.engine.rows import AUTOMATIC, action_row, stage_row
from controlplane.engine.structures import BrokenStructureError
from controlplane.engine.transaction import Transaction
from controlplane.states import ExecutionStatus, StageStatus, check
from controlplane.store import executions, locks

E = ExecutionStatus


class Place(NamedTuple):
    """A stage execution in front of its stage, as its own row says it."""

    id: str
    pipeline: str
    stage: str
    position: int
    attempt: int
    held: str
    retried: str


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
    version = tx.version(pipeline)
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
    held = {row.stage_id: _in_quarantine(tx, row) for row in inbound}
    result = admit(
        declared.execution_mode,
        [Waiting(row.stage_id, row.id, held[row.stage_id]) for row in inbound],
        occupied=inbound[0].occupied,
        closed=inbound[0].closed,
        quarantine=frozenset(digest for digest in held.values() if digest),
    )
    if not inbound[0].frozen:
        tx.no_freezes()
    owners = {row.stage_id: row for row in inbound}
    given_up = len(tx.given_up)
    for waiting in result.quarantined:
        why = f"{waiting.digest} is in quarantine; a person must lift it with a reason"
        owner = owners[waiting.stage_id]
        _turn_away(tx, owner, _place(owner), E.FAILED, why)
    for waiting, newer in result.superseded:
        owner = owners[waiting.stage_id]
        _turn_away(tx, owner, _place(owner), E.SUPERSEDED, f"overtaken by {newer.execution_id}")
    if len(tx.given_up) > given_up:
        return  # what he left there is answered for first; then who waits is looked at again
    locked = declared.execution_mode is not ExecutionMode.PARALLEL
    for waiting in result.enter:
        owner = owners[waiting.stage_id]
        if locked or opened or not owner.held or owner.stage_id in tx.at_gate:
            _at_the_gate(tx, owner, _place(owner), locked=locked)
        # Many may stand at the gates of a PARALLEL pipeline: who was not spoken of waits on.


def _in_quarantine(tx: Transaction, row: Any) -> str:
    """The digest that keeps an execution out; where it deploys several, what is still to be deployed counts."""
    if not row.plan and row.type == "STANDARD" and _is_of_several(tx, row):
        return in_quarantine(tx.connection, tx.structures, row, row.position)
    return row.digest if row.quarantined else ""


def _is_of_several(tx: Transaction, row: Any) -> bool:
    try:
        return len(tx.structures.subject(tx.connection, row).names) > 1
    except BrokenStructureError:
        return False


def _place(row: Any) -> Place:
    return Place(
        row.stage_id, row.pipeline, row.stage, row.position, row.attempt, row.held, row.retried
    )


def _at_the_gate(tx: Transaction, execution: Any, place: Place, *, locked: bool) -> None:
    """He is next: in, or on waiting, or turned away, as the gate's rules say."""
    stages = tx.structures.stages(tx.connection, execution)
    declared = stages[0] if execution.plan else stages[place.position]
    way, why = gate.stand(tx, execution, place, declared)
    if way is Way.OPEN:
        enter(tx, execution, place.id, place.stage, declared, locked=locked)
        if place.id not in tx.to_settle:
            tx.entered[place.id] = execution  # whoever claims his first actions need not ask again
    elif way is Way.FAIL:
        _turn_away(tx, execution, place, E.FAILED, why, StageStatus.FAILED)
    elif way is Way.SKIP and place.retried == AUTOMATIC:
        said = f"{why}; it is not skipped, for an earlier try of it failed"
        _turn_away(tx, execution, place, E.FAILED, said, StageStatus.FAILED)
    elif way is Way.SKIP:
        _skip(tx, execution, place, why)


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
    _turn_away(tx, execution, row, E.STOPPED, "stopped while waiting")


def _turn_away(
    tx: Transaction,
    execution: Any,
    row: Any,
    status: ExecutionStatus,
    reason: str,
    stage: StageStatus = StageStatus.CANCELLED,
) -> None:
    """End an execution in front of a stage. row: a Place, or the stage execution itself.

    Of a try, what the one before it deployed stands there still: `settle` answers for that.
    """
    check(E(execution.status), status)
    _leave_stage(tx, execution, row, reason, stage)
    _end(tx, execution, status, f"{row.stage}: {reason}")
    if row.retried == AUTOMATIC:
        tx.given_up.append(row.id)
    elif stage is StageStatus.FAILED or status is E.STOPPED:
        tx.to_admit[row.pipeline, row.stage] = False  # he stood at the gate, others behind him


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
