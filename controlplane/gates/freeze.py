"""Rule/Custom/Freeze: closed while a person's freeze covers the stage.

Nobody declares it: the engine puts it in front of every stage that is frozen, so that the freeze is seen, and
that somebody looks when it ends.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from controlplane.gates.base import AT_ONCE, GateRule, known, now_of, said
from monitors.base import Progress, Task, Verdict

FREEZES = "freezes"
"""What the engine found: a list of {reason, by, until (seconds since the epoch, or None)}."""

SHOWN = 3
LONG = timedelta(minutes=15)
"""Whoever lifts a freeze lets in who waits; nobody has to look for that."""


def freeze_rule() -> GateRule:
    """Make the driver."""
    return GateRule(_judge)


def _judge(task: Task) -> Progress:
    freezes, now = known(task, FREEZES), now_of(task)
    if not freezes:
        return said(Verdict.PASS, "no freeze", LONG)
    reason, ends = frozen_by([(one["by"], one["reason"], one["until"]) for one in freezes])
    if ends is None:
        return said(Verdict.FAIL, reason, LONG)
    return said(Verdict.FAIL, reason, max(ends - now, AT_ONCE), ends, "UTC")


def frozen_by(
    freezes: Sequence[tuple[str, str, float | None]],
) -> tuple[str, datetime | None]:
    """Who froze it and why, and when the last of them ends; None where a person must lift it.

    freezes: (by, reason, until) of each.
    """
    reason = "; ".join(f"frozen by {by}: {reason}" for by, reason, _ in freezes[:SHOWN])
    ends = [until for *_, until in freezes]
    known_ends = [at for at in ends if at is not None]
    last = max(known_ends) if len(known_ends) == len(ends) else None
    return reason, None if last is None else datetime.fromtimestamp(last, UTC)
