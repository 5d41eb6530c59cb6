"""What a person asks for outside the ordinary course: retry a stage, judge a bake, roll back what is done."""

from typing import Any

from controlplane.engine import retrying
from controlplane.engine.bake import why_not_judged
from controlplane.engine.carried import in_quarantine
from controlplane.engine.decide import holds_a_wave
from controlplane.engine.going_back import name_target
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.rows import MANUAL
from controlplane.engine.settle import close_the_loop, settle, view_of
from controlplane.engine.transaction import Transaction
from controlplane.states import ExecutionStatus, StageStatus, check
from controlplane.store import executions, locks, queries
from rollback.models import ROLLS_BACK, Act, Cause, CauseKind

NO_WAY_BACK = {
    Act.NOTHING: "{} left no deployment in {} that could be rolled back",
    Act.HOLD_AND_PAGE: "{} cannot be rolled back in {}: there is no last known good to go back to. "
    "Close the way in (towpath hold) or deploy a release that is good",
}


def retry_stage(tx: Transaction, execution: Any, stage: str, by: str, *, all_actions: bool) -> None:
    """Queue the execution's failed stage again, as a new attempt; what had succeeded is carried over."""
    locks.ways_in(tx.connection, [(execution.pipeline, stage, False)])  # who else goes in waits
    row = _retryable(tx, execution, stage)
    check(ExecutionStatus(execution.status), ExecutionStatus.IN_PROGRESS)
    executions.update_execution(tx.connection, execution.id, stop="", restores="")  # of the old try
    tx.execution_moves.append(
        {
            "b_id": execution.id,
            "b_old": execution.status,
            "status": ExecutionStatus.IN_PROGRESS,
            "reason": "",
            "ended_at": None,
        }
    )
    retrying.add_attempt(tx, row, execution, MANUAL, all_actions=all_actions)
    tx.fact("stage.retried", execution, stage=stage, text=f"by {by}")
    tx.to_admit[row.pipeline, stage] = False
    settle(tx, ())


def _retryable(tx: Transaction, execution: Any, stage: str) -> Any:
    rows = executions.of_execution(tx.connection, execution.id)
    row = rows[-1]
    held = in_quarantine(tx.connection, tx.structures, execution, row.position)
    refusals = (
        (execution.type == "ROLLBACK", "a rollback is not retried; ask for a new rollback"),
        (execution.type == "DRILL", "a drill is not retried; ask for a new drill"),
        (execution.status != ExecutionStatus.FAILED, f"it is {execution.status}, not Failed"),
        (row.stage != stage, f"its last stage is {row.stage}, not {stage}"),
        (row.status != StageStatus.FAILED, f"stage {stage} is {row.status}, not Failed"),
        (retrying.goes_back_now(tx, execution), "it is being rolled back"),
        (bool(held), f"{held} is in quarantine; lift it with a reason first"),
        (
            queries.newer_in_stage(tx.connection, row.pipeline, stage, execution.id),
            f"a newer execution has entered {stage} since",
        ),
    )
    for refused, why in refusals:
        if refused:
            raise CommandError(Problem.CONFLICT, f"{execution.id} cannot be retried: {why}")
    return row


def judge_bake(
    tx: Transaction, execution: Any, stage: str, by: Person, *, passes: bool, reason: str
) -> None:
    """Say what no signal could say. Whatever breaches in the same moment is stronger."""
    rows = executions.of_execution(tx.connection, execution.id)
    row = next((one for one in reversed(rows) if one.stage == stage), None)
    if row is None:
        raise CommandError(Problem.UNKNOWN, f"{execution.id} was never in a stage {stage!r}")
    view = view_of(tx, row, execution, queries.actions_of_stage(tx.connection, row.id))
    refused = "" if holds_a_wave(view, tx.now) else why_not_judged(view, tx.now)
    if refused:
        raise CommandError(Problem.CONFLICT, f"{stage} of {execution.id} is not judged: {refused}")
    if passes:
        executions.update_stage(tx.connection, row.id, judged=f"{by.name}: {reason}"[:1000])
    else:
        executions.update_execution(tx.connection, execution.id, stop="rollback")
    said = "lets it pass" if passes else "rolls it back"
    tx.fact("stage.judged", execution, stage=stage, text=f"{by.name} ({by.door}) {said}: {reason}")
    settle(tx, [row.id])


def roll_back_finished(
    tx: Transaction, pipeline: str, stage: str, by: str, reason: str, to: str
) -> str:
    """Roll back what stands in a stage where nothing runs; answers the execution that goes bad."""
    row, stands = _what_stands(tx, pipeline, stage)
    name_target(tx, stands, row, to)
    execution: Any = executions.by_id(tx.connection, stands.id)  # with what was named
    view = view_of(tx, row, execution, queries.actions_of_stage(tx.connection, row.id))
    cause = Cause(CauseKind.REQUESTED, by, f"asked for by {by}: {reason}")
    act = close_the_loop(tx, view, cause, row, execution)
    if act not in ROLLS_BACK:  # raising takes back what was written: nothing is half done
        raise CommandError(Problem.CONFLICT, NO_WAY_BACK[act].format(execution.id, stage))
    return str(execution.id)


def _what_stands(tx: Transaction, pipeline: str, stage: str) -> tuple[Any, Any]:
    """Find who deployed last, and its row; behind a rollback that failed, still the bad one is."""
    row = queries.last_in_stage(tx.connection, pipeline, stage)
    if row is None:
        raise CommandError(Problem.CONFLICT, f"nothing was ever deployed by {pipeline} in {stage}")
    execution: Any = executions.by_id(tx.connection, row.execution_id)
    if execution.type != "ROLLBACK":
        return row, execution
    if execution.status == ExecutionStatus.SUCCEEDED:
        raise CommandError(
            Problem.CONFLICT,
            f"the last that went through {stage} was itself a rollback; start an execution instead",
        )
    rows = executions.of_execution(tx.connection, execution.rolls_back)
    row = next(r for r in reversed(rows) if r.stage == stage)
    return row, executions.by_id(tx.connection, execution.rolls_back)
