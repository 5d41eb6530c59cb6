"""The functions of metric math.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax-functions-list
"""

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

from controlplane.sandbox.aws.cloudwatch_values import (
    MathError,
    Scope,
    Value,
    pointwise,
    series_of,
)
from controlplane.sandbox.aws.series import Series

REDUCERS: dict[str, Callable[[Sequence[float]], float]] = {
    "AVG": statistics.fmean,
    "MAX": max,
    "MIN": min,
    "STDDEV": statistics.pstdev,
    "SUM": math.fsum,
}
"""Of a series: a number, the same at all times. Of an array: one series, point by point."""

EACH: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": math.log,
    "LOG10": math.log10,
}


def call(name: str, arguments: list[Any], scope: Scope) -> Value:
    """Call a function by its name. Raises MathError."""
    try:
        if name in REDUCERS:
            return _reduce(REDUCERS[name], *arguments)
        if name in EACH:
            return _each(EACH[name], *arguments)
        if name in OTHERS:
            return OTHERS[name](scope, *arguments)
    except TypeError:
        raise MathError(f"{name} got the wrong arguments") from None
    raise MathError(f"The sandbox does not know the function {name}")


def _reduce(function: Callable[[Sequence[float]], float], value: Value) -> Value:
    if isinstance(value, list):
        stamps = sorted({at for series in value for at in series})
        return {at: float(function([s[at] for s in value if at in s])) for at in stamps}
    series = series_of(value)
    if not series:
        return {}
    total = float(function(list(series.values())))
    return dict.fromkeys(series, total)


def _each(function: Callable[[float], float], value: Value) -> Value:
    def safe(number: float, _other: float) -> float:
        try:
            return float(function(number))
        except ValueError:  # the logarithm of what has none
            return math.nan

    return pointwise(safe, value, 0.0)


def _fill(scope: Scope, value: Value, filler: Any) -> Value:
    if isinstance(value, list):
        return [series_of(_fill(scope, each, filler)) for each in value]
    series = series_of(value)
    found: Series = {}
    last: float | None = None
    for at in scope.grid:
        if at in series:
            last = found[at] = series[at]
        elif (new := _filler(filler, series, at, last)) is not None:
            found[at] = new
    return found


def _filler(filler: Any, series: Series, at: int, last: float | None) -> float | None:
    if filler == "REPEAT":
        return last
    if filler == "LINEAR":
        return _between(series, at)
    if isinstance(filler, dict):
        return filler.get(at)
    return float(filler)


def _between(series: Series, at: int) -> float | None:
    before = max((t for t in series if t < at), default=None)
    after = min((t for t in series if t > at), default=None)
    if before is None or after is None:
        return None
    share = (at - before) / (after - before)
    return series[before] + (series[after] - series[before]) * share


def _if(_scope: Scope, condition: Value, yes: Value, no: Value = math.nan) -> Value:
    if not isinstance(condition, dict):
        return yes if condition else no
    found: Series = {}
    for at, holds in condition.items():
        branch = yes if holds else no
        value = branch.get(at) if isinstance(branch, dict) else branch
        if isinstance(value, float) and not math.isnan(value):
            found[at] = value
    return found


def _metrics(scope: Scope, part: str = "") -> Value:
    return [series_of(scope.series[name]) for name in scope.metrics if part in name]


def _rate(_scope: Scope, value: Value) -> Value:
    series = sorted(series_of(value).items())
    return {b: (y - x) / (b - a) for (a, x), (b, y) in pairwise(series)}


def _diff(_scope: Scope, value: Value) -> Value:
    return {b: y - x for (_, x), (b, y) in pairwise(sorted(series_of(value).items()))}


def _running_sum(_scope: Scope, value: Value) -> Value:
    series = sorted(series_of(value).items())
    return dict(zip((at for at, _ in series), accumulate(v for _, v in series), strict=True))


def _first(_scope: Scope, value: Value) -> Value:
    return _item(value, 0)


def _last(_scope: Scope, value: Value) -> Value:
    return _item(value, -1)


def _item(value: Value, index: int) -> Value:
    if not isinstance(value, list) or not value:
        raise MathError("an array of series is needed here")
    return value[index]


OTHERS: dict[str, Callable[..., Value]] = {
    "DIFF": _diff,
    "FILL": _fill,
    "FIRST": _first,
    "IF": _if,
    "LAST": _last,
    "METRICS": _metrics,
    "METRIC_COUNT": lambda _scope, value: float(len(value) if isinstance(value, list) else 1),
    "PERIOD": lambda scope, _value: float(scope.period),
    "RATE": _rate,
    "RUNNING_SUM": _running_sum,
    "TIME_SERIES": lambda scope, value: dict.fromkeys(scope.grid, float(value)),
}
