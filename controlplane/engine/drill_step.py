"""A drill one step further: rows in, what to do out. Pure: no clock, no rows, no network.

Whatever is done is done again after a crash until the rows say that it was, so each must be harmless twice.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from controlplane.states import DrillState

NOTICED_WITHIN = 300.0
"""Seconds. An alarm that nobody has noticed by then would not have been noticed in earnest."""


class Do(StrEnum):
    """What is due."""

    WAIT = "wait"
    ARM = "put on record that the alarm will be set"
    ALARM = "set the alarm, also where CloudWatch has set it back"
    NOTICE = "put on record that it was noticed"
    CLEAR = "set the alarm back, where CloudWatch has not"
    STOP = "nobody noticed: stop the release that bakes"
    FINISH = "put the times on record"
    FAIL = "put on record why it came to nothing"


@dataclass(frozen=True, slots=True)
class Seen:
    """How things stand. failed_at: when the rule first judged FAIL.

    stage: the status of the drill's stage execution. rollback: the execution that took the stage over,
    None before. stopped_at: when the rollback's first call began.
    """

    execution: Any
    stage: str
    failed_at: float | None = None
    rollback: Any = None
    stopped_at: float | None = None


def decide(drill: Any, seen: Seen, now: float) -> tuple[Do, str]:
    """What is due, and why where it failed."""
    if drill.state == DrillState.DEPLOYING:
        return _deploying(seen)
    if drill.state == DrillState.ALARMED:
        return _alarmed(drill, seen, now)
    return _noticed(seen)


def _deploying(seen: Seen) -> tuple[Do, str]:
    if seen.execution.ended_at is not None:
        return Do.FAIL, f"the release did not come to its bake: {seen.execution.reason}"
    return (Do.ARM, "") if seen.stage == "Baking" else (Do.WAIT, "")


def _alarmed(drill: Any, seen: Seen, now: float) -> tuple[Do, str]:
    if seen.failed_at is not None:
        return Do.NOTICE, ""
    if seen.execution.ended_at is not None:
        why = seen.execution.reason or "the bake ended before anybody noticed"
        return Do.FAIL, f"{drill.rule} did not notice {drill.alarm}: {why}"
    if drill.sets and now > drill.set_at + NOTICED_WITHIN:
        return Do.STOP, ""
    return Do.ALARM, ""


def _noticed(seen: Seen) -> tuple[Do, str]:
    if seen.rollback is None:
        over = seen.execution.ended_at is not None
        return (Do.FAIL, "it was noticed, and no rollback followed") if over else (Do.WAIT, "")
    if seen.rollback.rollback_state == "done":
        return Do.FINISH, ""
    if seen.rollback.ended_at is not None:
        return Do.FAIL, f"the rollback failed: {seen.rollback.reason}"
    # The target is restored; a real fault's alarm would go off now, and so must ours.
    return (Do.CLEAR if seen.rollback.rollback_state == "verifying" else Do.WAIT), ""
