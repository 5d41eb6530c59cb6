"""Expressions: short, Boolean, over names that there are; whatever goes wrong opens nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.gates.expressions import LONGEST, NAMES, Expression
from monitors.base import Verdict

DOCUMENT: dict[str, Any] = {
    "pipeline": "shop",
    "stage": "Prod",
    "digest": "sha256:1",
    "execution": {"id": "e", "version": 3, "startedAt": datetime(2026, 6, 1, tzinfo=UTC)},
    "trigger": {"type": "api", "by": "anne"},
    "revisions": {},
    "variables": {"Build": {"Tag": "v1.2"}},
    "approver": "boris",
    "approvers": ["boris"],
    "time": {"hour": 10, "weekday": "MON"},
}


def verdict(text: str) -> Verdict:
    return Expression(text).judge(DOCUMENT)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trigger.by != approver", Verdict.PASS),
        ('variables.Build.Tag.startsWith("v2")', Verdict.FAIL),
        ('time.weekday in ["MON", "TUE"] && time.hour >= 9', Verdict.PASS),
        ('approvers.exists(one, one == "boris")', Verdict.PASS),
        ("has(variables.Build.Tag) && size(approvers) > 0", Verdict.PASS),
        ("type(digest) == string", Verdict.PASS),
        ("variables.Build.Nope == 'x'", Verdict.NO_DATA),
        ("variables['Nope'].x == 'x'", Verdict.NO_DATA),
        ("digest", Verdict.UNREACHABLE),
        ("1", Verdict.UNREACHABLE),
        ("1 / 0 == 1", Verdict.UNREACHABLE),
        ("digest > 1", Verdict.UNREACHABLE),
        ("int(digest) > 1", Verdict.UNREACHABLE),
        ("approvers[9] == 'x'", Verdict.UNREACHABLE),
    ],
)  # fmt: skip
def test_only_true_opens(text: str, expected: Verdict) -> None:
    assert verdict(text) is expected


def test_the_document_of_these_tests_has_every_name() -> None:
    assert set(DOCUMENT) == set(NAMES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bulid.x == 1", "knows no 'bulid'"),
        ("digest.startswith('a')", "knows no function 'startswith'"),
        ("1 +", "is no CEL"),
        ("", "is no CEL"),
        ("'" + "a" * LONGEST + "' == ''", "is longer than"),
        ("approvers.all(a, approvers.exists(b, a == b))", "more than one of"),
        ("approvers.all // all\n(a, approvers.map(b, b) == [a])", "more than one of"),
        (
            r"""r"\".size() > 0 && approvers.all(a, approvers.all(b, a == b)) && "" == "" """,
            "more than",
        ),
        ("approvers.all(a, a == x)", "knows no 'x'"),
    ],
)
def test_what_cannot_be_right_is_refused_when_it_is_read(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Expression(text)


@given(st.text(max_size=60) | st.text("a.b()[]\"' &|=!<>+-*1,:?", max_size=40))
def test_any_text_is_refused_or_judged_and_only_true_passes(text: str) -> None:
    try:
        seen = Expression(text).judge(DOCUMENT)
    except ValueError:
        return
    assert seen[0] in set(Verdict)
