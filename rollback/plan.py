"""How to get back: the steps of one rollback, in order. Pure.

What was deployed last is stopped and restored first, the targets of a wave side by side. Every step
re-reads before it acts, so a step whose work is done already (CodeDeploy rolled back by itself) ends
at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rollback.models import Placement


class StepKind(StrEnum):
    """The three parts of a rollback; their order is their run order."""

    STOP = "stop"
    RESTORE = "restore"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. placement is None for a verification of the whole stage."""

    kind: StepKind
    run_order: int
    placement: Placement | None = None


def plan(placements: Sequence[Placement]) -> list[Step]:
    """Stop all that is in flight, then restore wave by wave (or target by target) in reverse, then verify.

    What has no last known good is stopped only. Then the stage is not verified: it cannot be well, and
    that a person was paged is all that can be said. What was overtaken is stopped only, too: what
    another release put there since is not ours to take away.
    """
    back = list(reversed(placements))
    stops = [Step(StepKind.STOP, 1, placement) for placement in back]
    ours = [placement for placement in back if not placement.overtaken]
    known = [placement for placement in ours if placement.good is not None]
    restores = [
        Step(StepKind.RESTORE, 2 + i, p) for i, ones in enumerate(_waves(known)) for p in ones
    ]
    whole = bool(known) and len(known) == len(ours)
    return [*stops, *restores, *([Step(StepKind.VERIFY, 2 + len(back))] if whole else [])]


def _waves(placements: Sequence[Placement]) -> list[list[Placement]]:
    """Neighbours of one wave together; what has no wave stands alone."""
    found: list[list[Placement]] = []
    for placement in placements:
        if placement.wave and found and found[-1][0].wave == placement.wave:
            found[-1].append(placement)
        else:
            found.append([placement])
    return found
