"""What people and monitorings ask of gates: freeze and lift, override with a second person, incidents.

Each runs in its caller's transaction, and answers or raises CommandError.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.engine import gate
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.settle import settle
from controlplane.engine.transaction import Transaction
from controlplane.journal import Fact
from controlplane.states import StageStatus
from controlplane.store import executions, gates, pipelines

ASKED_FOR = 3600.0
"""Seconds within which a second person must confirm, and then within which one must go in."""
MOST_FREEZES = 200
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Scope:
    """What a freeze covers; "" covers all. until: seconds since the epoch; None: until it is lifted."""

    pipeline: str = ""
    stage: str = ""
    account: str = ""
    until: float | None = None


def freeze(tx: Transaction, scope: Scope, by: Person, reason: str) -> int:
    """Close every gate that it covers; answer its id."""
    _need_reason(reason, "a freeze")
    if scope.until is not None and scope.until <= tx.now:
        raise CommandError(Problem.INVALID, "the freeze would end in the past")
    _known(tx, scope)
    if len(tx.freezes()) >= MOST_FREEZES:
        said = f"{MOST_FREEZES} freezes are in force: lift some first"
        raise CommandError(Problem.CONFLICT, said)
    row = {
        "pipeline": scope.pipeline,
        "stage": scope.stage,
        "account": scope.account,
        "reason": reason[:LONGEST],
        "frozen_by": by.name,
        "frozen_at": tx.now,
        "until": scope.until,
        "lifted_by": "",
        "lift_reason": "",
    }
    made = gates.add_freeze(tx.connection, row)
    _say(tx, "freeze.set", scope, f"{by.name} ({by.door}) froze {_what(scope)}: {reason}")
    _look_again(tx)
    return made


def unfreeze(tx: Transaction, freeze_id: int, by: Person, reason: str) -> None:
    """Lift a freeze; who waited only for it goes in at once."""
    _need_reason(reason, "lifting a freeze")
    row = gates.lift_freeze(tx.connection, freeze_id, by.name, reason[:LONGEST], tx.now)
    if row is None:
        raise CommandError(Problem.UNKNOWN, f"there is no freeze {freeze_id} in force")
    scope = Scope(row.pipeline, row.stage, row.account)
    _say(tx, "freeze.lifted", scope, f"{by.name} ({by.door}) lifted {_what(scope)}: {reason}")
    _look_again(tx)


def override(tx: Transaction, execution: Any, stage: str, by: Person, reason: str) -> Any:
    """Ask for a closed gate to be opened, or confirm it as the second person; answer the override."""
    _need_reason(reason, "an override")
    row = _at_gate(tx, execution, stage)
    known = gates.override(tx.connection, row.id, tx.now)
    if known is None:
        _ask(tx, execution, row, by, reason)
    elif known.confirmed_at is not None:
        said = f"{known.asked_by} and {known.confirmed_by} have opened this gate already"
        raise CommandError(Problem.CONFLICT, said)
    elif by.is_one_with(known.asked_by, known.asked_as):
        said = f"{by.name} has asked for it already: another person must confirm"
        if by.name != known.asked_by:
            said += (
                f" ({known.asked_by}'s token and this one are of one maker, and so of one person)"
            )
        raise CommandError(Problem.CONFLICT, said)
    else:
        _confirm(tx, execution, row, known, by, reason)
    return gates.override(tx.connection, row.id, tx.now)


def take_incidents(tx: Transaction, told: Sequence[Mapping[str, Any]], by: str) -> int:
    """Open and resolve incidents; answer how many of them were news.

    told: {key, name, labels, since, resolved} each; what was told twice changes nothing.
    """
    gates.forget_incidents(tx.connection, tx.now)
    opened = sum(not one["resolved"] for one in told)
    if opened and gates.open_incidents(tx.connection) + opened > gates.MOST_INCIDENTS:
        said = f"more than {gates.MOST_INCIDENTS} incidents are open: resolve some, or send fewer"
        raise CommandError(Problem.CROWDED, said)
    news = 0
    for one in told:
        row = {
            "key": one["key"],
            "name": one["name"],
            "labels": json.dumps(one["labels"], separators=(",", ":")),
            "told_by": by,
            "since": one["since"] or tx.now,
            "seen_at": tx.now,
            "resolved_at": tx.now if one["resolved"] else None,
        }
        if gates.put_incident(tx.connection, row):
            news += 1
            kind = "incident.resolved" if one["resolved"] else "incident.opened"
            tx.journal.add(Fact(kind=kind, pipeline="", text=f"{one['name']} ({by})"))
    if news:
        gates.wake(tx.connection, tx.now)
    return news


def resolve_incident(tx: Transaction, key: str, by: Person, reason: str) -> None:
    """A person says that it is over, where the monitoring does not."""
    _need_reason(reason, "resolving an incident by hand")
    if not gates.resolve_incident(tx.connection, key, tx.now):
        raise CommandError(Problem.UNKNOWN, f"no incident {key!r} is open")
    tx.journal.add(
        Fact(kind="incident.resolved", pipeline="", text=f"{key} by {by.name}: {reason}")
    )
    gates.wake(tx.connection, tx.now)


# --- inside -------------------------------------------------------------------------------------


def _need_reason(reason: str, what: str) -> None:
    if not reason.strip():
        raise CommandError(Problem.INVALID, f"{what} needs a reason")


def _known(tx: Transaction, scope: Scope) -> None:
    """A freeze of nothing would be believed in."""
    if not scope.pipeline:
        return
    version = pipelines.version(tx.connection, scope.pipeline)
    if version is None:
        raise CommandError(Problem.UNKNOWN, f"there is no pipeline {scope.pipeline!r}")
    names = [s.name for s in tx.structures.pipeline(tx.connection, scope.pipeline, version).stages]
    if scope.stage and scope.stage not in names:
        said = f"{scope.pipeline} has no stage {scope.stage!r}; it has {', '.join(names)}"
        raise CommandError(Problem.UNKNOWN, said)


def _what(scope: Scope) -> str:
    parts = [
        f"pipeline {scope.pipeline}" if scope.pipeline else "every pipeline",
        f"stage {scope.stage}" if scope.stage else "",
        f"account {scope.account}" if scope.account else "",
    ]
    return ", ".join(part for part in parts if part)


def _say(tx: Transaction, kind: str, scope: Scope, text: str) -> None:
    tx.journal.add(Fact(kind=kind, pipeline=scope.pipeline, stage=scope.stage, text=text))


def _look_again(tx: Transaction) -> None:
    """Freezes changed: whoever stands at a gate is looked at by what holds now."""
    tx.forget_freezes()
    for way in gates.waiting(tx.connection):
        tx.to_admit[way.pipeline, way.stage] = True
    settle(tx, ())


def _at_gate(tx: Transaction, execution: Any, stage: str) -> Any:
    rows = executions.of_execution(tx.connection, execution.id)
    row = next((one for one in reversed(rows) if one.stage == stage), None)
    if row is None or row.status != StageStatus.INBOUND:
        raise CommandError(Problem.CONFLICT, f"{execution.id} does not wait in front of {stage}")
    if not row.held.startswith(gate.WAITS):
        said = f"no gate keeps {execution.id} from {stage}: there is nothing to override"
        raise CommandError(Problem.CONFLICT, said)
    return row


def _ask(tx: Transaction, execution: Any, row: Any, by: Person, reason: str) -> None:
    asked = {
        "stage_id": row.id,
        "execution_id": execution.id,
        "reason": reason[:LONGEST],
        "asked_by": by.name,
        "asked_as": by.token,
        "asked_at": tx.now,
        "confirmed_by": "",
        "confirm_reason": "",
        "expires_at": tx.now + ASKED_FOR,
    }
    gates.ask_override(tx.connection, asked)
    text = f"{by.name} ({by.door}) asks to open the gate, and another person must confirm: {reason}"
    tx.fact("override.asked", execution, stage=row.stage, text=text, data={"gate": row.held})


def _confirm(
    tx: Transaction, execution: Any, row: Any, known: Any, by: Person, reason: str
) -> None:
    gates.confirm_override(
        tx.connection,
        known.id,
        confirmed_by=by.name,
        confirmed_at=tx.now,
        confirm_reason=reason[:LONGEST],
        expires_at=tx.now + ASKED_FOR,
    )
    text = f"{by.name} ({by.door}) confirms what {known.asked_by} asked for: {reason}"
    tx.fact("override.confirmed", execution, stage=row.stage, text=text, data={"gate": row.held})
    tx.to_admit[row.pipeline, row.stage] = True
    settle(tx, ())
