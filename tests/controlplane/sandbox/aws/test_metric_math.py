"""Metric math gives what CloudWatch gives, and refuses what it does not know."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sandbox.aws.cloudwatch_math import evaluate
from controlplane.sandbox.aws.cloudwatch_values import MathError, Scope

SERIES: dict[str, Any] = {"e": {0: 1.0, 60: 2.0}, "r": {0: 10.0, 60: 0.0, 120: 5.0}}
SCOPE = Scope(SERIES, ("e", "r"), (0, 60, 120), 60)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("e/r*100", {0: 10.0}),
        ("e+r", {0: 11.0, 60: 2.0}),
        ("-e", {0: -1.0, 60: -2.0}),
        ("e^2", {0: 1.0, 60: 4.0}),
        ("e > 1", {0: 0.0, 60: 1.0}),
        ("e > 1 || r > 5", {0: 1.0, 60: 1.0}),
        ("e > 1 AND r == 0", {0: 0.0, 60: 1.0}),
        ("FILL(e, 0)", {0: 1.0, 60: 2.0, 120: 0.0}),
        ("FILL(e, REPEAT)", {0: 1.0, 60: 2.0, 120: 2.0}),
        ("IF(r > 0, e, 7)", {0: 1.0, 60: 7.0}),
        ("SUM(METRICS())", {0: 11.0, 60: 2.0, 120: 5.0}),
        ("MAX([e, r])", {0: 10.0, 60: 2.0, 120: 5.0}),
        ('SUM(METRICS("e"))', {0: 1.0, 60: 2.0}),
        ("AVG(e)", {0: 1.5, 60: 1.5}),
        ("RATE(e)", {60: 1 / 60}),
        ("DIFF(r)", {60: -10.0, 120: 5.0}),
        ("RUNNING_SUM(r)", {0: 10.0, 60: 10.0, 120: 15.0}),
        ("ABS(e-r)", {0: 9.0, 60: 2.0}),
        ("e * PERIOD(e)", {0: 60.0, 60: 120.0}),
        ("(e-5)^0.5", {}),
        ("FILL(e, 0) / 0", {}),
        ("TIME_SERIES(3)", {0: 3.0, 60: 3.0, 120: 3.0}),
    ],
)
def test_expressions(expression: str, expected: dict[int, float]) -> None:
    assert evaluate(expression, SCOPE) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "x",
        "e +",
        "__import__('os')",
        "e.values",
        "SEARCH('{App} x', 'Sum')",
        "SELECT AVG(x) FROM y",
        "[x for x in e]",
        "ABS()",
        "'text'",
        "lambda: e",
        "(" * 300,
        "-" * 200 + "1",
        "e" * 3000,
        "9" * 400 + "*1",
    ],
)
def test_what_is_no_metric_math_is_refused(expression: str) -> None:
    with pytest.raises(MathError):
        evaluate(expression, SCOPE)


@given(st.text(alphabet="er0129.+-*/^()[],<>=&|ABSUMFILLIF ", max_size=40))
def test_any_text_has_a_value_or_is_refused(text: str) -> None:
    with suppress(MathError):
        assert isinstance(evaluate(text, SCOPE), float | dict | list)
