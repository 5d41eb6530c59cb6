"""A stage in which something went wrong ends: nothing more is started, nothing is forgotten. Pure."""

from collections.abc import Container, Mapping

from controlplane.declarations.wave_keys import is_gate
from controlplane.engine import on_failure, waves
from controlplane.engine.bake import tell_failures
from controlplane.engine.on_failure import OPEN, Follows
from controlplane.engine.view import ActionMove, ActionView, Moves, Said, StageView
from controlplane.feedback import goes_back
from controlplane.states import ActionStatus as A
from controlplane.states import StageStatus as S
from rollback.models import Cause, CauseKind

FAILURES = frozenset({CauseKind.FAILED_DEPLOY, CauseKind.FAILED_CHECK})
"""Causes that onFailure is about."""


def wind_down(
    view: StageView, by_name: Mapping[str, ActionView], cause: Cause | None, moves: Moves
) -> None:
    """Start nothing more, wait for calls whose outcome is unknown, then end the stage.

    Work under way is followed to its end, too, unless a rollback will stop it or a person gives it up.
    Where a person stops and waits, the signals go on as long as that, and a breach is one.
    Where an action failed and onFailure has conditions, they are asked before the end.
    """
    moves.cause = cause
    moves.deploying = view.since is None and bool(waves.deploying(view, by_name))
    failed = cause is not None and cause.kind in FAILURES
    after = on_failure.follows(view, by_name) if failed else None
    waiting = _close_actions(view, by_name, moves, followed=_is_followed(view, cause, after))
    if waiting and _is_waited_for(view, cause):
        waves.watch_from_first_deploy(view, by_name, moves)
        tell_failures(view, by_name, moves)
    else:
        _close_signals(by_name, moves)
    if failed and after is None and not waiting:
        moves.ask.extend(("failure", rule) for rule in on_failure.to_ask(view, by_name))
        waiting = True
    if not waiting:
        _end(by_name, cause, after, moves)
        return
    moves.stage = S.STOPPING if view.status is not S.STOPPING else None
    if moves.stage is None and not moves.actions:
        moves.cause = None


def _close_actions(
    view: StageView,
    by_name: Mapping[str, ActionView],
    moves: Moves,
    *,
    followed: bool,
) -> bool:
    """Give up what is under way, the signals aside; True where something of it must be waited for."""
    waiting = False
    asks = {
        a.name
        for a in view.declared.actions
        if a.action_type_id.category == "Approval" or is_gate(a)
    }
    for action in by_name.values():
        if action.status == A.STARTING and action.kind == "action":
            waiting = True  # the call may be under way: its handle is needed to undo it
            if view.status is not S.STOPPING:
                moves.hurry.append(action.id)
        elif followed and _ends_by_itself(action, asks):
            waiting = True
        elif action.status in OPEN and action.kind not in ("failure", "rule"):
            _abandon(action, moves)
    return waiting


def _close_signals(by_name: Mapping[str, ActionView], moves: Moves) -> None:
    for one in by_name.values():
        if one.kind == "rule" and one.status in OPEN:
            _abandon(one, moves)


def _end(
    by_name: Mapping[str, ActionView], cause: Cause | None, after: Follows | None, moves: Moves
) -> None:
    """All that is left is to say what follows."""
    if after is not None:
        moves.result = after.result
    if after is not None and after.why:
        moves.says.append(Said("stage.noted", after.why, after.page))
    moves.actions.extend(on_failure.close(by_name))
    stopped = cause is not None and cause.kind is CauseKind.STOPPED
    moves.stage = S.STOPPED if stopped else S.FAILED


def _is_followed(view: StageView, cause: Cause | None, after: Follows | None) -> bool:
    """True where nobody stops what is under way: neither a rollback nor a person who gives it up."""
    if cause is None or cause.kind is CauseKind.STOPPED:
        return view.stop == "wait"
    goes = goes_back(view.declared, cause, after.result if after else None)
    return view.stop != "abandon" and not goes


def _is_waited_for(view: StageView, cause: Cause | None) -> bool:
    """True where a person stops and waits, and nothing else is wrong."""
    return view.stop == "wait" and (cause is None or cause.kind is CauseKind.STOPPED)


def _ends_by_itself(action: ActionView, asks: Container[str]) -> bool:
    """True for work under way that is worth waiting for; an approval or a wave's bake may last for days."""
    return action.status == A.IN_PROGRESS and action.kind == "action" and action.name not in asks


def _abandon(action: ActionView, moves: Moves) -> None:
    moves.actions.append(
        ActionMove(action.id, action.kind, action.name, A(action.status), A.ABANDONED)
    )
