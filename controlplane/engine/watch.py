"""The watch after a stage is done: what its rules still see, and what follows from it. Pure.

As long as nothing newer was begun on the stage's targets, a breach rolls the stage back as it would have in
the bake. After that nobody can say whose fault it is: it is told, with a button, and a person decides.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from controlplane.engine.bake import OPEN
from controlplane.engine.signals import Rule, breach, reasons, rules_of, unconfirmed
from controlplane.engine.terms import Terms
from controlplane.engine.view import ActionMove, ActionView, Moves, Said, StageView
from controlplane.states import ActionStatus, StageStatus, WatchState, check
from monitors.base import Verdict
from rollback.consequences import PAGES_A_PERSON
from rollback.models import Cause

A, W = ActionStatus, WatchState
PATIENCE = 120.0
"""Seconds of silence or of an outage before a person hears of it: one failed look is no news."""
SILENT = frozenset({Verdict.NO_DATA, Verdict.UNREACHABLE})


class Where(NamedTuple):
    """How the stage's deployments stand now, re-read.

    newer: something else was begun on one of its targets since. replaced: and it fared well, or this
    one is being rolled back already. free: nobody is in the stage. rolls_back: a breach is declared to.
    lands: when what it left behind under way has ended, infinity while it goes on; None where nothing was.
    unproven: a rule that watches no longer did not PASS when it ceased to.
    """

    newer: bool = False
    replaced: bool = False
    free: bool = True
    rolls_back: bool = True
    lands: float | None = None
    unproven: bool = False


def watch_seconds(terms: Terms, status: StageStatus) -> float:
    """How long a rule watches after its stage has ended so.

    What a person stopped stands there unproven: it is watched for as long as its bake would have been.
    """
    if status is StageStatus.STOPPED:
        return max(terms.time, terms.watch)
    return terms.watch if status is StageStatus.SUCCEEDED else 0.0


def decide_watch(
    view: StageView, rows: Mapping[str, ActionView], where: Where, now: float
) -> Moves:
    """What is due in the watch of a stage that has ended. rows: those that go on, by the rule's name.

    The moves' cause, where there is one, is what the stage is to be rolled back for, now.
    """
    moves = Moves(view.id)
    rules = [one for one in rules_of(view, rows) if one.row is not None]
    ended = max(at for at in (view.ended_at, where.lands, 0.0) if at is not None) or now
    asked = view.bake_until or 0.0
    late = [
        one for one in rules if now >= max(ended + watch_seconds(one.terms, view.status), asked)
    ]
    if where.replaced or len(late) == len(rules):
        why = "another release stands there now" if where.replaced else "its time is over"
        _end(view, rules, moves)
        moves.says.append(Said("watch.ended", f"{view.declared.name} is watched no longer: {why}"))
        return moves
    _close(late, moves)
    _state(view, W.ADVICE if where.newer else W.AUTOMATIC, moves)
    cause = breach(view.declared, rows, watching=True)
    if cause is not None and where.free and where.rolls_back and not where.newer:
        moves.cause = Cause(cause.kind, cause.by, f"in the watch: {cause.reason}")
        _end(view, rules, moves)
        return moves
    # A breach that is to be rolled back stays, though nothing newer is coming.
    left_bad = cause is not None and where.rolls_back and not where.newer
    _tell(view, rules, where, now, moves, left_bad=left_bad)
    return moves


def _state(view: StageView, new: WatchState, moves: Moves) -> None:
    old = W(view.watch)
    if old is new:
        return
    check(old, new)
    moves.mark["watch"] = new
    text = f"{view.declared.name}: a newer deployment has begun; from now on its watch only advises"
    moves.says.append(Said("watch.advises", text))


def _end(view: StageView, rules: Sequence[Rule], moves: Moves) -> None:
    check(W(view.watch), W.OVER)
    moves.mark |= {"watch": W.OVER, "held": ""}
    _close(rules, moves)


def _close(rules: Sequence[Rule], moves: Moves) -> None:
    for one in rules:
        row = one.row
        if row is not None and row.status in OPEN:
            well = row.status == A.IN_PROGRESS and one.verdict is Verdict.PASS
            new = A.SUCCEEDED if well else A.ABANDONED
            moves.actions.append(
                ActionMove(row.id, row.kind, row.name, A(row.status), new, row.summary)
            )


def _tell(
    view: StageView,
    rules: Sequence[Rule],
    where: Where,
    now: float,
    moves: Moves,
    *,
    left_bad: bool,
) -> None:
    """Say once what is wrong, and once that it is well again. Only a fresh PASS of all says so."""
    failed = [one for one in rules if one.verdict is Verdict.FAIL]
    rows = {one.row.name: one.row for one in rules if one.row}
    lost = unconfirmed(view.declared, rows, lambda one: _is_dark(one, now))
    silent = [one for one in rules if one.verdict in SILENT and _lasts(one, now)]
    wrong = failed or silent
    name = view.declared.name
    if not wrong:
        well = all(one.verdict is Verdict.PASS for one in rules) and not where.unproven
        if view.held and well:
            moves.mark["held"] = ""
            moves.says.append(Said("watch.recovered", f"{name} is well again"))
        return
    held = ", ".join([*(one.told for one in wrong), *([lost] if lost else [])])
    if held == view.held:
        return
    moves.mark["held"] = held
    page = any(one.follows in PAGES_A_PERSON for one in wrong) or left_bad or bool(lost)
    if failed:
        text = f"{name} is not well, and is not rolled back by itself, for {_why(where, lost)}: "
        moves.says.append(Said("watch.advised", text + reasons(failed), page))
    else:
        moves.says.append(Said("watch.held", f"{name} cannot be watched: {reasons(silent)}", page))


def _why(where: Where, lost: str) -> str:
    if where.newer:
        return "a newer deployment has begun there"
    if not where.free:
        return "another execution is in the stage"
    return lost or "what FAILs does not call for it"


def _is_dark(one: Rule, now: float) -> bool:
    """It watches no longer, or never did; or it is silent, and not for a moment only."""
    return one.row is None or (one.verdict in SILENT and _lasts(one, now))


def _lasts(one: Rule, now: float) -> bool:
    since = one.row.verdict_since if one.row else None
    return since is not None and now - since >= PATIENCE
