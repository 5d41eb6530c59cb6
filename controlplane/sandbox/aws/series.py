"""Metric samples of one account and region, and the series made of them.

A sample of standard resolution counts at the start of its minute, one of high resolution (it was
put with StorageResolution=1) at its second, as CloudWatch stores them.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html
"""

import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

KEPT = 50_000
"""Samples kept of one metric; the oldest go."""

MINUTE = 60
SHORT_PERIODS = (1, 5, 10, 20, 30)
PLAIN = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")

Dimensions = tuple[tuple[str, str], ...]
Series = dict[int, float]
"""Values by the start of their period, in seconds of the epoch."""


class StatisticError(ValueError):
    """A statistic or a period that CloudWatch does not know, or that the sandbox does not."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What names a metric: the namespace, the name and exactly these dimensions."""

    namespace: str
    name: str
    dimensions: Dimensions = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One value, or one set of statistics: its low, high, sum and number of values."""

    at: int
    low: float
    high: float
    total: float
    count: float
    unit: str


def dimensions_of(given: Sequence[Mapping[str, str]] | None) -> Dimensions:
    """Read dimensions as the API gives them: [{"Name", "Value"}], in any order."""
    return tuple(sorted((each["Name"], each["Value"]) for each in given or ()))


def check_period(period: int) -> int:
    """Answer the period; StatisticError unless it is 1, 5, 10, 20, 30 or a multiple of 60."""
    if period not in SHORT_PERIODS and (period <= 0 or period % MINUTE):
        raise StatisticError("Period must be 1, 5, 10, 20, 30 or a multiple of 60")
    return period


def check_statistic(statistic: str) -> str:
    """Answer the statistic; StatisticError unless it is a plain one or a percentile (p99.9)."""
    if statistic not in PLAIN and not PERCENTILE.fullmatch(statistic):
        raise StatisticError(f"The value {statistic} for parameter Stat is not supported.")
    return statistic


class Store:
    """Samples by metric; safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: dict[Metric, deque[Sample]] = {}
        self._end: int | None = None

    def until(self, end: int) -> "Store":
        """Answer a view of the same samples, without those of `end` and later."""
        view = Store()
        view._lock, view._samples, view._end = self._lock, self._samples, end
        return view

    def put(self, namespace: str, datum: Mapping[str, Any], now: datetime) -> None:
        """Take one MetricDatum as the API gives it."""
        name = str(datum["MetricName"])
        metric = Metric(namespace, name, dimensions_of(datum.get("Dimensions")))
        at = int((datum.get("Timestamp") or now).timestamp())
        if int(datum.get("StorageResolution") or MINUTE) != 1:
            at -= at % MINUTE
        new = list(_samples(at, datum))
        with self._lock:
            self._samples.setdefault(metric, deque(maxlen=KEPT)).extend(new)

    def metrics(self) -> list[Metric]:
        """Answer every metric that has a sample."""
        with self._lock:
            return list(self._samples)

    def series(
        self, metric: Metric, period: int, statistic: str, start: int, end: int, unit: str = ""
    ) -> Series:
        """Answer one statistic by period; the range is start <= t < end, start rounded down."""
        check_period(period)
        check_statistic(statistic)
        first = start - start % period
        end = end if self._end is None else min(end, self._end)
        buckets: dict[int, list[Sample]] = {}
        with self._lock:
            samples = list(self._samples.get(metric, ()))
        for sample in samples:
            if first <= sample.at < end and unit in ("", sample.unit):
                buckets.setdefault(sample.at - sample.at % period, []).append(sample)
        return {at: statistic_of(found, statistic) for at, found in sorted(buckets.items())}


def _samples(at: int, datum: Mapping[str, Any]) -> Iterator[Sample]:
    unit = str(datum.get("Unit") or "None")
    if given := datum.get("StatisticValues"):
        low, high = float(given["Minimum"]), float(given["Maximum"])
        yield Sample(at, low, high, float(given["Sum"]), float(given["SampleCount"]), unit)
        return
    values = datum.get("Values") or [datum.get("Value", 0.0)]
    counts = datum.get("Counts") or [1.0] * len(values)
    for value, count in zip(map(float, values), map(float, counts), strict=False):
        yield Sample(at, value, value, value * count, count, unit)


def statistic_of(samples: Sequence[Sample], statistic: str) -> float:
    """Answer one statistic of some samples (at least one)."""
    count = sum(sample.count for sample in samples)
    total = sum(sample.total for sample in samples)
    simple = {
        "SampleCount": count,
        "Sum": total,
        "Minimum": min(sample.low for sample in samples),
        "Maximum": max(sample.high for sample in samples),
        "Average": total / count if count else 0.0,
    }
    if statistic in simple:
        return simple[statistic]
    return _percentile(samples, float(check_statistic(statistic)[1:]) / 100)


def _percentile(samples: Sequence[Sample], share: float) -> float:
    # A set of statistics counts with its mean: CloudWatch has its values no more than we have.
    ordered = sorted((s.total / s.count if s.count else s.low, s.count) for s in samples)
    place = share * (sum(count for _, count in ordered) - 1)
    below = _at(ordered, int(place))
    return below + (_at(ordered, int(place) + 1) - below) * (place - int(place))


def _at(ordered: Sequence[tuple[float, float]], index: int) -> float:
    seen = 0.0
    for value, count in ordered:
        seen += count
        if index < seen:
            return value
    return ordered[-1][0]
