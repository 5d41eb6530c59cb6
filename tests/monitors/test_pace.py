"""How soon to look again."""

from datetime import UTC, datetime, timedelta

import pytest

from monitors.base import Task
from monitors.pace import pace

START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(("age", "wait"), [(0, 1.0), (30, 3.0), (3600, 15.0), (-5, 1.0)])
def test_waiting_adds_at_most_a_tenth(age: float, wait: float) -> None:
    now = START + timedelta(seconds=age)
    task = Task("t", "p", "e", "s", "a", {}, since=START, now=now)
    assert pace(task).total_seconds() == pytest.approx(wait)


def test_it_looks_soon_where_nothing_is_known() -> None:
    assert pace(Task("t", "p", "e", "s", "a", {})).total_seconds() == pytest.approx(1.0)
