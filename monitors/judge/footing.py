"""What every test stands on: points that are there, fresh, whole and enough; else no verdict. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Protocol

from monitors.base import Judgement, MonitorError, Point, Series, Verdict

Reading = Series | MonitorError


class Footing(Protocol):
    """On how much a verdict must rest; label names the signal for a person."""

    @property
    def label(self) -> str: ...

    @property
    def minimum_samples(self) -> int: ...

    def overdue(self, newest: datetime, now: datetime) -> bool:
        """Say whether a signal whose newest point is this old has fallen silent."""
        ...


@dataclass(frozen=True, slots=True)
class Needs:
    """The footing of the tests that compare; as Criteria has it for limits.

    due: how long after the time of a point the next one is there where nothing is late; a signal is
      silent when that next one is overdue by more than max_age.
    """

    label: str
    minimum_samples: int
    max_age: timedelta
    due: timedelta

    def overdue(self, newest: datetime, now: datetime) -> bool:
        """Say whether a signal whose newest point is this old has fallen silent."""
        return now - newest - self.due > self.max_age


def usable(series: Series) -> list[Point]:
    """Keep the numbers, in rising order of time: NaN and infinity are no points."""
    return sorted((point for point in series.points if isfinite(point.value)), key=lambda p: p.at)


def unfit(
    needs: Footing, after: Series, points: Sequence[Point], now: datetime
) -> tuple[Verdict, str] | None:
    """Say why these points are no ground for a verdict; None where they are."""
    label, note = needs.label, f" ({after.note})" if after.note else ""
    if not points:
        return Verdict.NO_DATA, f"{label} has no data since the deployment{note}"
    newest = points[-1].at
    if needs.overdue(newest, now):
        age = f"{(now - newest).total_seconds():.0f}s ago"
        told = f"{label} is silent: its newest point is of {clock(newest)}, {age}{note}"
        return Verdict.NO_DATA, told
    if not after.complete:
        return Verdict.INCONCLUSIVE, f"{label} was answered only in part{note}"
    if len(points) < needs.minimum_samples:
        wanted = f"{len(points)} of the {needs.minimum_samples} points that a verdict needs"
        return Verdict.INCONCLUSIVE, f"{label} has {wanted}"
    return None


def unreachable(needs: Footing, error: MonitorError) -> Judgement:
    """The monitoring could not be read: it never passes and never blames."""
    return Judgement(Verdict.UNREACHABLE, f"{needs.label} could not be read: {error}")


def clock(at: datetime) -> str:
    """Write a time of day for a person."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def percent(chance: float) -> str:
    """Write a chance for a person: 0.1 %, or below 0.01 %."""
    return "below 0.01 %" if chance < 1e-4 else f"{100 * chance:.3g} %"  # noqa: PLR2004
