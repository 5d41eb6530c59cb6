"""CloudWatch metrics and metric math as a signal: a point is a period that has ended.

The queries of all rules share requests of up to 500. A period that is still open is no point: its
sum only looks small. What CloudWatch answered in part is said to be incomplete.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from accounts.base import Clients
from accounts.models import Purpose
from monitors.base import MonitorError, Point, Query, Series
from monitors.edge import asking, is_wrong_request, understood
from monitors.metric_queries import MOST, Ask, ask

PAGES = 20
"""Pages of one request that are read; more make the answer incomplete."""
NOTE = 500
"""Characters of CloudWatch's own messages that are kept."""

Asked = tuple[Query, Ask]


@dataclass(slots=True)
class Found:
    """What all pages of an answer said about one id."""

    values: dict[datetime, float] = field(default_factory=dict)
    status: str = ""
    series: int = 0
    notes: list[str] = field(default_factory=list)


class CloudWatchMetric:
    """Reads one metric, or the result of metric math, for each rule."""

    def __init__(self, clients: Clients, now: Callable[[], datetime]) -> None:
        self._clients = clients
        self._now = now

    def read(self, queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        """Answer with the periods that lie wholly within [start, end) and have ended."""
        asks, wrong = understood(queries, lambda query: ask(query.configuration))
        answers: dict[str, Series | MonitorError] = dict(wrong)
        if not asks:
            return answers
        place = asks[0][0]
        with asking(f"read metrics in {place.account} ({place.region})"):
            client = self._clients.client("cloudwatch", place.account, place.region, Purpose.WATCH)
        for batch in batches(asks):
            answers.update(self._batch(client, batch))
        return answers

    def _batch(self, client: Any, batch: Sequence[Asked]) -> Mapping[str, Series | MonitorError]:
        """Read one request. One wrong query refuses it whole: halve it until that one is alone."""
        try:
            found, note = _ask(client, batch)
        except MonitorError as error:
            if len(batch) == 1 or not is_wrong_request(error):
                return {query.key: error for query, _ in batch}
            half = len(batch) // 2
            return {**self._batch(client, batch[:half]), **self._batch(client, batch[half:])}
        return {
            query.key: _answer(query, one, found.get(_id(place, batch, one)), note, self._now())
            for place, (query, one) in enumerate(batch)
        }


def batches(asks: Sequence[Asked]) -> Iterator[list[Asked]]:
    """Put together what may share a request: metrics freely, math only with the same window."""
    groups: dict[Any, list[Asked]] = {}
    for place, (query, one) in enumerate(asks):
        shared = (query.start, query.end) if one.math else None
        groups.setdefault(place if one.alone else shared, []).append((query, one))
    for group in groups.values():
        batch: list[Asked] = []
        for query, one in group:
            if batch and sum(len(each.queries) for _, each in batch) + len(one.queries) > MOST:
                yield batch
                batch = []
            batch.append((query, one))
        yield batch


def _prefix(place: int, batch: Sequence[Asked]) -> str:
    return "" if len(batch) == 1 else f"r{place}_"


def _id(place: int, batch: Sequence[Asked], one: Ask) -> str:
    return _prefix(place, batch) + one.result_id


def _ask(client: Any, batch: Sequence[Asked]) -> tuple[dict[str, Found], str]:
    """Read all pages of one request: what was found by id, and what holds for all of it."""
    request: dict[str, Any] = {
        "MetricDataQueries": [
            query
            for place, (_, one) in enumerate(batch)
            for query in one.under(_prefix(place, batch))
        ],
        "StartTime": min(query.start for query, _ in batch),
        "EndTime": max(query.end for query, _ in batch),
        "ScanBy": "TimestampAscending",
    }
    found: dict[str, Found] = {}
    notes: list[str] = []
    for _ in range(PAGES):
        with asking(f"read metrics in {batch[0][0].account} ({batch[0][0].region})"):
            answer = client.get_metric_data(**request)
        notes += _messages(answer)
        _collect(found, answer.get("MetricDataResults", ()))
        if not answer.get("NextToken"):
            return found, "; ".join(notes)
        request["NextToken"] = answer["NextToken"]
    for one in found.values():
        one.status = f"cut off after {PAGES} pages"
    return found, "; ".join(notes)


def _collect(found: dict[str, Found], results: Sequence[Mapping[str, Any]]) -> None:
    """Add one page. A page that names an id twice holds several series of it."""
    seen: dict[str, int] = {}
    for result in results:
        name = str(result.get("Id", ""))
        seen[name] = seen.get(name, 0) + 1
        one = found.setdefault(name, Found())
        one.series = max(one.series, seen[name])
        one.status = str(result.get("StatusCode", ""))
        one.notes += _messages(result)
        one.values.update(zip(result.get("Timestamps", ()), result.get("Values", ()), strict=False))


def _messages(told: Mapping[str, Any]) -> list[str]:
    return [
        f"{message.get('Code', '')}: {message.get('Value', '')}"
        for message in told.get("Messages", ())
    ]


def _answer(
    query: Query, one: Ask, found: Found | None, note: str, now: datetime
) -> Series | MonitorError:
    if found is None:
        return Series(complete=False, note=(note or "CloudWatch left it out of its answer")[:NOTE])
    if found.series > 1:
        return MonitorError(
            f"{one.result_id} answers {found.series} series: make one of them, as by SUM(...)",
            permanent=True,
        )
    if found.status == "Forbidden":
        return MonitorError("the metric's account does not share it with us", permanent=True)
    complete = found.status == "Complete"
    notes = [
        *found.notes,
        note,
        "" if complete else f"CloudWatch says {found.status or 'no status'}",
    ]
    ended = min(query.end, now)
    points = tuple(
        Point(at.astimezone(UTC), value)
        for at, value in sorted(found.values.items())
        if at >= query.start and at + one.period <= ended and math.isfinite(value)
    )
    return Series(points, complete, "; ".join(told for told in notes if told)[:NOTE])
