"""Allowed and denied times: deny wins, and daylight saving moves the hours with the clock on the wall."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.gates.calendars import covered
from controlplane.gates.windows import window

DAYS = """
DTSTART:20260105T090000
DTEND:20260105T170000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR
"""
NIGHT = """
DTSTART:20260105T013000
DTEND:20260105T033000
RRULE:FREQ=DAILY
"""
CHRISTMAS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:x
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20251224
DTEND;VALUE=DATE:20251227
RRULE:FREQ=YEARLY
END:VEVENT
END:VCALENDAR
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_open(moment: str, **given: str) -> bool:
    return window({"TimeZone": "Europe/Berlin", **given}, {}).is_open(at(moment))


def opens(moment: str, **given: str) -> datetime | None:
    return window({"TimeZone": "Europe/Berlin", **given}, {}).opens_at(at(moment))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-07T08:00", True),  # 09:00 in winter
        ("2026-07-01T07:00", True),  # 09:00 in summer
        ("2026-07-01T15:00", False),  # 17:00: the end is not in it
        ("2026-07-04T10:00", False),  # a Saturday
    ],
)
def test_the_hours_are_those_on_the_wall(moment: str, expected: bool) -> None:
    assert is_open(moment, Allow=DAYS) is expected


def test_the_night_when_the_clock_goes_forward_is_an_hour_shorter() -> None:
    assert opens("2026-03-28T12:00", Allow=NIGHT) == at("2026-03-29T00:30")
    assert is_open("2026-03-29T01:29", Allow=NIGHT)  # 03:29 in summer time
    assert not is_open("2026-03-29T01:30", Allow=NIGHT)


def test_the_night_when_the_clock_goes_back_is_an_hour_longer() -> None:
    assert opens("2026-10-24T12:00", Allow=NIGHT) == at("2026-10-24T23:30")
    assert is_open("2026-10-25T02:29", Allow=NIGHT)  # 03:29 in winter time
    assert not is_open("2026-10-25T02:30", Allow=NIGHT)


def test_deny_wins_over_allow() -> None:
    assert not is_open("2026-12-24T10:00", Allow=DAYS, Calendar=CHRISTMAS)
    assert is_open("2026-12-23T10:00", Allow=DAYS, Calendar=CHRISTMAS)


def test_holidays_begin_and_end_at_midnight_of_the_rules_own_zone() -> None:
    assert is_open("2026-12-23T22:59", Calendar=CHRISTMAS)
    assert not is_open("2026-12-23T23:00", Calendar=CHRISTMAS)
    assert opens("2026-12-24T10:00", Calendar=CHRISTMAS) == at("2026-12-26T23:00")


def test_it_opens_behind_the_holidays_and_the_week_end() -> None:
    assert opens("2026-12-24T10:00", Allow=DAYS, Calendar=CHRISTMAS) == at("2026-12-28T08:00")


def test_cron_and_allow_together_allow_what_either_does() -> None:
    both = {"Allow": DAYS, "Cron": "* * 10-11 ? * SAT *"}
    assert is_open("2026-07-04T08:30", **both)
    assert opens("2026-07-03T18:00", **both) == at("2026-07-04T08:00")


def test_a_calendar_may_be_named_and_its_text_comes_from_elsewhere() -> None:
    named = window({"Calendar": "de"}, {"de": CHRISTMAS})
    assert not named.is_open(at("2026-12-25T12:00"))


def test_an_override_of_one_day_is_known() -> None:
    moved = f"{DAYS}EXDATE:20260107T090000\n"
    assert not is_open("2026-01-07T10:00", Allow=moved)
    assert is_open("2026-01-08T10:00", Allow=moved)


@pytest.mark.parametrize(
    "given",
    [
        {"Allow": DAYS.replace("RRULE", "X-NO")},
        {"Allow": f"{DAYS.rstrip()};UNTIL=20260201T000000Z\n"},
        {"Allow": DAYS, "Deny": DAYS},
        {"Deny": DAYS.replace("DTEND:20260105T170000", "DURATION:P1D").replace(
            "WEEKLY;BYDAY=MO,TU,WE,TH,FR", "DAILY")},
    ],
)  # fmt: skip
def test_what_never_opens_is_known_to(given: dict[str, str]) -> None:
    assert opens("2026-06-01T00:00", **given) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("garbage", "a line is wrong"),
        ("DTSTART:20260105T090000\nDTSTART:20260105T090000", "DTSTART is there twice"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR", "holds no window"),
        ("DTSTART:20260105T090000", "neither DTEND nor DURATION"),
        (DAYS.replace("WEEKLY", "MINUTELY"), "FREQ must be one of"),
        (DAYS.replace("WEEKLY", "NOPE"), "RRULE is wrong"),
        (DAYS.replace("DTSTART:", "DTSTART;TZID=Mars/Base:"), "no time zone"),
        (DAYS * 40_000, "is longer than"),
        (DAYS * 31, "more than 30 windows that recur"),
    ],
)
def test_what_is_no_calendar_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        window({"Allow": text}, {})


LINE = st.one_of(
    st.sampled_from([line for line in (DAYS + NIGHT + CHRISTMAS).splitlines() if line]),
    st.text(max_size=20),
    st.builds(
        "RRULE:FREQ={};INTERVAL={};{}={}".format,
        st.sampled_from(["DAILY", "WEEKLY", "YEARLY", "HOURLY", ""]),
        st.integers(-1, 10**12),
        st.sampled_from(["COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYSETPOS", "BYHOUR"]),
        st.text("0123456789MOTUTZ-,", max_size=10),
    ),
)


@settings(max_examples=60, deadline=5000)
@given(st.lists(LINE, max_size=5))
def test_any_text_is_a_calendar_or_is_refused(lines: list[str]) -> None:
    try:
        made = window({"Allow": "\n".join(lines) or "x"}, {})
    except ValueError:
        return
    made.is_open(at("2026-06-01T00:00"))


@settings(max_examples=25, deadline=5000)
@given(st.integers(0, 24 * 370))
def test_it_is_closed_until_it_opens_and_open_then(hours: int) -> None:
    times = window({"TimeZone": "Europe/Berlin", "Allow": DAYS, "Calendar": CHRISTMAS}, {})
    now = at("2026-03-01T00:30") + timedelta(hours=hours)
    found = times.opens_at(now)
    assert found is not None and times.is_open(found)
    assert found == now or not times.is_open(found - timedelta(seconds=61))


def test_a_calendar_is_read_once() -> None:
    assert covered(DAYS, ZoneInfo("UTC")) is covered(DAYS, ZoneInfo("UTC"))
