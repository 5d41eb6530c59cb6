"""Alertmanager's matchers, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.gates.matchers import Matcher, matchers


def test_they_are_read_as_alertmanager_writes_them() -> None:
    found = matchers('{severity="critical", team=~"shop|till", env!=dev}')
    assert [str(one) for one in found] == ['severity="critical"', 'team=~"shop|till"', 'env!="dev"']


def test_a_label_that_is_not_there_is_empty() -> None:
    assert not Matcher("team", "=", "shop").holds({})
    assert Matcher("team", "!=", "shop").holds({})


@pytest.mark.parametrize("text", ["", "a", 'a=="b"', 'a="b" c="d"', 'a="b', "a=b,,c=d", "=b"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Matchers"):
        matchers(text)


def test_patterns_are_for_alertmanager_only() -> None:
    with pytest.raises(ValueError, match="= and != only"):
        matchers('a=~"b"', equality=True)


@given(
    st.lists(
        st.tuples(st.sampled_from(["=", "!=", "=~", "!~"]), st.text(max_size=20)),
        min_size=1,
        max_size=5,
    )
)
def test_what_is_written_is_read_back(parts: list[tuple[str, str]]) -> None:
    made = tuple(Matcher("label", operator, value) for operator, value in parts)
    assert matchers(", ".join(map(str, made))) == made
