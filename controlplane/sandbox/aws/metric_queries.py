"""GetMetricData: queries, expressions on them, and pages of the answer."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from controlplane.sandbox.aws.cloudwatch_math import evaluate
from controlplane.sandbox.aws.cloudwatch_values import MathError, Scope, Value
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.series import (
    Metric,
    Series,
    StatisticError,
    Store,
    check_period,
    dimensions_of,
)

MOST_QUERIES = 500
MOST_POINTS = 100_800

StoreOf = Callable[[str], Store]
"""Answers the samples of an account, "" is the caller's own."""


@dataclass(frozen=True, slots=True)
class Range:
    """start <= t < end, in seconds of the epoch."""

    start: int
    end: int


def range_of(start: datetime, end: datetime) -> Range:
    """Read StartTime and EndTime. Raises Fault where they are the wrong way round."""
    first, last = (_aware(each).timestamp() for each in (start, end))
    if first >= last:
        raise Fault("ValidationError", "The parameter EndTime must be greater than StartTime.")
    return Range(int(first), int(last) + (last % 1 > 0))


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def check(queries: Sequence[Mapping[str, Any]]) -> None:
    """Raise Fault where CloudWatch would refuse the queries as they stand."""
    if len(queries) > MOST_QUERIES:
        raise Fault(
            "ValidationError",
            f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.",
        )
    ids = [query["Id"] for query in queries]
    if len(set(ids)) != len(ids):
        raise Fault(
            "ValidationError", "The values for parameter id in MetricDataQueries are not unique."
        )
    for number, query in enumerate(queries, 1):
        if ("MetricStat" in query) == ("Expression" in query):
            which = f"MetricDataQueries.member.{number}"
            sentence = f"Either parameter {which}.Expression or {which}.MetricStat must be given."
            raise Fault("ValidationError", sentence)


def answers(
    queries: Sequence[Mapping[str, Any]], asked: Range, store_of: StoreOf
) -> dict[str, Series]:
    """Answer the series of every query by its id. Raises Fault."""
    found: dict[str, Value] = {}
    metrics = [query for query in queries if "MetricStat" in query]
    try:
        for query in metrics:
            found[query["Id"]] = _measure(query, asked, store_of)
        for query in _ordered([q for q in queries if "Expression" in q], set(found)):
            scope = _scope(found, metrics, query, asked)
            found[query["Id"]] = _as_series(evaluate(query["Expression"], scope), scope)
    except (MathError, StatisticError) as error:
        raise Fault("ValidationError", str(error)) from None
    return {name: value for name, value in found.items() if isinstance(value, dict)}


def _measure(query: Mapping[str, Any], asked: Range, store_of: StoreOf) -> Series:
    stat = query["MetricStat"]
    named = stat["Metric"]
    dimensions = dimensions_of(named.get("Dimensions"))
    metric = Metric(named["Namespace"], named["MetricName"], dimensions)
    store = store_of(str(query.get("AccountId") or ""))
    return store.series(
        metric, int(stat["Period"]), stat["Stat"], asked.start, asked.end, stat.get("Unit") or ""
    )


def _ordered(queries: list[Mapping[str, Any]], known: set[str]) -> list[Mapping[str, Any]]:
    """Order expressions so that each stands after those it uses."""
    names = {query["Id"] for query in queries}
    waiting, ready = list(queries), []
    while waiting:
        fit = [q for q in waiting if not (_words(q["Expression"]) & names) - known]
        if not fit:
            raise MathError(f"The expression {waiting[0]['Id']} uses itself")
        ready += fit
        known = known | {q["Id"] for q in fit}
        waiting = [q for q in waiting if q["Id"] not in known]
    return ready


def _words(expression: str) -> set[str]:
    word = "".join(c if c.isalnum() or c == "_" else " " for c in expression)
    return set(word.split())


def _scope(
    found: dict[str, Value], metrics: Sequence[Mapping[str, Any]], query: Any, asked: Range
) -> Scope:
    periods = [int(metric["MetricStat"]["Period"]) for metric in metrics]
    period = check_period(int(query.get("Period") or max(periods, default=60)))
    first = asked.start - asked.start % period
    # A request for years in seconds is not filled point by point.
    if (asked.end - first) // period > MOST_POINTS:
        raise MathError("the range has too many periods")
    grid = tuple(range(first, asked.end, period))
    return Scope(found, tuple(metric["Id"] for metric in metrics), grid, period)


def _as_series(value: Value, scope: Scope) -> Series:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        raise MathError("An expression that is returned must be one time series")
    return dict.fromkeys(scope.grid, value)


def page(
    queries: Sequence[Mapping[str, Any]],
    found: Mapping[str, Series],
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Answer GetMetricData's output: at most MaxDatapoints points, the rest by NextToken."""
    most = min(int(given.get("MaxDatapoints") or MOST_POINTS), MOST_POINTS)
    skip = _skip(given.get("NextToken"))
    left, before = most, 0
    results = []
    for query in queries:
        if query.get("ReturnData", True) is False:
            continue
        points = sorted(found[query["Id"]].items(), reverse=_descending(given))
        first = max(skip - before, 0)
        taken = points[first : first + left]
        before += len(points)
        left -= len(taken)
        done = first + len(taken) >= len(points)
        results.append(_result(query, taken, done=done))
    answer: dict[str, Any] = {"MetricDataResults": results, "Messages": []}
    if before > skip + most:
        answer["NextToken"] = _token(skip + most)
    return answer


def _descending(given: Mapping[str, Any]) -> bool:
    return bool(given.get("ScanBy") != "TimestampAscending")


def _result(query: Mapping[str, Any], points: Any, *, done: bool) -> dict[str, Any]:
    metric = query.get("MetricStat", {}).get("Metric", {}).get("MetricName")
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or metric or query["Id"],
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete" if done else "PartialData",
    }


def _token(skip: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"skip": skip}).encode()).decode()


def _skip(token: str | None) -> int:
    if not token:
        return 0
    try:
        return max(int(json.loads(base64.urlsafe_b64decode(token))["skip"]), 0)
    except (ValueError, KeyError, TypeError):
        raise Fault("InvalidNextToken", "The next token specified is invalid.") from None
