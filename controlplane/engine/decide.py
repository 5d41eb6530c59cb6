"""One stage execution further: rows and declaration in, moves out. Pure: no clock, no rows, no network.

The order of the questions is the policy: what went wrong first, then what a person asked for, then
what comes next. The caller applies all moves in one transaction with the outcomes that led to them.
"""

from collections.abc import Mapping

from controlplane.declarations.model import ActionDeclaration
from controlplane.engine import persevering, proofs, waves
from controlplane.engine.bake import finish_bake, hold_wave, tell_failures
from controlplane.engine.signals import breach
from controlplane.engine.view import (
    ActionView,
    Moves,
    Said,
    StageView,
    deploys,
)
from controlplane.engine.winding_down import wind_down
from controlplane.feedback import goes_back
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
    perseveres = cause is not None and persevering.goes_on(view, by_name)
    if perseveres and cause is not None and view.status is not S.STOPPING:
        _persevere(view, by_name, cause, now, moves)
    elif cause is not None or view.status is S.STOPPING:
        wind_down(view, by_name, cause, moves)
    else:
        _go_on(view, by_name, now, moves)
    return moves


def _persevere(
    view: StageView, by_name: Mapping[str, ActionView], cause: Cause, now: float, moves: Moves
) -> None:
    """A part of a rollback failed: say so once, and go on with the rest."""
    said = f"{cause.by} failed, the rest of the rollback goes on: {cause.reason}"
    if said != view.noted:
        moves.mark["noted"] = said
        moves.says.append(Said("stage.noted", said, page=True))
    _go_on(view, by_name, now, moves)


def trouble(view: StageView, by_name: Mapping[str, ActionView]) -> Cause | None:
    """What went wrong, or who asked to stop; None where all is well.

    A failed action that leads to no rollback by itself takes it from nobody: not from a bad signal, and not
    from a person who asked for it.
    """
    bad = gone_wrong(view, by_name)
    if view.stop == "rollback" and (bad is None or not goes_back(view.declared, bad)):
        why = f"; before, {bad.by} failed: {bad.reason}" if bad else ""
        return Cause(CauseKind.REQUESTED, "", f"a person asked to roll back{why}")
    if bad is None and view.stop:
        return Cause(CauseKind.STOPPED, "", f"a person asked to stop ({view.stop})")
    return bad


def gone_wrong(view: StageView, by_name: Mapping[str, ActionView] | None = None) -> Cause | None:
    """What went wrong by itself. by_name: the last attempt of everything, where that is known already."""
    by_name = latest(view) if by_name is None else by_name
    failed, broken = _failed(view, by_name), breach(view.declared, by_name)
    if failed is None or (broken is not None and not goes_back(view.declared, failed)):
        return broken
    return failed


def _failed(view: StageView, by_name: Mapping[str, ActionView]) -> Cause | None:
    for action in by_name.values():
        if action.status == A.FAILED and action.kind not in {"failure", "proof"}:
            known = any(deploys(d) for d in view.declared.actions if d.name == action.name)
            kind = CauseKind.FAILED_DEPLOY if known else CauseKind.FAILED_CHECK
            return Cause(kind, action.name, action.summary)
    return None


def latest(view: StageView) -> dict[str, ActionView]:
    """The last attempt of every action and rule, by name."""
    newest: dict[str, ActionView] = {}
    for action in view.actions:
        if action.name not in newest or newest[action.name].attempt < action.attempt:
            newest[action.name] = action
    return newest


def _go_on(view: StageView, by_name: Mapping[str, ActionView], now: float, moves: Moves) -> None:
    waves.watch_from_first_deploy(view, by_name, moves)
    tell_failures(view, by_name, moves)
    todo = _next_run_order(view, by_name)
    if todo is None:
        return  # something of this run order is still under way
    if todo and not view.judged and (bad := waves.not_well(view, by_name, todo, now)):
        hold_wave(view, bad, moves)
    elif todo:
        moves.create.extend(waves.in_window(view, by_name, todo))
        if view.held:
            moves.mark["held"] = ""  # what kept this wave waiting is over
        if view.judged:
            moves.mark["judged"] = ""  # it was said of this wave, and of no other, nor of the bake
    elif view.status is S.IN_PROGRESS:
        baked = view.declared.rules() or view.declared.proofs()
        moves.stage = S.BAKING if baked else S.SUCCEEDED
        # Where nothing was deployed, they watch from here.
        waves.watch(view.declared.rules(), by_name, moves)
        moves.ask.extend(("proof", rule) for rule in proofs.to_ask(view, by_name))
    else:
        finish_bake(view, by_name, now, moves)


def holds_a_wave(view: StageView, now: float) -> bool:
    """Say whether the stage's next wave is held, so that a person may let it begin."""
    if view.status is not S.IN_PROGRESS or not view.held:
        return False
    by_name = latest(view)
    todo = _next_run_order(view, by_name)
    return bool(todo and waves.not_well(view, by_name, todo, now))


def _next_run_order(
    view: StageView, by_name: Mapping[str, ActionView]
) -> list[ActionDeclaration] | None:
    """The actions to start now; [] when all have succeeded; None while some are under way."""
    due = {action.name for action in persevering.worth_doing(view, by_name)}
    over = (A.SUCCEEDED, A.FAILED) if view.perseveres else (A.SUCCEEDED,)
    for group in view.declared.run_orders:
        missing = [action for action in group if action.name in due]
        if missing:
            return missing
        if any(by_name[a.name].status not in over for a in group if a.name in by_name):
            return None
    return []
