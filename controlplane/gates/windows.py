"""When a stage may be entered: allowed times without the denied ones. Pure; deny wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from controlplane.gates.base import zone_of
from controlplane.gates.calendars import Covered, covered
from controlplane.gates.cron import Cron, cron

HORIZON = timedelta(days=5 * 366)
"""A window that does not open within five years never does."""
STEPS = 500
"""Closed and open times that are gone through before one is given up."""
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
        return self._allowed(at) and self._denied(at) is None

    def opens_at(self, now: datetime) -> datetime | None:
        """The first time from now on at which it is open; None where it stays closed for five years."""
        at, until = now, now + HORIZON
        for _ in range(STEPS):
            ends = self._denied(at)
            if ends is not None:
                at = ends
            elif self._allowed(at):
                return at
            else:
                begins = self._next(at, until)
                if begins is None:
                    return None
                at = begins
            if at >= until:
                return None
        return None

    def _allowed(self, at: datetime) -> bool:
        if self.cron is None and self.allow is None:
            return True
        by_cron = self.cron is not None and self.cron.holds(at, self.zone)
        return by_cron or (self.allow is not None and self.allow.at(at) is not None)

    def _denied(self, at: datetime) -> datetime | None:
        """When the denied time that covers this one ends."""
        ends = [window[1] for calendar in self.deny if (window := calendar.at(at)) is not None]
        return max(ends, default=None)

    def _next(self, at: datetime, until: datetime) -> datetime | None:
        found = [] if self.cron is None else [self.cron.next(at, self.zone, until)]
        window = None if self.allow is None else self.allow.next(at, until)
        found.append(None if window is None else window[0])
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
