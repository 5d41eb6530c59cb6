"""Apply what `decide` wants: the one place where a stage's outcome becomes rows.

What follows from what is readable here from top to bottom; nothing hangs on callbacks.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from controlplane import feedback
from controlplane.declarations.model import ExecutionMode, Result
from controlplane.declarations.retries import retry_of
from controlplane.declarations.way_back import is_one_way
from controlplane.engine import abandoned, ids, retrying
from controlplane.engine.decide import decide, gone_wrong, latest
from controlplane.engine.entry import admit_all, enter
from controlplane.engine.going_back import named
from controlplane.engine.rows import action_row, stage_row
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import ActionView, Moves, StageView, deploys
from controlplane.engine.watching import WATCHED, begin, decided
from controlplane.engine.way_back import hold_way_in, page_for_what_was_put_back, reached
from controlplane.ledger import Fared
from controlplane.states import ExecutionStatus, StageStatus, check
from controlplane.store import actions, executions, ledger, locks, series
from rollback.decide import BY_ITSELF
from rollback.models import PAGES, ROLLS_BACK, Act, Cause, CauseKind

S, E = StageStatus, ExecutionStatus
STATUS = {str(status): status for status in S}
ENDS = frozenset({S.SUCCEEDED, S.FAILED, S.STOPPED})


def settle(tx: Transaction, stage_ids: Collection[str]) -> None:
    """Take these stage executions as far as they can go, and let others in where that made room.

    The caller has locked them (`store.locks`), before it read or wrote anything of theirs.
    """
    _settle_all(tx, stage_ids)
    _let_in(tx)
    while tx.to_settle:  # a retried stage may have nothing left to start in its first run order
        tx.flush()
        again, tx.to_settle = tx.to_settle, set()
        _settle_all(tx, again)
        _let_in(tx)


def _let_in(tx: Transaction) -> None:
    """Let others in; what a try that was turned away has left there is answered for before anybody enters."""
    while tx.given_up or tx.to_admit:
        if tx.given_up:
            _answer_for_tries(tx)
        admit_all(tx)


def _answer_for_tries(tx: Transaction) -> None:
    """Where no try comes any more, what is declared to follow them does."""
    tx.flush()
    ids, tx.given_up = tx.given_up, []
    for row in executions.stages(tx.connection, ids).values():
        locks.ways_in(tx.connection, [(row.pipeline, row.stage, False)])
        tx.to_admit[row.pipeline, row.stage] = False
        execution = executions.by_id(tx.connection, row.execution_id)
        before = retrying.before(tx, row)
        failed = actions.of_stages(tx.connection, [before.id])
        view = view_of(tx, before, execution, failed)
        cause = gone_wrong(view) or Cause(CauseKind.FAILED_CHECK, "", before.cause)
        if executions.is_occupied(tx.connection, row.pipeline, row.stage):
            said = f"{cause.reason}; it is not tried again, and another is in {row.stage} now"
            tx.fact("person.paged", execution, stage=row.stage, text=said)
            continue
        carried = actions.of_stages(tx.connection, [row.id])  # what the next try was to keep
        kept = [one for one in carried if one.kind == "action"]
        view = view._replace(actions=[*view.actions, *kept])
        close_the_loop(tx, view, cause, row, execution, retry_of(view.declared).after)


def _settle_all(tx: Transaction, stage_ids: Collection[str]) -> None:
    if stage_ids:
        rows = executions.stages(tx.connection, stage_ids)
        owners = executions.many(tx.connection, {row.execution_id for row in rows.values()})
        found: dict[str, list[Any]] = {stage_id: [] for stage_id in rows}
        for row in actions.of_stages(tx.connection, list(rows)):
            found[row.stage_id].append(row)
        for stage_id, row in rows.items():
            _settle_one(tx, row, owners[row.execution_id], found[stage_id])


def view_of(tx: Transaction, row: Any, execution: Any, found: Sequence[ActionView]) -> StageView:
    """A stage execution as deciding sees it; found: its action rows."""
    stages = tx.structures.stages(tx.connection, execution)
    declared = stages[0] if execution.plan else stages[row.position]
    return StageView(
        id=row.id,
        execution_id=row.execution_id,
        status=STATUS[row.status],
        stop=execution.stop,
        since=row.since,
        baking_since=row.baking_since,
        held=row.held,
        noted=row.noted,
        judged=row.judged,
        extended_until=row.extended_until,
        bake_until=row.bake_until,
        asked_at=row.asked_at,
        declared=declared,
        watch=row.watch,
        ended_at=row.ended_at,
        # Who is in has passed the gate, by an override past a rule that had failed for good.
        actions=[one for one in found if one.kind in ("action", "rule", "failure", "proof")],
        perseveres=execution.type == "ROLLBACK",
        **retrying.facts(tx, row, execution, declared, found),
    )


def _settle_one(tx: Transaction, row: Any, execution: Any, found: Sequence[Any]) -> None:
    if row.status == S.INBOUND:  # a rule of the gate has said something
        tx.at_gate.add(row.id)
        tx.to_admit.setdefault((row.pipeline, row.stage), False)
        return
    view = view_of(tx, row, execution, found)
    if row.watch in WATCHED:
        moves = decided(tx, view, row, execution, found)
        _apply_actions(tx, moves, row, execution)
        _say(tx, moves, row, execution)
        if moves.cause is not None:
            close_the_loop(tx, view, moves.cause, row, execution)
        return
    moves = decide(view, tx.now)
    _apply_actions(tx, moves, row, execution)
    _say(tx, moves, row, execution)
    if moves.stage is not None:
        _move_stage(tx, moves.stage, row, execution, moves.cause)
        _page_early(tx, view, moves, execution)
    if moves.stage in ENDS:
        _end_stage(tx, view, moves, row, execution)


def _apply_actions(tx: Transaction, moves: Moves, row: Any, execution: Any) -> None:
    if moves.deploying:
        executions.update_stage(tx.connection, row.id, since=tx.now)
    for declared in moves.create:
        tx.new_actions.append(action_row(execution, row.id, declared, tx.now, row.attempt))
    for action_id in moves.hurry:
        actions.wake(tx.connection, action_id, tx.now)
    for kind, rule in moves.ask:
        asked = action_row(execution, row.id, rule, tx.now, row.attempt, kind=kind)
        tx.new_actions.append(asked)
    for move in moves.actions:
        check(move.old, move.new)
        if seen := tx.judged.pop(move.id, None):
            series.keep(tx.connection, move.id, tx.now, seen)
        tx.action_moves.append(
            {"b_id": move.id, "b_old": move.old, "status": move.new, "ended_at": tx.now}
        )
        tx.fact(
            f"{move.kind}.{move.new.lower()}",
            execution, stage=row.stage, action=move.name, text=move.summary,
        )  # fmt: skip


def _say(tx: Transaction, moves: Moves, row: Any, execution: Any) -> None:
    """What deciding wants to remember of the stage, and to tell."""
    if moves.stage in ENDS and row.held:
        moves.mark["held"] = ""  # it has ended: nothing holds it any more
    if moves.mark:
        executions.update_stage(tx.connection, row.id, **moves.mark)
    for said in moves.says:
        tx.fact(said.kind, execution, stage=row.stage, text=said.text)
        if said.page:
            tx.fact("person.paged", execution, stage=row.stage, text=said.text)


def _move_stage(
    tx: Transaction, new: StageStatus, row: Any, execution: Any, cause: Cause | None
) -> None:
    check(StageStatus(row.status), new)
    over = new in ENDS
    tx.stage_moves.append(
        {
            "b_id": row.id,
            "b_old": row.status,
            "status": new,
            "locked": bool(row.locked) and not over,
            "cause": cause.reason[:2000] if cause else row.cause,
            "b_baking": tx.now if new is S.BAKING else None,
            "b_entered": None,
            "ended_at": tx.now if over else None,
        }
    )
    text = f"{cause.kind}: {cause.reason}" if cause else ""
    data = {"cause": cause.kind, "by": cause.by} if cause else {}
    tx.fact(f"stage.{new.lower()}", execution, stage=row.stage, text=text, data=data)


def _page_early(tx: Transaction, view: StageView, moves: Moves, execution: Any) -> None:
    """Where only a person can help, nobody waits for what is still under way to say so."""
    cause = moves.cause
    helpless = any(map(is_one_way, view.declared.actions))
    if moves.stage is S.STOPPING and cause and cause.kind in BY_ITSELF and helpless:
        said = f"{cause.reason}; what is still under way in {view.declared.name} is followed to its end"
        tx.fact("person.paged", execution, stage=view.declared.name, text=said)


def _end_stage(tx: Transaction, view: StageView, moves: Moves, row: Any, execution: Any) -> None:
    tx.to_admit[row.pipeline, row.stage] = False
    if moves.stage is S.SUCCEEDED:
        _succeed(tx, view, row, execution)
        return
    cause = moves.cause
    if cause is None:
        raise RuntimeError(f"stage {row.id} ended as {moves.stage} without a cause")
    if moves.result is Result.RETRY:
        retrying.try_again(tx, view, row, execution, cause)
        return
    ended = E.STOPPED if cause.kind is CauseKind.STOPPED else E.FAILED
    if moves.stage is S.STOPPED and (view.since is not None or moves.deploying):
        begin(tx, view, moves.stage, row, execution)
    end_execution(tx, execution, ended, f"{row.stage}: {cause.reason}")
    act = close_the_loop(tx, view, cause, row, execution, moves.result)
    if act not in ROLLS_BACK:
        abandoned.follow(tx, view, moves, row, execution)


def _succeed(tx: Transaction, view: StageView, row: Any, execution: Any) -> None:
    if any(deploys(declared) for declared in view.declared.actions):
        good = [action.id for action in latest(view).values() if action.kind == "action"]
        ledger.fared(tx.connection, good, Fared.GOOD, tx.now)
    begin(tx, view, S.SUCCEEDED, row, execution)
    stages = tx.structures.stages(tx.connection, execution)
    position = row.position + 1
    if execution.plan:
        page_for_what_was_put_back(tx, view, row.stage, execution)
    if execution.plan or position >= len(stages):
        end_execution(tx, execution, E.SUCCEEDED, "")
        return
    tx.new_stages.append(stage_row(execution, position, stages[position].name))
    tx.to_admit[row.pipeline, stages[position].name] = False


def end_execution(tx: Transaction, execution: Any, status: ExecutionStatus, reason: str) -> None:
    """Move an execution to an end; a ROLLBACK execution's own state ends with it."""
    old = E(execution.status)
    check(old, status)
    tx.execution_moves.append(
        {
            "b_id": execution.id,
            "b_old": old,
            "status": status,
            "reason": reason[:2000],
            "ended_at": tx.now,
        }
    )
    tx.fact(f"execution.{status.lower()}", execution, text=reason)
    if execution.type == "ROLLBACK":
        state = "done" if status is E.SUCCEEDED else "failed"
        executions.update_execution(tx.connection, execution.id, rollback_state=state)
        tx.fact(f"rollback.{state}", execution, text=reason or reached(tx, execution))


def close_the_loop(
    tx: Transaction,
    view: StageView,
    cause: Cause,
    row: Any,
    execution: Any,
    result: Result | None = None,
) -> Act:
    """Decide what follows from a stage that ended badly, write it, and answer what it was."""
    failure = feedback.Failure(
        execution=execution,
        stage_name=row.stage,
        declared=view.declared,
        cause=cause,
        action_ids=[action.id for action in view.actions if action.kind == "action"],
        result=result,
        to=named(execution, row.stage),
    )
    response = feedback.respond(tx.connection, failure, tx.now)
    reason = response.decision.reason
    for digest in response.quarantined:
        tx.fact(
            "digest.quarantined", execution, stage=row.stage,
            text=f"{digest} goes nowhere until a person lifts it: {reason}",
            data={"digest": digest},
        )  # fmt: skip
    if response.held:
        tx.fact("transition.disabled", execution, stage=row.stage, text=f"held: {reason}")
    if response.decision.tripped:
        hold_way_in(tx, execution, row.stage, reason)
    if response.decision.act in PAGES:
        tx.fact("person.paged", execution, stage=row.stage, text=reason)
    if response.stage is not None:
        start_rollback(tx, execution, row, response.stage, cause, reason)
    return response.decision.act


def start_rollback(
    tx: Transaction, execution: Any, row: Any, stage: Any, cause: Cause, reason: str
) -> None:
    """A ROLLBACK execution takes over the stage in the transaction in which the bad one left it.

    Where it had left before, a person asked: as often as it takes, and the stage is locked anew.
    """
    finished = row.ended_at is not None
    tx.flush()  # the bad execution leaves its lock first
    new: Mapping[str, Any] = {
        "id": ids.execution_id(tx.now),
        "pipeline": execution.pipeline,
        "version": execution.version,
        "type": "ROLLBACK",
        "status": E.IN_PROGRESS,
        "stop": "",
        "digest": _goal(stage),
        "trigger": json.dumps({"type": _trigger(cause), "detail": reason[:500]}),
        "revisions": "{}",
        "plan": stage.model_dump_json(by_alias=True, exclude_none=True),
        "rolls_back": execution.id,
        "restores": execution.restores if named(execution, row.stage) else "",
        "rollback_state": "requested",
        "dedupe": None if finished else f"rollback:{row.id}",
        "reason": "",
        "started_at": tx.now,
    }
    rollback = executions.add(tx.connection, new)
    if rollback is None:
        return
    tx.fact(
        "rollback.requested", rollback, stage=row.stage,
        text=f"{row.stage} {_aim(stage)}: {reason}",
        data={"rollsBack": execution.id},
    )  # fmt: skip
    waiting = stage_row(rollback, row.position, row.stage)
    waiting["drill"] = execution.type == "DRILL"
    executions.add_stages(tx.connection, [waiting])
    locked = _takes_turns(tx, execution) if finished else bool(row.locked)
    enter(tx, rollback, waiting["id"], row.stage, stage, locked=locked)


def _trigger(cause: Cause) -> str:
    return "ManualRollback" if cause.kind is CauseKind.REQUESTED else "AutomatedRollback"


def _takes_turns(tx: Transaction, execution: Any) -> bool:
    declared = tx.structures.pipeline(tx.connection, execution.pipeline, execution.version)
    return declared.execution_mode is not ExecutionMode.PARALLEL


def _aim(stage: Any) -> str:
    goal = _goal(stage)
    return f"goes back to {goal}" if goal else "is stopped where it is, with no way back"


def _goal(stage: Any) -> str:
    found = (action.configuration.get("RevisionDigest", "") for action in stage.actions)
    return next((digest for digest in found if digest), "")
