"""A rule's series before and after the deployment, as few points as a drawing needs."""

import json
from collections.abc import Sequence
from typing import Any

from controlplane.declarations.model import RuleDeclaration
from monitors.base import Verdict

Pairs = list[list[float]]
"""[seconds since the epoch, value], in the order of time."""

POINTS = 500
"""Points of one drawing, both sides."""


def chart(
    kept: Sequence[Any], looks: Sequence[Any], since: float | None, rule: RuleDeclaration | None
) -> dict[str, Any] | None:
    """The points that the last FAIL was based on, or else the last verdict; None where nothing was measured.

    kept: rows of measured points; looks: rows of measurements. What was seen later than the points that are
    kept is told by the newest value at each later look.
    """
    chosen = next((row for row in reversed(kept) if row.verdict == Verdict.FAIL), None)
    chosen = chosen or (kept[-1] if kept else None)
    before: Pairs = json.loads(chosen.points_before) if chosen else []
    after: Pairs = json.loads(chosen.points_after) if chosen else []
    as_of = chosen.at if chosen else float("-inf")
    after += [[row.at, row.value] for row in looks if row.at > as_of and row.value is not None]
    if not before and not after:
        return None
    return {
        "deployedAt": since,
        "threshold": _threshold(rule),
        "before": before[-POINTS // 2 :],
        "after": _spread(after, POINTS // 2),
    }


def _spread(points: Pairs, most: int) -> Pairs:
    """Every n-th of a long series, and its last."""
    step = -(-len(points) // most)
    return points if step <= 1 else [*points[:-1:step], points[-1]]


def _threshold(rule: RuleDeclaration | None) -> float | None:
    try:
        return None if rule is None else float(rule.configuration["Threshold"])
    except (KeyError, ValueError):
        return None
