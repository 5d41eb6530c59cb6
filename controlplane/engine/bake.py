"""Whether a bake may end, what keeps it from ending, and what is said of it. Pure, as all deciding is.

A bake ends when every rule has judged PASS after its own time, freshly: time, and samples, and fresh
signals. A verdict that is no PASS has its consequence (`rollback.consequences`); one without evidence
never passes and never rolls back, so it holds the bake or extends it until a person is asked.
"""

from collections.abc import Iterable, Mapping, Sequence

from controlplane.engine import proofs
from controlplane.engine.signals import Rule, clock, reasons, rules_of
from controlplane.engine.terms import Terms, terms
from controlplane.engine.view import ActionMove, ActionView, Moves, Said, StageView
from controlplane.states import ActionStatus as A
from controlplane.states import StageStatus as S
from monitors.base import Verdict
from rollback.consequences import HOLDS, LETS_END, PAGES_A_PERSON, Consequence

FLOOR = 0.25
"""No bake ends before this share of its time, however much its signals have seen."""
OPEN = frozenset({A.READY, A.STARTING, A.IN_PROGRESS})


def tell_failures(view: StageView, by_name: Mapping[str, ActionView], moves: Moves) -> None:
    """A FAIL that does not roll back is told at once, whatever else it leads to."""
    failed = [one for one in rules_of(view, by_name) if one.verdict is Verdict.FAIL]
    if not failed:
        return
    held = [one for one in failed if one.follows in HOLDS]
    if held:
        _hold(view, held, moves)
    noted = ", ".join(one.told for one in failed if one not in held)
    if noted and noted != view.noted:
        moves.mark["noted"] = noted
        page = any(one.follows is Consequence.PAGE for one in failed)
        text = f"{view.declared.name} goes on for now: {reasons(failed)}"
        moves.says.append(Said("stage.noted", text, page))


def finish_bake(
    view: StageView, by_name: Mapping[str, ActionView], now: float, moves: Moves
) -> None:
    """End the bake where it may end; else say once why it cannot."""
    rules = rules_of(view, by_name)
    proven = proofs.holding(view, by_name)
    may_end = _is_early_enough(view, rules, now) or _is_over(view, rules, now)
    if view.judged or (may_end and proven):
        _end(view, rules, moves)
        moves.actions.extend(proofs.close(view, by_name))
    elif now >= ends(view, now):
        _hold_or_extend(view, rules, now, moves)
        if not proven and not moves.says:
            _hold_unproven(view, proofs.lost(view, by_name), moves)


def ends(view: StageView, now: float) -> float:
    """When the time of every rule is over, in seconds since the epoch."""
    return max((_end_of(view, terms(one), now) for one in view.declared.rules()), default=now)


def _end_of(view: StageView, rule: Terms, now: float) -> float:
    """When the time of one rule is over: its own, or the later one that a person asked for."""
    began = view.baking_since if view.baking_since is not None else now
    return max(began + rule.time, view.bake_until or 0.0)


def why_not_judged(view: StageView, now: float) -> str:
    """Say why a person is not to judge this bake now; "" where a person may."""
    if view.status is not S.BAKING:
        return f"it is {view.status}, and only a bake or a wave that is held is judged"
    if now < ends(view, now):
        return f"its bake goes on until {clock(ends(view, now))}"
    if not view.held:
        return "nothing holds its bake: it ends by itself at the next look"
    return ""


def _is_over(view: StageView, rules: Iterable[Rule], now: float) -> bool:
    return all(
        now >= (end := _end_of(view, one.terms, now)) and one.lets_end(end, now) for one in rules
    )


def _is_early_enough(view: StageView, rules: Iterable[Rule], now: float) -> bool:
    """Every rule would have seen the smallest regression that matters by now, and saw none.

    Where a person wants to see for longer, it is not for the rules to say that it is enough.
    """
    began = view.baking_since if view.baking_since is not None else now
    return view.bake_until is None and all(
        one.row is not None
        and one.terms.early is not None
        and one.verdict is Verdict.PASS
        and one.row.power is not None
        and one.row.power >= one.terms.early
        and one.said_since(began + FLOOR * one.terms.time, now)
        for one in rules
    )


def _end(view: StageView, rules: Iterable[Rule], moves: Moves) -> None:
    rows = [one for one in rules if one.row is not None]
    noted = [one for one in rows if one.verdict is not Verdict.PASS]
    for one in rows:
        row = one.row
        if row is not None and row.status in OPEN:
            new = A.ABANDONED if one in noted else A.SUCCEEDED
            text = f"passed with a note: {row.summary}" if one in noted else row.summary
            moves.actions.append(ActionMove(row.id, row.kind, row.name, A(row.status), new, text))
    moves.stage = S.SUCCEEDED
    if noted:
        why = f"judged by {view.judged}; {reasons(noted)}" if view.judged else reasons(noted)
        known = moves.mark.get("noted", view.noted)
        page = any(one.follows is Consequence.PAGE for one in noted if one.told not in known)
        text = f"{view.declared.name} passes with a note: {why}"
        moves.says.append(Said("stage.noted", text, page))


def _hold_or_extend(view: StageView, rules: Iterable[Rule], now: float, moves: Moves) -> None:
    """What is judged well, only not yet after the bake's end, is told by the next look."""
    blocking = [one for one in rules if one.verdict and one.follows not in LETS_END]
    holding = [one for one in blocking if one.follows in HOLDS]
    if holding:
        _hold(view, holding, moves)
    elif blocking:
        _extend(view, blocking, now, moves)
    else:
        _hold_unheard(view, rules, now, moves)


def _hold_unproven(view: StageView, lost: Sequence[ActionView], moves: Moves) -> None:
    """Say once that a proof could not be had, and page: only a person can say whether it holds."""
    if not lost or view.held:
        return
    said = "; ".join(f"{row.name} could not be told ({row.summary})" for row in lost)
    moves.mark["held"] = ", ".join(f"{row.name}: no answer" for row in lost)
    text = f"{view.declared.name} cannot end its bake, hold and page: {said}"
    moves.says.append(Said("stage.held", text, page=True))


def _hold_unheard(view: StageView, rules: Iterable[Rule], now: float, moves: Moves) -> None:
    """Say once that a rule says nothing at all, or nothing new: a person may then judge without it."""
    unheard = [
        declared.name
        for declared, one in zip(view.declared.rules(), rules, strict=True)
        if one.is_unheard(_end_of(view, one.terms, now), now)
    ]
    if not unheard or view.held:
        return
    moves.mark["held"] = f"{', '.join(unheard)}: no verdict"
    text = (
        f"{view.declared.name} cannot end its bake, hold: {', '.join(unheard)} gave no verdict since its "
        f"time was over at {clock(ends(view, now))}"
    )
    moves.says.append(Said("stage.held", text))


def hold_wave(view: StageView, rules: Iterable[Rule], moves: Moves) -> None:
    """Say once why the next wave does not begin; what is only not judged anew yet is told by the next look."""
    blocking = [one for one in rules if one.verdict and one.follows not in LETS_END]
    if blocking:
        _hold(view, blocking, moves, "begin its next wave")


def _hold(
    view: StageView, holding: Sequence[Rule], moves: Moves, what: str = "end its bake"
) -> None:
    """Silence is not health: say once why the bake cannot end."""
    worst = next((one for one in holding if one.follows in PAGES_A_PERSON), holding[0])
    if worst.told == moves.mark.get("held", view.held):
        return
    moves.mark["held"] = worst.told
    page = worst.follows in PAGES_A_PERSON
    how = "hold and page" if page else "hold"
    text = f"{view.declared.name} cannot {what}, {how}: {reasons([worst])}"
    moves.says.append(Said("stage.held", text, page))


def _extend(view: StageView, blocking: Sequence[Rule], now: float, moves: Moves) -> None:
    """Let it bake for longer, up to the limit; then ask a person, once."""
    until = max(_end_of(view, one.terms, now) + one.terms.extend for one in blocking)
    name, why = view.declared.name, reasons(blocking)
    if now < until:
        if view.held:
            moves.mark["held"] = ""  # by what is not in the way any more
        if view.extended_until is None or until > view.extended_until:
            moves.mark["extended_until"] = until
            text = f"{name} bakes on, until {clock(until)} at most: {why}"
            moves.says.append(Said("stage.extended", text))
    elif view.asked_at is None:
        moves.mark |= {"asked_at": now, "held": ", ".join(one.told for one in blocking)}
        text = f"{name} cannot tell whether it is well: pass it, or roll it back. {why}"
        moves.says.append(Said("judgement.needed", text))
