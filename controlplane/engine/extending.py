"""A person has a bake, or a watch, last longer. Its rules go on as they did: a breach acts at once."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from controlplane.engine.bake import ends
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.settle import settle, view_of
from controlplane.engine.terms import terms
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import StageView
from controlplane.engine.watch import watch_seconds
from controlplane.engine.watching import WATCHED
from controlplane.states import StageStatus
from controlplane.store import executions, queries

MINUTE = 60
MOST = 24 * 60
"""Minutes that one word adds at the most."""
LONGEST = 7 * 24 * 3600.0
"""Seconds beyond what is declared, in all: as long as the longest bake that may be declared."""
OF_A_RELEASE = "STANDARD"


class Extension(NamedTuple):
    """By how much, and why. seen: `mark` of the row that whoever asks saw, "" for any.

    Two who press the same button at once extend it once.
    """

    minutes: int
    reason: str
    seen: str = ""


def extend_bake(tx: Transaction, execution: Any, stage: str, by: Person, asked: Extension) -> float:
    """Add minutes to what is left; answers the new end, in seconds since the epoch."""
    minutes, reason, seen = asked
    _check(minutes, reason)
    rows = executions.of_execution(tx.connection, execution.id)
    row = next((one for one in reversed(rows) if one.stage == stage), None)
    if row is None:
        raise CommandError(Problem.UNKNOWN, f"{execution.id} was never in a stage {stage!r}")
    view = view_of(tx, row, execution, queries.actions_of_stage(tx.connection, row.id))
    why = _why_not(view, row, execution)
    if not why and seen not in ("", mark(row)):
        why = f"it was extended already, and goes on until {_time(_now_ends(view, row, tx.now))}"
    until = max(_now_ends(view, row, tx.now), tx.now) + minutes * MINUTE
    if not why and until > _declared_end(view, tx.now) + LONGEST:
        why = "it would last more than seven days longer than is declared: change the declaration"
    if why:
        raise CommandError(Problem.CONFLICT, f"{stage} of {execution.id} is not extended: {why}")
    executions.update_stage(tx.connection, row.id, bake_until=until, **_anew(row, until))
    what = "is watched" if row.watch in WATCHED else "bakes"
    said = f"{stage} {what} {minutes} min longer, until {_time(until)}, by {by.name} ({by.door})"
    data = {"until": until, "minutes": minutes}
    tx.fact("bake.extended", execution, stage=stage, text=f"{said}: {reason}", data=data)
    settle(tx, [row.id])
    return until


def may_be_extended(row: Any, execution: Any) -> bool:
    """Say whether a bake or a watch runs in a stage execution, as far as its row says so."""
    bakes = row.status == StageStatus.BAKING and not execution.stop
    # What was stopped has ended, and what it left there is watched like any other.
    return execution.type == OF_A_RELEASE and (bakes or row.watch in WATCHED)


def mark(row: Any) -> str:
    """What changes with every extension of a stage execution."""
    return f"{row.id} {row.bake_until!r}"


def _check(minutes: int, reason: str) -> None:
    if not 1 <= minutes <= MOST:
        said = f"a bake is extended by 1 to {MOST} minutes at a time, not by {minutes}"
        raise CommandError(Problem.INVALID, said)
    if not reason.strip():
        raise CommandError(Problem.INVALID, "extending a bake needs a reason")


def _why_not(view: StageView, row: Any, execution: Any) -> str:
    if execution.type != OF_A_RELEASE:
        return f"it is of a {execution.type.lower()}, and only a release's bake is extended"
    if not may_be_extended(row, execution):
        how = "is being stopped" if execution.stop else f"is {row.status}"
        return f"it {how}, and only a bake or a watch that runs is extended"
    if not view.declared.rules():
        return "it has no rule that could watch for longer"
    return ""


def _now_ends(view: StageView, row: Any, now: float) -> float:
    """When it ends as things stand."""
    return float(row.watch_until or now) if row.watch in WATCHED else ends(view, now)


def _declared_end(view: StageView, now: float) -> float:
    """When it would end where nobody had said anything."""
    rules = [terms(one) for one in view.declared.rules()]
    if view.watch in WATCHED:
        ended = view.ended_at if view.ended_at is not None else now
        return ended + max((watch_seconds(one, view.status) for one in rules), default=0.0)
    began = view.baking_since if view.baking_since is not None else now
    return began + max((one.time for one in rules), default=0.0)


def _anew(row: Any, until: float) -> dict[str, Any]:
    """What kept it from ending, and who was asked, is asked anew at the new end."""
    if row.watch in WATCHED:
        return {"watch_until": until}
    return {"held": "", "asked_at": None, "extended_until": None}


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
