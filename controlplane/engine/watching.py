"""The watch's rows: begun when its stage ends, and decided with what is read anew of its targets.

Its rows hang on the stage execution that has ended. They keep neither the execution from ending nor the
next one from entering, and whoever is killed leaves them to their leases, as any other row.
"""

import math
from collections.abc import Sequence
from typing import Any

from controlplane import feedback
from controlplane.declarations.model import RuleDeclaration
from controlplane.declarations.wave_keys import target_of
from controlplane.engine import waves
from controlplane.engine.bake import OPEN
from controlplane.engine.decide import latest
from controlplane.engine.rows import ABANDONED, watch_row
from controlplane.engine.signals import breach, clock
from controlplane.engine.terms import terms
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import ActionView, Moves, StageView, deploys
from controlplane.engine.watch import Where, decide_watch, watch_seconds
from controlplane.ledger import Fared
from controlplane.states import ActionStatus, StageStatus, WatchState
from controlplane.store import executions, ledger, locks, queries
from rollback.models import Cause, CauseKind

WATCHED = frozenset({WatchState.AUTOMATIC, WatchState.ADVICE})


def begin(tx: Transaction, view: StageView, ended: StageStatus, row: Any, execution: Any) -> None:
    """Go on watching a stage that ends now, where it is declared or what stands there is unproven."""
    rules = _about(view, ended)
    lasting = {rule.name: watch_seconds(terms(rule), ended) for rule in rules}
    if not any(lasting.values()):
        return
    until = max(tx.now + max(lasting.values()), row.bake_until or 0.0)
    executions.update_stage(tx.connection, row.id, watch=WatchState.AUTOMATIC, watch_until=until)
    tx.new_actions.extend(
        watch_row(execution, row.id, rule, tx.now, row.attempt)
        for rule in rules
        if lasting[rule.name]
    )
    text = f"{row.stage} is watched until {clock(until)}"
    tx.fact("watch.begun", execution, stage=row.stage, text=text)


def _about(view: StageView, ended: StageStatus) -> Sequence[RuleDeclaration]:
    """Where it was stopped between two waves, only what was deployed is watched, as while it went on."""
    rules = view.declared.rules()
    given_up = {one.name for one in view.actions if one.status == ActionStatus.ABANDONED}
    begun = waves.deploying(view, latest(view)) | {
        target_of(one) for one in view.declared.actions if deploys(one) and one.name in given_up
    }
    return waves.watched(rules, begun) if begun and ended is StageStatus.STOPPED else rules


def prolong(tx: Transaction, stage_id: str, execution: Any) -> None:
    """What was abandoned has ended now: it is watched from here for as long as its bake would have lasted."""
    row = executions.stages(tx.connection, [stage_id])[stage_id]
    if row.watch not in WATCHED:
        return
    stages = tx.structures.stages(tx.connection, execution)
    declared = stages[0] if execution.plan else stages[execution.position]
    ended = StageStatus(row.status)
    lasting = max((watch_seconds(terms(rule), ended) for rule in declared.rules()), default=0.0)
    until = max(tx.now + lasting, row.bake_until or 0.0)  # never sooner than a person asked for
    executions.update_stage(tx.connection, stage_id, watch_until=until)


def decided(
    tx: Transaction, view: StageView, row: Any, execution: Any, found: Sequence[ActionView]
) -> Moves:
    """The moves that are due in a stage's watch. What is to be rolled back is locked first."""
    rows = {one.name: one for one in found if one.kind == "watch" and one.status in OPEN}
    cause = breach(view.declared, rows, watching=True)
    if cause is not None:
        locks.ways_in(tx.connection, [(row.pipeline, row.stage, False)])
    where = _where(tx, view, row, execution, cause)._replace(
        lands=_lands(found),
        unproven=any(one.kind == "watch" and one.status == ActionStatus.ABANDONED for one in found),
    )
    return decide_watch(view, rows, where, tx.now)


def _lands(found: Sequence[ActionView]) -> float | None:
    """When the last of what the stage left behind ended; never, while some of it goes on."""
    left = [one for one in found if one.kind == ABANDONED]
    return max((math.inf if one.ended_at is None else one.ended_at for one in left), default=None)


def _where(
    tx: Transaction, view: StageView, row: Any, execution: Any, cause: Cause | None
) -> Where:
    """Read anew what stands on the targets, and who is in the stage."""
    own = ledger.of_stage(tx.connection, [one.id for one in view.actions])
    newest = {one.target: ledger.entries(tx.connection, one.target, 1)[0] for one in own}
    mine = {one.id for one in own}
    newer = [entry for entry in newest.values() if entry.id not in mine]
    inside = queries.in_stage(tx.connection, row.pipeline, row.stage)
    back = view.status is StageStatus.SUCCEEDED and any(one.status == Fared.BAD for one in own)
    if inside is not None:
        other = executions.by_id(tx.connection, inside.execution_id)
        back = back or (other is not None and other.rolls_back == execution.id)
    return Where(
        newer=bool(newer),
        replaced=back or any(entry.status is Fared.GOOD for entry in newer),
        free=inside is None,
        rolls_back=bool(own)
        and CauseKind.BAD_SIGNAL in feedback.policy_of(view.declared, cause=cause).on,
    )
