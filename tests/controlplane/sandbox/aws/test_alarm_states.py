"""AWS's own tables of alarms with missing data, and the rules of composite alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-and-missing-data
"""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sandbox.aws.alarm_states import RuleError, Terms, holds, names_in, state_of

KEEP = "what it was"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
POINTS = {"0": 0.0, "X": 9.0, "-": None}

THREE_OF_THREE = {
    "0-X-X": ("OK", "OK", "OK", "OK"),
    "----0": ("OK", "OK", "OK", "OK"),
    "-----": ("INSUFFICIENT_DATA", KEEP, "ALARM", "OK"),
    "0XX-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "--X--": ("ALARM", KEEP, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0-X-X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "00X0X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0-X--": ("OK", "OK", "ALARM", "OK"),
    "----0": ("OK", "OK", "ALARM", "OK"),
    "---X-": ("ALARM", KEEP, "ALARM", "OK"),
}
ROWS = [
    (row, needed, treatment, state)
    for table, needed in ((THREE_OF_THREE, 3), (TWO_OF_THREE, 2))
    for row, states in table.items()
    for treatment, state in zip(TREATMENTS, states, strict=True)
]


@pytest.mark.parametrize(("row", "needed", "treatment", "state"), ROWS)
def test_the_states_of_aws_tables(row: str, needed: int, treatment: str, state: str) -> None:
    terms = Terms("GreaterThanThreshold", 5.0, 3, needed, treatment)
    assert state_of([POINTS[each] for each in row], terms, KEEP) == state


def test_a_first_breaching_point_is_too_young_for_three_of_three() -> None:
    terms = Terms("GreaterThanThreshold", 5.0, 3, 3)
    assert state_of([None, None, None, None, 9.0], terms, "INSUFFICIENT_DATA") != "ALARM"


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanThreshold", ["OK", "OK", "ALARM"]),
        ("GreaterThanOrEqualToThreshold", ["OK", "ALARM", "ALARM"]),
        ("LessThanThreshold", ["ALARM", "OK", "OK"]),
        ("LessThanOrEqualToThreshold", ["ALARM", "ALARM", "OK"]),
    ],
)
def test_comparisons(comparison: str, states: list[str]) -> None:
    terms = Terms(comparison, 5.0, 1, 1)
    assert [state_of([point], terms, KEEP) for point in (4.0, 5.0, 6.0)] == states


KNOWN = {"red": "ALARM", "green": "OK", "grey": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("red")', True),
        ("ALARM(green)", False),
        ("OK(green) AND NOT ALARM(green)", True),
        ("ALARM(green) AND ALARM(red) OR OK(green)", True),
        ("ALARM(green) AND (ALARM(red) OR OK(green))", False),
        ("INSUFFICIENT_DATA(arn:aws:cloudwatch:eu-west-1:111111111111:alarm:grey)", True),
        ("NOT TRUE OR FALSE", False),
    ],
)
def test_rules_of_composite_alarms(rule: str, *, expected: bool) -> None:
    assert holds(rule, KNOWN.__getitem__) is expected


@pytest.mark.parametrize("rule", ["", "ALARM(red", "ALARM(red) OK(green)", "red", "(TRUE", "NOT"])
def test_a_rule_that_can_not_be_read_is_refused(rule: str) -> None:
    with pytest.raises(RuleError):
        holds(rule, KNOWN.__getitem__)


def test_a_rule_names_its_alarms() -> None:
    assert names_in('ALARM("a b") OR NOT OK(c)') == ["a b", "c"]


@given(st.text(alphabet='ANDORTKLM ()"ab', max_size=60))
def test_any_text_is_a_rule_or_is_refused(text: str) -> None:
    with suppress(RuleError):
        assert holds(text, lambda _name: "OK") in (True, False)
