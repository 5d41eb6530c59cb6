"""One stage execution further: rows and declaration in, moves out. Pure: no clock, no rows, no network.

The order of the questions is the policy: what went wrong first, then what a person asked for, then
what comes next. The caller applies all moves in one transaction with the outcomes that led to them.
"""

from collections.abc import Container, Mapping

from controlplane.declarations.model import ActionDeclaration
from controlplane.engine.bake import finish_bake, tell_failures
from controlplane.engine.signals import breach, rules_of
from controlplane.engine.view import (
    ActionMove,
    ActionView,
    Moves,
    StageView,
    deploys,
)
from controlplane.states import ActionStatus as A
from controlplane.states import StageStatus as S
from rollback.models import Cause, CauseKind

GONE_WRONG = frozenset({S.IN_PROGRESS, S.BAKING, S.STOPPING})


def decide(view: StageView, now: float) -> Moves:
    """The moves that are due in this stage at this time; none where there is nothing to do."""
    moves = Moves(view.id)
    if view.status not in GONE_WRONG:
        return moves
    by_name = latest(view)
    cause = trouble(view, by_name)
    if cause is not None or view.status is S.STOPPING:
        _wind_down(view, by_name, cause, moves)
    else:
        _go_on(view, by_name, now, moves)
    return moves


def trouble(view: StageView, by_name: Mapping[str, ActionView]) -> Cause | None:
    """What went wrong, or who asked to stop; None where all is well."""
    for action in by_name.values():
        if action.status == A.FAILED:
            known = any(deploys(d) for d in view.declared.actions if d.name == action.name)
            kind = CauseKind.FAILED_DEPLOY if known else CauseKind.FAILED_CHECK
            return Cause(kind, action.name, action.summary)
    bad = breach(rules_of(view, by_name))
    if bad is not None:
        return bad
    if view.stop == "rollback":
        return Cause(CauseKind.REQUESTED, "", "a person asked to roll back")
    if view.stop:
        return Cause(CauseKind.STOPPED, "", f"a person asked to stop ({view.stop})")
    return None


def latest(view: StageView) -> dict[str, ActionView]:
    """The last attempt of every action and rule, by name."""
    newest: dict[str, ActionView] = {}
    for action in view.actions:
        if action.name not in newest or newest[action.name].attempt < action.attempt:
            newest[action.name] = action
    return newest


def _wind_down(
    view: StageView, by_name: Mapping[str, ActionView], cause: Cause | None, moves: Moves
) -> None:
    """Start nothing more, wait for calls whose outcome is unknown, then end the stage."""
    moves.cause = cause
    waiting = False
    asks = {a.name for a in view.declared.actions if a.action_type_id.category == "Approval"}
    for action in by_name.values():
        if action.status == A.STARTING and action.kind == "action":
            waiting = True  # the call may be under way: its handle is needed to undo it
            if view.status is not S.STOPPING:
                moves.hurry.append(action.id)
        elif _ends_by_itself(action, asks) and view.stop == "wait":
            waiting = True
        elif action.status in (A.READY, A.STARTING, A.IN_PROGRESS):
            _abandon(action, moves)
    if waiting:
        moves.stage = S.STOPPING if view.status is not S.STOPPING else None
        if moves.stage is None and not moves.actions:
            moves.cause = None
        return
    stopped = cause is not None and cause.kind is CauseKind.STOPPED
    moves.stage = S.STOPPED if stopped else S.FAILED


def _ends_by_itself(action: ActionView, asks: Container[str]) -> bool:
    """True for work under way that is worth waiting for; an open approval may wait for a week."""
    return action.status == A.IN_PROGRESS and action.kind == "action" and action.name not in asks


def _abandon(action: ActionView, moves: Moves) -> None:
    moves.actions.append(
        ActionMove(action.id, action.kind, action.name, A(action.status), A.ABANDONED)
    )


def _go_on(view: StageView, by_name: Mapping[str, ActionView], now: float, moves: Moves) -> None:
    _watch_from_first_deploy(view, by_name, moves)
    tell_failures(view, by_name, moves)
    todo = _next_run_order(view, by_name)
    if todo is None:
        return  # something of this run order is still under way
    if todo:
        moves.create.extend(todo)
    elif view.status is S.IN_PROGRESS:
        moves.stage = S.BAKING if view.declared.rules() else S.SUCCEEDED
        _watch(view, by_name, moves)  # where nothing was deployed, they watch from here
    else:
        finish_bake(view, by_name, now, moves)


def _watch_from_first_deploy(
    view: StageView, by_name: Mapping[str, ActionView], moves: Moves
) -> None:
    """The rules watch from the first deployment's start, not only after it."""
    if view.since is not None:
        return
    begun = (A.IN_PROGRESS, A.SUCCEEDED)
    if any(
        deploys(d) and d.name in by_name and by_name[d.name].status in begun
        for d in view.declared.actions
    ):
        moves.deploying = True
        _watch(view, by_name, moves)


def _watch(view: StageView, by_name: Mapping[str, ActionView], moves: Moves) -> None:
    known = {*by_name, *(one.name for one in moves.create)}
    moves.create.extend(rule for rule in view.declared.rules() if rule.name not in known)


def _next_run_order(
    view: StageView, by_name: Mapping[str, ActionView]
) -> list[ActionDeclaration] | None:
    """The actions to start now; [] when all have succeeded; None while some are under way."""
    for group in view.declared.run_orders:
        missing = [action for action in group if action.name not in by_name]
        if missing:
            return missing
        if any(by_name[action.name].status != A.SUCCEEDED for action in group):
            return None
    return []
