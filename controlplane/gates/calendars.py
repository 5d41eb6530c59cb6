"""iCalendar text -> the times that it covers, in UTC. Bounded and pure; RFC 5545.

A text may be a whole calendar, or only the lines of its windows, with an empty line between two:
DTSTART, DTEND or DURATION, RRULE, RDATE, EXDATE. What is written without a zone is of the rule's own.
"""

import functools
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

LONGEST = 256 * 1024
"""Characters of one calendar."""
MOST, MOST_RULES = 1_000, 30
"""Events of one calendar, and how many of them may recur: five years are looked through."""
FREQUENCIES = frozenset({"YEARLY", "MONTHLY", "WEEKLY", "DAILY"})
"""More often than daily is no window that a release waits for, and costs too much to unroll."""
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//towpath//gates//EN\r\n"
AROUND = timedelta(hours=3)
"""More than any clock on a wall ever jumps."""
Times = tuple[datetime, datetime]
"""From when until when, in UTC."""


class Covered:
    """Asks a calendar what it covers."""

    def __init__(self, events: Calendar, zone: ZoneInfo) -> None:
        self._query = recurring_ical_events.of(events, skip_bad_series=False)
        self._zone = zone

    def at(self, moment: datetime) -> bool:
        """True where a window covers the moment."""
        return any(begins <= moment < ends for begins, ends in self._found(moment, moment))

    def windows(self, start: datetime, end: datetime) -> list[Times]:
        """What is covered between two times, in order; windows that meet are one."""
        merged: list[Times] = []
        for begins, ends in self._found(start, end):
            cut = max(begins, start), min(ends, end)
            if cut[0] >= cut[1]:
                continue
            if merged and cut[0] <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(merged[-1][1], cut[1])
            else:
                merged.append(cut)
        return merged

    def _found(self, start: datetime, end: datetime) -> list[Times]:
        # Dates and times without a zone are compared with the clock on the wall of the query's own zone.
        query = [
            (at + more).astimezone(self._zone) for at, more in ((start, -AROUND), (end, AROUND))
        ]
        return sorted(map(self._times, self._query.between(*query)))

    def _times(self, event: Any) -> Times:
        return self._utc(event.start), self._utc(event.end)

    def _utc(self, at: date) -> datetime:
        if not isinstance(at, datetime):
            at = datetime.combine(at, time())
        return (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(UTC)


@functools.lru_cache(maxsize=256)
def covered(text: str, zone: ZoneInfo) -> Covered:
    """Read a calendar once; ValueError with a sentence for a person where it is wrong."""
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    try:
        events = Calendar.from_ical(_whole(text))
    except Exception as error:
        raise ValueError(f"is no iCalendar text: {_first_line(error)}") from error
    found = list(events.walk("VEVENT"))
    if not found:
        raise ValueError("holds no window: write DTSTART, DTEND and RRULE, each on its line")
    if len(found) > MOST:
        raise ValueError(f"holds more than {MOST} events")
    if sum(event.get("RRULE") is not None for event in found) > MOST_RULES:
        raise ValueError(f"holds more than {MOST_RULES} windows that recur")
    for event in found:
        _check(event)
    made = Covered(events, zone)
    try:
        made.at(datetime(2026, 1, 1, tzinfo=UTC))
    except Exception as error:
        raise ValueError(f"cannot be unrolled: {_first_line(error)}") from error
    return made


def _whole(text: str) -> str:
    """Put what holds only windows into a calendar of its own."""
    if "BEGIN:VCALENDAR" in text:
        return text
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.strip():
            blocks[-1].append(line.strip())
        else:
            blocks.append([])
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}\r\n"
        + "".join(f"{one}\r\n" for one in lines)
        + "END:VEVENT\r\n"
        for number, lines in enumerate(blocks)
        if lines
    )
    return f"{HEAD}{events}END:VCALENDAR\r\n"


def _check(event: Any) -> None:
    """What the parser lets through and nobody could mean."""
    for name, wrong in event.errors:
        raise ValueError(f"{name or 'a line'} is wrong: {wrong}")
    if event.get("DTSTART") is None:
        raise ValueError("a window has no DTSTART")
    for name in ("DTSTART", "DTEND", "DURATION"):
        value = event.get(name)
        if isinstance(value, list):
            raise ValueError(f"{name} is there twice in a window: put an empty line between two")  # noqa: TRY004 - the text is wrong
        if value is not None and value.params.get("TZID") and _is_naive(value.dt):
            raise ValueError(f"{name}: {value.params['TZID']!r} is no time zone")
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        _check_rule(rule)
    if event.get("DTEND") is None and event.get("DURATION") is None and not _is_day(event):
        raise ValueError("a window has neither DTEND nor DURATION")


def _check_rule(rule: Mapping[str, Any]) -> None:
    often = [str(one) for one in rule.get("FREQ", [])]
    if not often or not set(often) <= FREQUENCIES:
        raise ValueError(f"RRULE: FREQ must be one of {', '.join(sorted(FREQUENCIES))}")
    for key in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        if len(rule.get(key, [])) > 1:
            raise ValueError(f"RRULE: {key} with more than one value: write one window for each")


def _is_naive(at: date) -> bool:
    return isinstance(at, datetime) and at.tzinfo is None


def _is_day(event: Any) -> bool:
    return not isinstance(event.get("DTSTART").dt, datetime)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
