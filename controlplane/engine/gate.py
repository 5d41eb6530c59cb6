"""The gate in front of a stage: its rules, freezes and overrides, and whether one may go in now.

Who stands at it keeps his place by the execution mode's own rules: only who would enter next is asked about.
Every rule must hold at about the same time, so what held long ago is looked at again before it counts. A
ROLLBACK execution never comes here: nothing keeps a way back closed.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from controlplane.declarations.model import (
    Result,
    RuleDeclaration,
    RuleTypeId,
    StageDeclaration,
)
from controlplane.engine.gate_facts import covering
from controlplane.engine.rows import action_row
from controlplane.engine.transaction import Transaction
from controlplane.gates.base import OPENS_AT, TIME_ZONE
from controlplane.gates.freeze import frozen_by
from controlplane.states import ActionStatus, check
from controlplane.store import actions, executions, gates
from monitors.base import Verdict

A = ActionStatus
FRESH = 60.0
"""Seconds for which a verdict counts: CodePipeline's own alarm rule is not asked again once it has held."""
FREEZE = RuleDeclaration(name="Freeze", rule_type_id=RuleTypeId(owner="Custom", provider="Freeze"))
"""Stands in front of every stage that is frozen; no declared rule may have its name."""
WAITS = "waits at the gate"
OPEN = frozenset({A.READY, A.STARTING, A.IN_PROGRESS})


class Way(StrEnum):
    """What becomes of one who would enter."""

    OPEN = "open"
    WAIT = "wait"
    FAIL = "fail"
    SKIP = "skip"


class Stand(NamedTuple):
    """The way, and why where it is not open."""

    way: Way
    reason: str = ""


class Closed(NamedTuple):
    """A rule that does not hold, and when it will, where that is known."""

    name: str
    reason: str
    opens: str = ""


def stand(tx: Transaction, execution: Any, row: Any, declared: StageDeclaration) -> Stand:
    """Say whether one who would enter may; put in front of him what he has to pass. row: his inbound row."""
    frozen = covering(tx.freezes(), row.pipeline, declared)
    if not (declared.gates() or frozen or row.held):
        return Stand(Way.OPEN)  # the ordinary case: nothing is in front of the stage
    found = {one.name: one for one in gates.rules(tx.connection, row.id)} if row.held else {}
    wanted = (*declared.gates(), *((FREEZE,) if frozen else ()))
    given = gates.override(tx.connection, row.id, tx.now) if row.held else None
    if given is not None and given.confirmed_at is not None:
        close(tx, execution, row, list(found.values()), held=False)
        tx.fact("gate.opened", execution, stage=row.stage, text=_overridden(given))
        return Stand(Way.OPEN)
    over = [one for one in found.values() if one.status == A.FAILED]
    if over:
        return _result(declared, {one.name: one for one in over})
    _put_up(tx, execution, row, [rule for rule in wanted if rule.name not in found])
    closed = [_frozen(frozen)] if frozen else []
    for rule in declared.gates():
        why = _closed(tx, found.get(rule.name), rule.name)
        closed += [] if why is None else [why]
    if not closed:
        close(tx, execution, row, list(found.values()), held=True)
        return Stand(Way.OPEN)
    _tell(tx, execution, row, closed)
    return Stand(Way.WAIT)


def close(tx: Transaction, execution: Any, row: Any, rules: Sequence[Any], *, held: bool) -> None:
    """Nobody stands there any more. held: he went in, and what is still open has held."""
    if not row.held:
        return
    for one in rules:
        if one.status not in OPEN:
            continue
        new = A.SUCCEEDED if held and one.status == A.IN_PROGRESS else A.ABANDONED
        check(A(one.status), new)
        tx.action_moves.append(
            {"b_id": one.id, "b_old": one.status, "status": new, "ended_at": tx.now}
        )
        tx.fact(
            f"gate.{new.lower()}", execution, stage=row.stage, action=one.name, text=one.summary
        )
    executions.update_stage(tx.connection, row.id, held="")
    if held and row.held.startswith(WAITS):
        tx.fact("gate.opened", execution, stage=row.stage, text="every rule holds")


def leave(tx: Transaction, execution: Any, row: Any) -> None:
    """He goes away from the gate: overtaken, stopped, or turned away."""
    if row.held:
        close(tx, execution, row, gates.rules(tx.connection, row.id), held=False)


def _put_up(tx: Transaction, execution: Any, row: Any, rules: Sequence[RuleDeclaration]) -> None:
    for rule in rules:
        tx.new_actions.append(action_row(execution, row.id, rule, tx.now, row.attempt, kind="gate"))


def _closed(tx: Transaction, one: Any, name: str) -> Closed | None:
    """Why a rule does not let in; None where it does."""
    if one is None:
        return Closed(name, NOT_YET)
    if one.status == A.SUCCEEDED:
        return None
    if one.verdict != Verdict.PASS:
        reason = one.summary if one.verdict else NOT_YET
        return Closed(name, reason, _opens(one))
    if (one.verdict_at or 0.0) < tx.now - FRESH:
        actions.wake(tx.connection, one.id, tx.now)
        return Closed(name, "held before, and is looked at again")
    return None


NOT_YET = "not looked at yet"


def _frozen(rows: Sequence[Any]) -> Closed:
    """As it is now; the row of the freeze's own rule only says when to look again."""
    reason, ends = frozen_by([(row.frozen_by, row.reason, row.until) for row in rows])
    return Closed(FREEZE.name, reason, "" if ends is None else _clock(ends, "UTC"))


def _opens(one: Any) -> str:
    known = json.loads(one.output)
    at, zone = known.get(OPENS_AT, ""), known.get(TIME_ZONE, "") or "UTC"
    return _clock(datetime.fromisoformat(at), zone) if at else ""


def _clock(at: datetime, zone: str) -> str:
    """When it opens, on a clock that people read."""
    return f"; next opens {at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def _tell(tx: Transaction, execution: Any, row: Any, closed: Sequence[Closed]) -> None:
    """Write why he waits. People hear of it once a rule has said no, and no oftener than it changes."""
    first = next((one for one in closed if one.reason != NOT_YET), closed[0])
    said = first.reason != NOT_YET
    more = f" (and {len(closed) - 1} more)" if len(closed) > 1 else ""
    head = f"{WAITS}: {first.name}: " if said else f"at the gate: {first.name}: "
    text = f"{head}{first.reason[:500]}{first.opens}{more}"
    if text == row.held:
        return
    executions.update_stage(tx.connection, row.id, held=text)
    if said and not row.held.startswith(head):
        kind = "gate.waiting" if row.held.startswith(WAITS) else "gate.closed"
        tx.fact(kind, execution, stage=row.stage, action=first.name, text=text)


def _result(declared: StageDeclaration, failed: Mapping[str, Any]) -> Stand:
    """Rules that do not hold, for good: what the first of their conditions declares."""
    conditions = declared.before_entry.conditions if declared.before_entry else ()
    every = [(rule.name, c.result) for c in conditions for rule in c.rules if rule.name in failed]
    name, result = next(iter(every), (next(iter(failed)), Result.FAIL))
    reason = f"{name} keeps the gate closed: {failed[name].summary}"
    return Stand(Way.SKIP if result is Result.SKIP else Way.FAIL, reason)


def _overridden(given: Any) -> str:
    return (
        f"opened by {given.asked_by} ({given.reason}) and {given.confirmed_by} "
        f"({given.confirm_reason})"
    )
