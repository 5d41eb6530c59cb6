"""Waves, as deciding sees them: who may start now, what keeps the next wave waiting, whom a rule watches. Pure.

Between two waves stands an action (provider WaveBake) that ends when the bake and the pause of the wave
before are over; its row is the only clock. The next wave begins once every signal that watches a target
deployed so far has judged PASS after that: time, samples and fresh signals, as at a bake's end.
"""

from collections.abc import Container, Iterable, Mapping, Sequence

from controlplane.declarations.model import ActionDeclaration, RuleDeclaration, StageDeclaration
from controlplane.declarations.wave_keys import is_gate, most_in_flight, target_of
from controlplane.engine.signals import Rule, rules_of
from controlplane.engine.view import ActionView, Moves, StageView, deploys
from controlplane.states import ActionStatus as A

Rows = Mapping[str, ActionView]
"""The last attempt of every action and rule, by name."""

BEGUN = (A.IN_PROGRESS, A.SUCCEEDED)
OPEN = (A.READY, A.STARTING, A.IN_PROGRESS)


def not_well(
    view: StageView, by_name: Rows, due: Sequence[ActionDeclaration], now: float
) -> list[Rule]:
    """The rules that keep the wave of these actions from beginning; [] where it may begin."""
    order = min(action.run_order for action in due)
    gate = _gate_before(view, order)
    if gate is None or _has_begun(view.declared, by_name, gate.run_order):
        return []
    since = by_name[gate.name].ended_at or 0.0
    watching = [one for one in rules_of(view, by_name) if one.row is not None]
    return [one for one in watching if not one.lets_end(since, now)]


def _gate_before(view: StageView, order: int) -> ActionDeclaration | None:
    """The last wait between waves that comes before a run order."""
    before = [a for a in view.declared.actions if is_gate(a) and a.run_order < order]
    return max(before, key=lambda gate: gate.run_order, default=None)


def _has_begun(stage: StageDeclaration, names: Container[str], order: int) -> bool:
    return any(a.run_order > order and a.name in names for a in stage.actions)


def in_window(
    view: StageView, by_name: Rows, due: Sequence[ActionDeclaration]
) -> list[ActionDeclaration]:
    """Those of the actions of one run order that may start now: no more targets at once than declared."""
    bounds = [most for action in due if (most := most_in_flight(action)) is not None]
    if not bounds:
        return list(due)
    order = due[0].run_order
    group = [a for a in view.declared.actions if a.run_order == order and a.name in by_name]
    busy = {target_of(a) for a in group if by_name[a.name].status in OPEN}
    waiting = [t for t in dict.fromkeys(target_of(action) for action in due) if t not in busy]
    chosen = busy | set(waiting[: max(0, min(bounds) - len(busy))])
    return [action for action in due if target_of(action) in chosen]


def deploying(view: StageView, by_name: Rows) -> set[str]:
    """The targets that a deployment has begun to; "" stands for all of a stage without waves."""
    return {
        target_of(declared)
        for declared in view.declared.actions
        if deploys(declared) and declared.name in by_name and by_name[declared.name].status in BEGUN
    }


def watched(rules: Sequence[RuleDeclaration], targets: set[str]) -> list[RuleDeclaration]:
    """The rules that watch one of these targets; a rule of no target watches from the first on."""
    return [rule for rule in rules if target_of(rule) in ({"", *targets} if targets else ())]


def watch_from_first_deploy(view: StageView, by_name: Rows, moves: Moves) -> None:
    """The rules watch from the start of the (first) deployment to their target, not only after it."""
    if view.since is not None and not any(target_of(rule) for rule in view.declared.rules()):
        return
    targets = deploying(view, by_name)
    moves.deploying = view.since is None and bool(targets)
    watch(watched(view.declared.rules(), targets), by_name, moves)


def watch(due: Iterable[RuleDeclaration], names: Iterable[str], moves: Moves) -> None:
    """Begin with those rules that do not watch yet. names: of all that has rows."""
    known = {*names, *(one.name for one in moves.create)}
    moves.create.extend(rule for rule in due if rule.name not in known)


def unfinished(stage: StageDeclaration, names: Container[str]) -> set[str]:
    """The waits after which nothing was started: a new attempt bakes that wave again.

    names: the actions that have rows.
    """
    gates = filter(is_gate, stage.actions)
    return {gate.name for gate in gates if not _has_begun(stage, names, gate.run_order)}
