"""Queries, tasks and points as the tests of the monitors use them."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from controlplane.clock import ManualClock
from monitors.base import Point, Query, Series, Task

NOW = ManualClock().time
"""The time at which every manual clock starts."""
EMPTY: Mapping[str, str] = MappingProxyType({})
DATA = Path(__file__).parents[2].parent / "shared" / "data"


def at(seconds: float) -> datetime:
    """So many seconds after NOW; below 0 before it."""
    return NOW + timedelta(seconds=seconds)


def query(
    key: str = "q",
    configuration: Mapping[str, str] = EMPTY,
    *,
    start: float = -300,
    end: float = 0,
) -> Query:
    return Query(key, "prod", "eu-west-1", configuration, at(start), at(end))


def task(
    configuration: Mapping[str, str] = EMPTY,
    token: str = "t1",  # noqa: S107
    *,
    since: float = -60,
) -> Task:
    return Task(
        token=token,
        pipeline="shop",
        execution="e1",
        stage="Prod",
        action="check",
        configuration=configuration,
        account="prod",
        region="eu-west-1",
        since=at(since),
        began=at(since - 60),
        now=NOW,
    )


def series(*values: float, every: float = 10, complete: bool = True, end: float = 0) -> Series:
    """One point for each value, the last one at `end`."""
    first = end - every * (len(values) - 1)
    points = (Point(at(first + every * place), value) for place, value in enumerate(values))
    return Series(tuple(points), complete=complete)


def recorded(path: str) -> Any:
    """A vendor's real answer from the shared data (beside the repository), times made whole."""
    file = DATA / path
    assert file.exists(), f"the shared data is not beside the repository: {file} is missing"
    answer = json.loads(file.read_text(), object_hook=_time)
    if isinstance(answer, dict) and "status_code" in answer:
        answer = answer["data"]
        answer.pop("ResponseMetadata", None)
    return answer


def _time(found: dict[str, Any]) -> Any:
    if found.get("__class__") != "datetime":
        return found
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    year, month, day, *rest = (int(found[part]) for part in parts)
    return datetime(year, month, day, rest[0], rest[1], rest[2], rest[3], tzinfo=NOW.tzinfo)
