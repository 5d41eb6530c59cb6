"""CodePipeline's cron expressions of a DeploymentWindow: the minutes in which a deployment is allowed. Pure.

Six fields and a year: `* 0-59 9-16 ? * MON-FRI *` (seconds must be `*`), with `, - * / ? L W #`.
https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIRST_YEAR, LAST_YEAR = 1970, 2199
LONGEST = 200
LEAP_DAY = date(2028, 2, 29)
EXAMPLE = (
    "write one such as `* * 9-16 ? * MON-FRI *` (seconds minutes hours day month weekday year)"
)
_PART = re.compile(r"(\*|[0-9A-Z]{1,4})(?:-([0-9A-Z]{1,4}))?(?:/([0-9]{1,4}))?")
_LAST = re.compile(r"L(?:-([0-9]{1,2}))?")
_WEEKDAY = re.compile(r"([0-9]{1,2})W|(LW)")
_NTH = re.compile(r"([0-9A-Z]{1,3})(?:#([1-5])|(L))")


@dataclass(frozen=True, slots=True)
class Cron:
    """The minutes that match. day, weekday: as written, for they depend on the month they are in."""

    minutes: frozenset[int]
    hours: frozenset[int]
    day: str
    months: frozenset[int]
    weekday: str
    years: frozenset[int]

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        """True where the minute of `at` on a clock of that zone matches."""
        local = at.astimezone(zone)
        return (
            local.minute in self.minutes and local.hour in self.hours and self.has_day(local.date())
        )

    def has_day(self, day: date) -> bool:
        """True where some minute of the day may match."""
        return (
            day.year in self.years
            and day.month in self.months
            and _is_day(self.day, day)
            and _is_weekday(self.weekday, day)
        )

    def next(self, after: datetime, zone: ZoneInfo, until: datetime) -> datetime | None:
        """The first matching minute that begins after a time; None where none begins before `until`."""
        day, last = after.astimezone(zone).date(), until.astimezone(zone).date()
        while day <= last:
            if self.has_day(day):
                found = [
                    at for hour in self._hours(day, zone) for at in self._in(hour, after, zone)
                ]
                if found:
                    return min(found) if min(found) < until else None
            day += timedelta(days=1)
        return None

    def _hours(self, day: date, zone: ZoneInfo) -> set[datetime]:
        """When the matching hours of a day begin, in UTC; one that the clock doubles begins twice."""
        local = (
            datetime.combine(day, time(hour, fold=fold), zone)
            for hour in self.hours
            for fold in (0, 1)
        )
        return {one.astimezone(UTC) for one in local}

    def _in(self, hour: datetime, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The first matching minute of an hour after a time; an hour that the clock skips has none."""
        if hour + timedelta(hours=1) <= after:
            return
        for minute in sorted(self.minutes):
            at = hour + timedelta(minutes=minute)
            if at > after and self.holds(at, zone):
                yield at
                return


def cron(text: str) -> Cron:
    """Read an expression; ValueError with a sentence for a person where it is wrong."""
    fields = text.upper().removeprefix("CRON:").split()
    if len(text) > LONGEST or len(fields) not in {6, 7}:
        raise ValueError(f"Cron: {text[:60]!r} has not 6 or 7 fields: {EXAMPLE}")
    seconds, minutes, hours, day, month, weekday, *years = fields
    if seconds != "*":
        raise ValueError(f"Cron: the seconds are {seconds!r}: only * is allowed there")
    made = Cron(
        _numbers("minutes", minutes, 0, 59),
        _numbers("hours", hours, 0, 23),
        day,
        _numbers("month", month, 1, 12, MONTHS),
        weekday,
        _numbers("year", years[0] if years else "*", FIRST_YEAR, LAST_YEAR),
    )
    for part in day.split(","):  # each by itself: a fault must not hide behind another's match
        _is_day(part, LEAP_DAY)
    for part in weekday.split(","):
        _is_weekday(part, LEAP_DAY)
    return made


def _numbers(
    field: str, text: str, least: int, most: int, names: tuple[str, ...] = (), first: int = 1
) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"Cron: {field} {part!r} is not understood: {EXAMPLE}")
        start, end, step = match.groups()
        low = least if start == "*" else _number(field, start, (least, most), names, first)
        high = most if start == "*" or (step and not end) else low
        if end:
            high = _number(field, end, (least, most), names, first)
        every = int(step or 1)
        if every == 0:
            raise ValueError(f"Cron: {field} {part!r} has a step of 0")
        # FRI-MON goes round the end.
        found |= {
            least + (n - least) % (most - least + 1)
            for n in range(low, (high if high >= low else high + most - least + 1) + 1, every)
        }
    return frozenset(found)


def _number(
    field: str, text: str, bounds: tuple[int, int], names: tuple[str, ...], first: int
) -> int:
    if text in names:
        return names.index(text) + first
    if not text.isdecimal() or not bounds[0] <= int(text) <= bounds[1]:
        raise ValueError(f"Cron: {field} {text!r} is not from {bounds[0]} to {bounds[1]}")
    return int(text)


def _is_day(text: str, day: date) -> bool:
    """Days of the month: `L` is the last, `L-3` three before it, `15W` the working day next to it."""
    if text in {"?", "*"}:
        return True
    last = calendar.monthrange(day.year, day.month)[1]
    for part in text.split(","):
        ends, working = _LAST.fullmatch(part), _WEEKDAY.fullmatch(part)
        if ends is not None:
            hit = day.day == last - int(ends[1] or 0)
        elif working is not None:
            wanted = last if working[2] else _number("day of the month", working[1], (1, 31), (), 1)
            hit = wanted <= last and day.day == _working_day(day, wanted, last)
        else:
            hit = day.day in _numbers("day of the month", part, 1, 31)
        if hit:
            return True
    return False


def _working_day(month: date, wanted: int, last: int) -> int:
    """The nearest day from Monday to Friday, without leaving the month."""
    weekday = calendar.weekday(month.year, month.month, wanted)
    if weekday == calendar.SATURDAY:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == calendar.SUNDAY:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def _is_weekday(text: str, day: date) -> bool:
    """Weekdays, 1 is Sunday: `6L` is the last Friday of the month, `6#3` the third."""
    if text in {"?", "*"}:
        return True
    today = day.isoweekday() % 7 + 1
    last = calendar.monthrange(day.year, day.month)[1]
    for part in text.split(","):
        nth = _NTH.fullmatch(part)
        if part == "L":
            hit = today == len(DAYS)
        elif nth is not None:
            wanted = _number("weekday", nth[1], (1, 7), DAYS, 1)
            which = day.day + 7 > last if nth[3] else (day.day - 1) // 7 + 1 == int(nth[2])
            hit = today == wanted and which
        else:
            hit = today in _numbers("weekday", part, 1, 7, DAYS)
        if hit:
            return True
    return False
