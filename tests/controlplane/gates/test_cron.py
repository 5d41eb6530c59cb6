"""CodePipeline's cron: which minutes match, on which clock, and when the next begins."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.gates.cron import cron

BERLIN, ZULU = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment", "holds"),
    [
        ("* * 9-16 ? * MON-FRI *", "2026-06-01T09:00", True),
        ("* * 9-16 ? * MON-FRI *", "2026-06-01T16:59", True),
        ("* * 9-16 ? * MON-FRI *", "2026-06-01T17:00", False),
        ("* * 9-16 ? * MON-FRI *", "2026-06-06T10:00", False),
        ("Cron: * * 9-16 ? * 2-6", "2026-06-01T10:00", True),
        ("* 0/15 * * * ? *", "2026-06-01T10:45", True),
        ("* 0/15 * * * ? *", "2026-06-01T10:46", False),
        ("* 5/15 * * * ? *", "2026-06-01T10:50", True),
        ("* * * L * ? *", "2026-02-28T10:00", True),
        ("* * * L-3 * ? *", "2026-02-25T10:00", True),
        ("* * * 15W * ? *", "2026-08-14T10:00", True),  # the 15th is a Saturday
        ("* * * 1W * ? *", "2026-08-03T10:00", True),  # the 1st is one; a W stays in its month
        ("* * * LW * ? *", "2026-05-29T10:00", True),  # the 31st is a Sunday
        ("* * * ? * 6L *", "2026-06-26T10:00", True),
        ("* * * ? * 6L *", "2026-06-19T10:00", False),
        ("* * * ? * FRI#3 *", "2026-06-19T10:00", True),
        ("* * * ? JAN,DEC * *", "2026-06-19T10:00", False),
        ("* * * ? * * 2027-2030", "2026-06-19T10:00", False),
        ("* * 22-2 ? * FRI-MON *", "2026-06-07T01:00", True),
    ],
)
def test_which_minutes_match(text: str, moment: str, holds: bool) -> None:
    assert cron(text).holds(at(moment), ZULU) is holds


def test_the_clock_is_that_of_the_zone_in_summer_and_in_winter() -> None:
    nine = cron("* * 9 ? * * *")
    assert nine.holds(at("2026-07-01T07:30"), BERLIN)
    assert nine.holds(at("2026-01-07T08:30"), BERLIN)
    assert not nine.holds(at("2026-07-01T09:30"), BERLIN)


def test_an_hour_that_the_clock_skips_does_not_come_that_day() -> None:
    half_past_two = cron("* 30 2 ? * * *")
    opens = half_past_two.next(at("2026-03-28T12:00"), BERLIN, at("2026-04-10T00:00"))
    assert opens == at("2026-03-30T00:30")


def test_an_hour_that_the_clock_doubles_comes_twice() -> None:
    half_past_two = cron("* 30 2 ? * * *")
    first = half_past_two.next(at("2026-10-24T12:00"), BERLIN, at("2026-10-30T00:00"))
    assert first == at("2026-10-25T00:30")
    assert half_past_two.next(first, BERLIN, at("2026-10-30T00:00")) == at("2026-10-25T01:30")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * * *",
        "0 * * ? * * *",
        "* 60 * ? * * *",
        "* * 24 ? * * *",
        "* * * 0 * ? *",
        "* * * 1,99 * ? *",
        "* * * 99W * ? *",
        "* * * ? 13 * *",
        "* * * ? * 8 *",
        "* * * ? * MON#6 *",
        "* * * ? * SUN,NOPE *",
        "* */0 * ? * * *",
        "* x * ? * * *",
        "* * * ? * * 1900",
    ],
)
def test_what_is_no_expression_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="Cron: "):
        cron(text)


FIELD = st.text("0123456789*?LW#-/,MONFRI", min_size=1, max_size=8)


@given(st.lists(FIELD, min_size=5, max_size=7))
def test_any_text_is_an_expression_or_is_refused(fields: list[str]) -> None:
    try:
        made = cron(" ".join(["*", *fields]))
    except ValueError:
        return
    made.holds(at("2026-06-01T09:00"), BERLIN)


@given(st.integers(0, 400), st.sampled_from(["* * 9-16 ? * MON-FRI *", "* 0/7 2 ? * SUN *"]))
def test_it_opens_exactly_when_it_says(hours: int, text: str) -> None:
    made, now = cron(text), at("2026-03-20T00:00") + timedelta(hours=hours)
    opens = made.next(now, BERLIN, now + timedelta(days=30))
    assert opens is not None and opens > now
    assert made.holds(opens, BERLIN)
    minutes = int((opens - now) / timedelta(minutes=1))
    between = [now + timedelta(minutes=m) for m in range(1, minutes, 7)]
    assert made.holds(now, BERLIN) or not any(made.holds(one, BERLIN) for one in between)
