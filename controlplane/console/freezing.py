"""The page of freezes: those in force, open incidents, and what a freeze would do, in words."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from accounts.base import AccountError
from controlplane.clock import iso
from controlplane.console import words
from controlplane.console.desk import Desk, Document
from controlplane.console.forms import MoveForm
from controlplane.console.session import Session
from controlplane.console.views import helpers
from controlplane.engine.gate_commands import Scope
from controlplane.engine.gate_facts import accounts_of
from controlplane.engine.refusals import CommandError, Problem
from controlplane.store import gates
from controlplane.store.roles import Permission

FREEZES, INCIDENTS = 25, 20
CHOICES = 200
"""Accounts that a person picks from; where there are more, he types the name."""
LABELS = 200
NAME = re.compile(r"[A-Za-z0-9.@_-]{0,100}")


class Wish(NamedTuple):
    """A freeze as a person typed it; "" covers all. until: a time in UTC, or with its own zone."""

    pipeline: str = ""
    stage: str = ""
    account: str = ""
    until: str = ""

    @classmethod
    def of(cls, form: MoveForm) -> Self:
        """What the form wishes for."""
        return cls(*(getattr(form, name).strip() for name in cls._fields))


def scope_of(desk: Desk, wish: Wish) -> Scope:
    """What the wish covers; CommandError where it names something that is not there."""
    if wish.account:
        try:
            desk.registry.get(wish.account)
        except AccountError as error:
            raise CommandError(Problem.UNKNOWN, str(error)) from None
    if not NAME.fullmatch(wish.stage):
        raise CommandError(Problem.UNKNOWN, f"no stage can be named {wish.stage!r}")
    ends = _ends(wish.until)
    if ends is not None and ends <= desk.now():
        raise CommandError(Problem.INVALID, f"{wish.until} (UTC) is over: say a time to come")
    return Scope(wish.pipeline, wish.stage, wish.account, ends)


def _ends(text: str) -> float | None:
    """Seconds since the epoch. A browser's field for a time knows no zone: it is labelled UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        said = f"until {text!r} is no time: write 2026-12-27T08:00, in UTC, or nothing"
        raise CommandError(Problem.INVALID, said) from None


def freezes_view(desk: Desk, session: Session, wish: Wish | None, before: int = 0) -> Document:
    """Everything the template needs. wish: what a person would like to freeze, if somebody asks."""
    now = desk.clock()
    known = [account.name for account in desk.registry.all()]
    if wish is not None and wish.pipeline:
        session.require(Permission.READ, wish.pipeline)
    promise = None if wish is None else _promise(desk, wish, now)
    with desk.database.read() as connection:
        in_force = gates.freezes(connection, desk.now())[::-1]  # at most MOST_FREEZES
        told = gates.incidents(connection, INCIDENTS)
        open_incidents = gates.open_incidents(connection)
    in_force = [
        row for row in in_force if not row.pipeline or session.may(Permission.READ, row.pipeline)
    ]
    shown = [row for row in in_force if not before or row.id < before][: FREEZES + 1]
    return {
        **helpers(session, now),
        "wish": wish or Wish(),
        "promise": promise,
        "accounts": known if len(known) <= CHOICES else [],
        "in_force": len(in_force),
        "freezes": [_freeze(row, now) for row in shown[:FREEZES]],
        "next": shown[FREEZES - 1].id if len(shown) > FREEZES else 0,
        "incidents": [_incident(row) for row in told],
        "more_incidents": open_incidents - len(told),
    }


def _freeze(row: Any, now: datetime) -> Document:
    return {
        "id": row.id,
        "covers": covers(row.pipeline, row.stage, row.account),
        "pipeline": row.pipeline,
        "by": row.frozen_by,
        "at": iso(row.frozen_at),
        "until": until(row.until, now),
        "reason": row.reason,
    }


def _incident(row: Any) -> Document:
    labels: Mapping[str, str] = json.loads(row.labels)
    text = ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return {
        "key": row.key,
        "name": row.name[:LABELS],
        "labels": text if len(text) <= LABELS else text[:LABELS] + "…",
        "by": row.told_by,
        "since": iso(row.since),
    }


def covers(pipeline: str, stage: str, account: str) -> str:
    """What a freeze covers: "stage Prod of shop, in account prod"."""
    whose = pipeline or "every pipeline"
    what = f"stage {stage} of {whose}" if stage else whose
    return f"{what}, in account {account}" if account else what


def until(ends: float | None, now: datetime) -> str:
    """When it ends: a time and how far off that is, or who ends it."""
    if ends is None:
        return "until a person lifts it"
    at = datetime.fromtimestamp(ends, UTC)
    return f"until {at:%d %b %Y %H:%M} UTC, {words.duration(at - now)} from now"


def _promise(desk: Desk, wish: Wish, now: datetime) -> Document:
    """What the wish will do once it is pressed, or why it cannot be done (`refusal`)."""
    try:
        scope = scope_of(desk, wish)
        stages = _stages(desk, wish)
    except CommandError as error:
        return {"refusal": str(error), "says": "", "now": ""}
    stage = f"stage {wish.stage}" if wish.stage else "any stage"
    whose = wish.pipeline or "any pipeline"
    acts = f" that acts in account {wish.account}" if wish.account else ""
    return {
        "refusal": "",
        "says": f"No execution enters {stage} of {whose}{acts}, {until(scope.until, now)}.",
        "now": stages,
    }


def _stages(desk: Desk, wish: Wish) -> str:
    """Which stages that is today, where one pipeline is named."""
    if not wish.pipeline:
        return ""
    with desk.database.read() as connection:
        declared, version = desk.documents.declared(connection, wish.pipeline)
    if wish.stage and wish.stage not in [stage.name for stage in declared.stages]:
        known = ", ".join(stage.name for stage in declared.stages)
        said = f"{wish.pipeline} has no stage {wish.stage!r}; it has {known}"
        raise CommandError(Problem.UNKNOWN, said)
    found = [
        stage.name
        for stage in declared.stages
        if wish.stage in ("", stage.name)
        and (not wish.account or wish.account in accounts_of(stage))
    ]
    if not found:
        return f"As {wish.pipeline} is now (version {version}), that is no stage at all."
    return f"As {wish.pipeline} is now (version {version}), that is: {', '.join(found)}."
