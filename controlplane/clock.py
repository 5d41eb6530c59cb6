"""The one place that reads the machine's clock; everything else takes a clock as a parameter."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Answers the time now, always with a time zone (UTC)."""


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told: for tests and for simulations."""

    def __init__(self, start: datetime | None = None) -> None:
        """Start at the given time, or at a fixed one."""
        self.time = start or datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> datetime:
        """Move on by so many seconds and answer the new time."""
        self.time += timedelta(seconds=seconds)
        return self.time
