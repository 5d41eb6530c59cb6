"""The one place that reads the machine's clock; all else takes a clock. And how a time is spelled."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Answers the time now, always with a time zone (UTC)."""


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


LAST = datetime(9999, 12, 30, tzinfo=UTC).timestamp()
"""What lies behind it, as 9999-12-31T23:59:59-01:00 does, cannot be written in every time zone."""


def iso(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC; None stays None."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(min(max(seconds, 0.0), LAST), UTC).isoformat(
        timespec="milliseconds"
    )
    return text.replace("+00:00", "Z")


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
