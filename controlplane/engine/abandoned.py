"""What was begun and is nobody's any more is followed to its end, and the end is told.

A deployment that a person abandoned goes on at the vendor. Its action is over for its execution, but a row
of kind "abandoned" hangs on the same stage execution: under the action's own token and handle it is looked
at and nothing else, so it starts nothing, and no error ends it. It keeps neither the execution from ending
nor the next one from entering: whoever deploys to the same target waits there for its end, for vendors let
in one at a time, or the driver waits. Where a rollback takes the deployment away, that one follows it.
"""

from typing import Any

from controlplane import feedback
from controlplane.declarations.model import ActionDeclaration
from controlplane.engine import watching
from controlplane.engine.calls import BY_PERSON, NOT_STOPPED, PATIENCE, Result
from controlplane.engine.rows import ABANDONED, abandoned_row
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import ActionMove, Moves, StageView, deploys
from controlplane.states import ActionStatus as A
from controlplane.store import executions, ledger, queries

STOPPERS = frozenset(stopper for stopper, _ in feedback.WAY_BACK.values())
"""A stop that is given up half-way has the vendor's own rollback behind it."""


def follow(tx: Transaction, view: StageView, moves: Moves, row: Any, execution: Any) -> None:
    """Follow what this stage leaves behind under way; it ends in this transaction, and nothing goes back."""
    left = {move.id for move in moves.actions if _is_left(move)}
    by_name = {one.name: one for one in view.declared.actions}
    for action in queries.actions_of_stage(tx.connection, row.id):
        over = action.status == A.ABANDONED or action.id in left
        declared = by_name.get(action.name)
        if action.kind != "action" or not over or not action.handle or declared is None:
            continue
        if not deploys(declared) and declared.action_type_id.provider not in STOPPERS:
            continue
        tx.new_actions.append(abandoned_row(execution, action, tx.now))
        tx.fact(
            "abandoned.followed", execution, stage=row.stage, action=action.name,
            text=f"{action.handle} goes on, and is followed to its end", data={"handle": action.handle},
        )  # fmt: skip


def _is_left(move: ActionMove) -> bool:
    return move.kind == "action" and move.old == A.IN_PROGRESS and move.new is A.ABANDONED


def looked(tx: Transaction, result: Result, execution: Any) -> None:
    """Page where nobody can read how it stands, or where it failed and left a target half-way."""
    action = result.job.row
    if action.kind == "action" and result.status is A.ABANDONED:
        _may_go_on(tx, result, execution)
    if action.kind != ABANDONED:
        return
    what = f"{action.name}, which was abandoned as {action.handle},"
    stage = result.job.task.stage
    if result.status is A.IN_PROGRESS:
        # What is postponed counts as no failure: it says nothing that was not said.
        if result.job.row.failures < PATIENCE <= result.failures:
            text = f"{what} cannot be followed: {result.summary}"
            tx.fact("person.paged", execution, stage=stage, action=action.name, text=text)
        return
    watching.prolong(tx, action.stage_id, execution)
    if result.status is A.FAILED and not _is_seen_to(tx, action):
        text = (
            f"{what} failed, and nothing rolls it back: {result.summary}. Deploy what should stand there, "
            "or roll back"
        )
        tx.fact("person.paged", execution, stage=stage, action=action.name, text=text)


def _may_go_on(tx: Transaction, result: Result, execution: Any) -> None:
    """A start of which nobody knows how it went could not be undone, and no rollback comes to do it."""
    declared = result.job.declared
    if not isinstance(declared, ActionDeclaration) or not deploys(declared):
        return
    if execution.stop in BY_PERSON and NOT_STOPPED in result.summary:
        text = f"{result.job.row.name} may have begun to deploy, and nobody follows it: {result.summary}"
        stage = result.job.task.stage
        tx.fact("person.paged", execution, stage=stage, action=declared.name, text=text)


def _is_seen_to(tx: Transaction, action: Any) -> bool:
    """It was rolled back, or something newer was put on its target."""
    if executions.rollbacks_of(tx.connection, action.execution_id):
        return True
    entry = ledger.begun_under(tx.connection, action.stage_id, action.token)
    return entry is not None and bool(ledger.overtaken_by(tx.connection, entry))
