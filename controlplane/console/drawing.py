"""A chart as the numbers of an SVG: both sides on one scale of time, the deployment's moment between them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT, EDGE = 640.0, 150.0, 6.0


class Scale(NamedTuple):
    """From values to the length of a side of the picture."""

    low: float
    high: float
    length: float

    def __call__(self, value: float) -> float:
        """Where a value lies."""
        room = (self.high - self.low) or 1.0
        return EDGE + (value - self.low) / room * (self.length - 2 * EDGE)


def drawing(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Points of polylines, where the deployment and the limit lie, and what the ends of the scale are."""
    points = [*chart["before"], *chart["after"]]
    times = [at for at, _ in points] + _given(chart["deployedAt"])
    values = [value for _, value in points] + _given(chart["threshold"])
    across = Scale(min(times), max(times), WIDTH)
    up = Scale(min(values), max(values), HEIGHT)
    limit, deployed = chart["threshold"], chart["deployedAt"]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "before": _line(chart["before"], across, up),
        "after": _line(chart["after"], across, up),
        "deployed": None if deployed is None else f"{across(deployed):.1f}",
        "limit": None if limit is None else f"{HEIGHT - up(limit):.1f}",
        "low": f"{up.low:.4g}",
        "high": f"{up.high:.4g}",
    }


def _given(value: float | None) -> list[float]:
    return [] if value is None else [value]


def _line(points: Sequence[Sequence[float]], across: Scale, up: Scale) -> str:
    return " ".join(f"{across(at):.1f},{HEIGHT - up(value):.1f}" for at, value in points)
