"""When a stage may be entered: allowed times without the denied ones. Pure; deny wins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from controlplane.gates.base import zone_of
from controlplane.gates.calendars import Covered, Times, covered
from controlplane.gates.cron import Cron, cron

HORIZON = timedelta(days=5 * 366)
"""A window that does not open within five years never does."""
FIRST = timedelta(days=8)
"""Looked through at first; most windows open soon, and each further span is longer."""
CALENDAR = "BEGIN:VCALENDAR"


@dataclass(frozen=True, slots=True)
class Window:
    """cron, allow: allowed is what either allows, everything where there is neither. deny: never then."""

    zone: ZoneInfo
    cron: Cron | None = None
    allow: Covered | None = None
    deny: tuple[Covered, ...] = ()

    def is_open(self, at: datetime) -> bool:
        """Deny wins."""
        return self._allowed(at) and not any(one.at(at) for one in self.deny)

    def opens_at(self, now: datetime) -> datetime | None:
        """The first time from now on at which it is open; None where it stays closed for five years."""
        begin, span = now, FIRST
        while begin < now + HORIZON:
            end = min(begin + span, now + HORIZON)
            for gap in self._not_denied(begin, end):
                opens = self._first(*gap)
                if opens is not None:
                    return opens
            begin, span = end, span * 4
        return None

    def _allowed(self, at: datetime) -> bool:
        if self.cron is None and self.allow is None:
            return True
        by_cron = self.cron is not None and self.cron.holds(at, self.zone)
        return by_cron or (self.allow is not None and self.allow.at(at))

    def _not_denied(self, begin: datetime, end: datetime) -> Iterator[Times]:
        """What is left between the denied times."""
        at = begin
        denied = sorted(times for one in self.deny for times in one.windows(begin, end))
        for starts, ends in denied:
            if at < starts:
                yield at, starts
            at = max(at, ends)
        if at < end:
            yield at, end

    def _first(self, begin: datetime, end: datetime) -> datetime | None:
        """The first allowed time in a gap."""
        if self.cron is None and self.allow is None:
            return begin
        found = []
        if self.cron is not None:
            holds = self.cron.holds(begin, self.zone)
            found.append(begin if holds else self.cron.next(begin, self.zone, end))
        if self.allow is not None:
            found += [starts for starts, _ in self.allow.windows(begin, end)[:1]]
        return min((one for one in found if one is not None), default=None)


def window(configuration: Mapping[str, str], calendars: Mapping[str, str]) -> Window:
    """Read a DeploymentWindow; ValueError that names the key where it is wrong.

    calendars: the text of each calendar that is named and not written out.
    """
    zone = zone_of(configuration)
    written = configuration.get("Cron", "")
    deny = [key for key in ("Deny", "Calendar") if configuration.get(key)]
    texts = {key: configuration[key] for key in deny}
    if "Calendar" in texts and not is_written_out(texts["Calendar"]):
        texts["Calendar"] = calendars[texts["Calendar"]]
    return Window(
        zone,
        cron(written) if written else None,
        _covered("Allow", configuration["Allow"], zone) if configuration.get("Allow") else None,
        tuple(_covered(key, text, zone) for key, text in texts.items()),
    )


def is_written_out(calendar: str) -> bool:
    """False where it is only the name of one."""
    return CALENDAR in calendar or "DTSTART" in calendar


def _covered(key: str, text: str, zone: ZoneInfo) -> Covered:
    try:
        return covered(text, zone)
    except ValueError as error:
        raise ValueError(f"{key} {error}") from error
