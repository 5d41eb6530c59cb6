"""Whether a bake may end, and what keeps it from ending. Pure, as all deciding is.

A bake ends when every rule has judged PASS after its own time: time, and samples, and fresh signals.
"""

from collections.abc import Mapping

from controlplane.engine.view import ActionMove, ActionView, Moves, StageView, bake_seconds
from controlplane.states import ActionStatus as A
from controlplane.states import StageStatus as S
from monitors.base import Verdict


def finish_bake(
    view: StageView, by_name: Mapping[str, ActionView], now: float, moves: Moves
) -> None:
    """Time, samples and fresh signals: every rule has judged PASS after its own bake time."""
    began = view.baking_since if view.baking_since is not None else now
    rules = view.declared.rules()
    if any(now < began + bake_seconds(rule) for rule in rules):
        return
    open_rules = [
        (rule, row)
        for rule in rules
        if (row := by_name.get(rule.name)) is None
        or row.verdict != Verdict.PASS
        or (row.verdict_at or 0.0) < began + bake_seconds(rule)
    ]
    if not open_rules:
        moves.actions.extend(
            ActionMove(row.id, row.kind, row.name, A.IN_PROGRESS, A.SUCCEEDED, row.summary)
            for rule in rules
            if (row := by_name[rule.name]).status == A.IN_PROGRESS
        )
        moves.stage = S.SUCCEEDED
        return
    _hold(view, [row for _, row in open_rules if row is not None], moves)


def _hold(view: StageView, rows: list[ActionView], moves: Moves) -> None:
    """Silence is not health: say once why the bake cannot end."""
    silent = [row for row in rows if row.verdict not in (Verdict.PASS, "")]
    if not silent:
        return  # judged PASS, only not yet after the bake's end: the next look tells
    worst = next((r for r in silent if r.verdict == Verdict.UNREACHABLE), silent[0])
    held = f"{worst.name}: {worst.verdict}"
    if held != view.held:
        moves.held = held
        moves.held_verdict = Verdict(worst.verdict)
