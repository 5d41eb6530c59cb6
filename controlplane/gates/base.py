"""What every rule of a gate says, in one shape, and how often it is asked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitors.base import Judgement, MonitorError, Outcome, Progress, Task, Verdict
from monitors.edge import declared, each_task
from monitors.values import Configuration, duration

INTERVAL = timedelta(seconds=30)
"""How often a closed gate is looked at where nobody knows when it opens."""
AT_ONCE = timedelta(milliseconds=200)
HANDLE = "gate"
OPENS_AT, TIME_ZONE = "OpensAt", "TimeZone"
"""Output of a rule that knows when it opens: ISO 8601 in UTC, and the zone that people think in."""

Seen = tuple[Verdict, str]
"""A verdict, and why."""


def interval(configuration: Configuration) -> timedelta:
    """How often to look, from the rule's own configuration."""
    return duration(configuration, "Interval", INTERVAL)


def said(
    verdict: Verdict,
    reason: str,
    every: timedelta,
    opens_at: datetime | None = None,
    zone: str = "",
) -> Progress:
    """A rule's answer: it is looked at again when it opens, where that is sooner than its interval."""
    at = "" if opens_at is None else opens_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Progress(
        Outcome.RUNNING,
        HANDLE,
        reason,
        every,
        output={OPENS_AT: at, TIME_ZONE: zone},
        judgement=Judgement(verdict, reason),
    )


def now_of(task: Task) -> datetime:
    """The time of the look; a rule that was not told it knows nothing."""
    if task.now is None:
        raise MonitorError(f"{task.action} was not told the time")
    return task.now


def zone_of(configuration: Configuration, default: str = "UTC") -> ZoneInfo:
    """Read TimeZone: a name of the IANA database. ValueError where it is none."""
    name = configuration.get("TimeZone", "") or default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"TimeZone: {name!r} is no time zone: write one such as Europe/Berlin or UTC"
        ) from None


class GateRule:
    """A rule that asks nobody outside: what it knows is in its task. It never ends by itself."""

    inline = True

    def __init__(self, judge: Callable[[Task], Progress]) -> None:
        """judge: a task to its answer; ValueError where its configuration is wrong."""
        self._judge = judge

    def start(self, task: Task) -> Progress:
        """Begin; the first look is due at once."""
        with declared():
            interval(task.configuration)
        return Progress(Outcome.RUNNING, HANDLE, "not looked at yet", AT_ONCE)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Judge each by itself."""
        return each_task(tasks, self._judge)

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""


def known(task: Task, key: str) -> Any:
    """What the engine found for this rule; MonitorError (UNREACHABLE) where it found nothing."""
    if key not in task.known:
        raise MonitorError(f"{task.action} was not told {key}")
    return task.known[key]
