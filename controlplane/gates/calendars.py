"""iCalendar text -> the times that it covers, in UTC. Bounded and pure; RFC 5545.

A text may be a whole calendar, or only the lines of its windows, with an empty line between two:
DTSTART, DTEND or DURATION, RRULE, RDATE, EXDATE. What is written without a zone is of the rule's own.
"""

import functools
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar

LONGEST = 256 * 1024
"""Characters of one calendar."""
MOST = 1_000
"""Events of one calendar."""
FREQUENCIES = frozenset({"YEARLY", "MONTHLY", "WEEKLY", "DAILY"})
"""More often than daily is no window that a release waits for, and costs too much to unroll."""
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//towpath//gates//EN\r\n"
Times = tuple[datetime, datetime]
"""From when until when, in UTC."""


class Covered:
    """Asks a calendar what it covers."""

    def __init__(self, events: Calendar, zone: ZoneInfo) -> None:
        self._query = recurring_ical_events.of(events, skip_bad_series=False)
        self._zone = zone

    def at(self, moment: datetime) -> Times | None:
        """The window that covers a moment, the one that ends last; None where none does."""
        found = self._query.between(moment - timedelta(minutes=1), moment + timedelta(minutes=1))
        windows = [window for window in map(self._times, found) if window[0] <= moment < window[1]]
        return max(windows, key=lambda window: window[1], default=None)

    def next(self, moment: datetime, until: datetime) -> Times | None:
        """The first window that begins after a moment and before `until`; None where none does."""
        for event in self._after(moment, until):
            begins, ends = self._times(event)
            if moment < begins < until and ends > begins:
                return begins, ends
        return None

    def _after(self, moment: datetime, until: datetime) -> Iterator[Any]:
        """Events in order, from spans that grow: most calendars say something soon."""
        span, begin = timedelta(days=8), moment
        while begin < until:
            end = min(begin + span, until)
            yield from sorted(self._query.between(begin, end), key=lambda e: self._times(e)[0])
            begin, span = end, span * 4

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
        raise ValueError(f"{name} is wrong: {wrong}")
    if event.get("DTSTART") is None:
        raise ValueError("a window has no DTSTART")
    for name in ("DTSTART", "DTEND"):
        value = event.get(name)
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
