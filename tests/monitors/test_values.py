import json
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.values import duration, flag, json_list, json_object, number, whole

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "length"),
    [("20s", timedelta(seconds=20)), ("5m", timedelta(minutes=5)), ("7d", 7 * DAY), ("", DAY)],
)
def test_durations(text: str, length: timedelta) -> None:
    assert duration({"D": text}, "D", DAY) == length


def test_a_nest_without_end_and_a_flood_of_json_are_refused() -> None:
    for value in ("[" * 60_000, json.dumps(["x" * 70_000])):
        with pytest.raises(ValueError, match="J"):
            json_list({"J": value}, "J", most=9)


def test_a_wrong_value_names_its_key() -> None:
    with pytest.raises(ValueError, match=r"^F: 'maybe' is neither true nor false$"):
        flag({"F": "maybe"}, "F")
    with pytest.raises(ValueError, match=r"^N is missing"):
        number({}, "N")


@given(st.text())
def test_any_text_is_read_or_refused_with_a_value_error(text: str) -> None:
    values = {"K": text}
    with suppress(ValueError):
        assert duration(values, "K", DAY) >= timedelta(0)
    with suppress(ValueError):
        assert whole(values, "K", 1) >= 0
    with suppress(ValueError):
        assert isinstance(json_object(values, "K"), dict)
