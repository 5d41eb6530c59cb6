"""What a CloudWatchMetric rule asks, as GetMetricData takes it. Pure: it reads and rewrites.

Rules of many pipelines share one request, so each rule's ids are prefixed, and with them the
references in its math expressions. Some expressions look at the whole request and stay alone.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from monitors.values import Configuration, json_list, json_object, text, whole

MOST = 500
"""Queries that one GetMetricData takes."""
DEFAULT_PERIOD = 60

_ID = re.compile(r"[a-z][A-Za-z0-9_]{0,199}")
_WORD = re.compile(r"""("[^"]*"|'[^']*')|([A-Za-z_][A-Za-z0-9_]*)""")
_ALONE = re.compile(r"\b(METRICS|SEARCH|SELECT)\b")
"""METRICS() means every metric of the request, and a request may hold but one SELECT."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One rule's queries: the result is that of result_id, one point for each period.

    alone: must not share a request. math: its answer depends on the window that is asked.
    """

    queries: tuple[Mapping[str, Any], ...]
    result_id: str
    period: timedelta
    alone: bool
    math: bool

    def under(self, prefix: str) -> list[dict[str, Any]]:
        """Give the queries with every id, and every reference to one, under the prefix."""
        ids = {str(query["Id"]) for query in self.queries}
        return [self._rewritten(query, ids, prefix) for query in self.queries]

    def _rewritten(self, query: Mapping[str, Any], ids: set[str], prefix: str) -> dict[str, Any]:
        made = {
            **query,
            "Id": prefix + str(query["Id"]),
            "ReturnData": query["Id"] == self.result_id,
        }
        if "Expression" in query:
            made["Expression"] = renamed(str(query["Expression"]), ids, prefix)
        return made


def renamed(expression: str, ids: set[str], prefix: str) -> str:
    """Prefix the ids in a math expression; quoted text and function names stay as they are."""

    def one(match: re.Match[str]) -> str:
        return prefix + match[0] if match[2] in ids else match[0]

    return _WORD.sub(one, expression)


def ask(configuration: Configuration) -> Ask:
    """Read a rule: MetricDataQueries with ResultId, or Namespace, MetricName and the rest."""
    if configuration.get("MetricDataQueries"):
        return _queries(configuration)
    period = whole(configuration, "Period", DEFAULT_PERIOD, least=1)
    dimensions = json_object(configuration, "Dimensions")
    metric = {
        "Namespace": text(configuration, "Namespace"),
        "MetricName": text(configuration, "MetricName"),
        "Dimensions": [{"Name": name, "Value": str(dimensions[name])} for name in dimensions],
    }
    stat = {"Metric": metric, "Period": period, "Stat": text(configuration, "Statistic")}
    query = {"Id": "value", "MetricStat": stat}
    return Ask((query,), "value", timedelta(seconds=period), alone=False, math=False)


def _queries(configuration: Configuration) -> Ask:
    queries = json_list(configuration, "MetricDataQueries", most=MOST)
    ids = [query.get("Id") for query in queries]
    wrong = [one for one in ids if not isinstance(one, str) or not _ID.fullmatch(one)]
    if wrong or len(set(ids)) != len(ids):
        raise ValueError(
            "MetricDataQueries: every entry needs an Id of its own that starts with a small letter"
        )
    result = text(configuration, "ResultId")
    if result not in ids:
        raise ValueError(f"ResultId {result!r} is none of the Ids in MetricDataQueries")
    expressions = [str(query["Expression"]) for query in queries if "Expression" in query]
    return Ask(
        tuple(queries),
        result,
        timedelta(seconds=max(_periods(queries), default=DEFAULT_PERIOD)),
        alone=any(_ALONE.search(expression) for expression in expressions),
        math=bool(expressions),
    )


def _periods(queries: Sequence[Mapping[str, Any]]) -> list[int]:
    found = []
    for query in queries:
        stat = query.get("MetricStat")
        inner = stat.get("Period") if isinstance(stat, dict) else None
        for period in (query.get("Period"), inner):
            if period is not None and not (isinstance(period, int) and period > 0):
                raise ValueError(f"MetricDataQueries: Period {period!r} is no number of seconds")
            if period is not None:
                found.append(period)
    return found
