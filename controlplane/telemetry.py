"""Metrics (Prometheus) and logs. State gauges are read from the database at scrape time: they survive restarts.

Names follow Prometheus' conventions; labels are pipeline, stage, result: never an execution's id.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

Samples = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric as the database tells it: values by label values."""

    name: str
    help: str
    labels: tuple[str, ...]
    counter: bool = False
    values: Samples = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram as the database tells it: by label values its cumulated buckets, and the sum."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, str], tuple[list[tuple[str, float]], float]]

    def family(self) -> Metric:
        """As Prometheus has it."""
        family = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for labels, (buckets, total) in self.values.items():
            family.add_metric(labels, buckets, total)
        return family


class FromDatabase(Collector):
    """Asks at every scrape."""

    def __init__(self, read: Callable[[], Iterable[Reading | Distribution]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """One family a reading."""
        for reading in self._read():
            if isinstance(reading, Distribution):
                yield reading.family()
                continue
            family = (CounterMetricFamily if reading.counter else GaugeMetricFamily)(
                reading.name, reading.help, labels=reading.labels
            )
            for labels, value in reading.values.items():
                family.add_metric(labels, value)
            yield family


def registry(read: Callable[[], Iterable[Reading | Distribution]]) -> CollectorRegistry:
    """A registry of its own: two installations in one process do not mix."""
    found = CollectorRegistry()
    found.register(FromDatabase(read))
    return found


class JsonLines(logging.Formatter):
    """One JSON object a line; a log message never carries a secret (drivers see to it)."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, message, and the exception where there is one."""
        document = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Log as JSON lines; the libraries' chatter stays out."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("apscheduler", "botocore", "httpx", "urllib3", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
