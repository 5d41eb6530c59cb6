"""A series on one line of a terminal: before the deployment, a bar, since the deployment."""

from collections.abc import Mapping, Sequence
from typing import Any

LEVELS = "▁▂▃▄▅▆▇█"
BEFORE, AFTER = 20, 40
"""Characters of each side."""


def sparkline(chart: Mapping[str, Any]) -> str:
    """▂▂▁▂│▂▅███: both sides on one scale, a stretch of points by its highest; "" of a side has no point."""
    before, after = ([value for _, value in chart[side]] for side in ("before", "after"))
    every = [*before, *after]
    low, high = min(every), max(every)
    return _line(before, BEFORE, low, high) + "│" + _line(after, AFTER, low, high)


def scale(chart: Mapping[str, Any]) -> str:
    """Write the numbers of both sides: before 210 to 260, since 240 to 812, the limit is 500."""
    said = [
        f"{word} {_range([value for _, value in chart[side]])}"
        for word, side in (("before", "before"), ("since", "after"))
        if chart[side]
    ]
    limit = chart["threshold"]
    return ", ".join([*said, *([] if limit is None else [f"the limit is {limit:g}"])])


def _line(values: Sequence[float], width: int, low: float, high: float) -> str:
    width = min(width, len(values))
    parts = (
        values[len(values) * n // width : len(values) * (n + 1) // width] for n in range(width)
    )
    return "".join(LEVELS[_level(max(part), low, high)] for part in parts)


def _level(value: float, low: float, high: float) -> int:
    return 0 if high == low else round((value - low) / (high - low) * (len(LEVELS) - 1))


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
