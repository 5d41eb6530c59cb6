"""Durations."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.declarations.durations import parse_duration
from monitors.values import duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("20s", 20), ("5m", 300), ("2h", 7200), ("7d", 604800), ("0s", 0)]
)
def test_a_whole_number_and_a_unit_is_a_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "s", "1.5s", "-1s", "5 m", "5M", "1h30m", "5m\n", "\u0665s"]
)
def test_anything_else_is_refused_with_the_mend(text: str) -> None:
    with pytest.raises(ValueError, match="write a whole number and s, m, h or d"):
        parse_duration(text)


@given(st.from_regex(r"[0-9]{0,8}[smhdw]?", fullmatch=True).filter(bool))
def test_the_monitors_read_durations_in_the_same_way(text: str) -> None:
    try:
        ours = parse_duration(text)
    except ValueError:
        with pytest.raises(ValueError, match="is no duration"):
            duration({"Interval": text}, "Interval", timedelta(0))
    else:
        assert duration({"Interval": text}, "Interval", timedelta(0)) == ours


@given(st.integers(0, 9_999_999), st.sampled_from("smhd"))
def test_no_number_of_units_overflows(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") >= timedelta(0)
