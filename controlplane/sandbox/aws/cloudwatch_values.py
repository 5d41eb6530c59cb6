"""The values of metric math: numbers, series, arrays of series; how they combine point by point."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.sandbox.aws.series import Series

Value = float | Series | list[Series]
"""A number, a series, or an array of series."""


class MathError(ValueError):
    """An expression that cannot be evaluated; the message says why."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can see: series by id, the metrics among them, and the periods asked for.

    grid: the start of every period in the range (FILL fills them), period: its length in seconds.
    """

    series: Mapping[str, Value]
    metrics: tuple[str, ...]
    grid: tuple[int, ...]
    period: int


Binary = Callable[[float, float], Any]


def series_of(value: Value) -> Series:
    """Answer a value that must be a series."""
    if not isinstance(value, dict):
        raise MathError("a time series is needed here")
    return value


def pointwise(function: Binary, left: Value, right: Value) -> Value:
    """Combine two values point by point; a point that one lacks, or has no result, is left out."""
    if isinstance(left, list) or isinstance(right, list):
        lefts = left if isinstance(left, list) else None
        rights = right if isinstance(right, list) else None
        count = len(lefts if lefts is not None else rights or [])
        return [
            series_of(
                pointwise(
                    function,
                    lefts[i] if lefts is not None else left,
                    rights[i] if rights is not None and i < len(rights) else right,
                )
            )
            for i in range(count)
        ]
    if isinstance(left, dict) or isinstance(right, dict):
        return _over_series(function, left, right)
    result = _number(function, left, right)
    if result is None:
        raise MathError("the expression has no value")
    return result


def _over_series(function: Binary, left: float | Series, right: float | Series) -> Series:
    stamps = [set(each) for each in (left, right) if isinstance(each, dict)]
    found: Series = {}
    for at in sorted(set.intersection(*stamps)):
        one = left[at] if isinstance(left, dict) else left
        other = right[at] if isinstance(right, dict) else right
        result = _number(function, one, other)
        if result is not None:
            found[at] = result
    return found


def _number(function: Binary, left: float, right: float) -> float | None:
    try:
        result = function(left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    if isinstance(result, complex) or not math.isfinite(result):
        return None
    return float(result)
