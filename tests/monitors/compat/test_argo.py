"""Argo Rollouts' own test vectors, through the layer that reads its settings."""

import json
import re
from contextlib import suppress
from math import inf, nan
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitors.compat import argo
from monitors.compat.expressions import ExpressionError, evaluate
from tests.support.watched import recorded

NUMBERS = {"NaN": nan, "+Inf": inf}


def vectors(name: str) -> list[Any]:
    found: list[Any] = recorded(f"series/argo-rollouts/{name}_vectors.json")
    return [pytest.param(one, id=f"{one.get('name', '')}-{n}") for n, one in enumerate(found)]


def measured(one: dict[str, Any]) -> argo.Measured:
    result = one["result"]
    result = NUMBERS.get(result, result) if isinstance(result, str) else result
    return argo.measure(result, one["successCondition"] or "", one["failureCondition"] or "")


@pytest.mark.parametrize("one", [v for v in vectors("condition") if "condition" in v.values[0]])
def test_a_condition_holds_as_theirs(one: dict[str, Any]) -> None:
    wanted = one["expected"]
    if not wanted["error"]:
        assert evaluate(one["condition"], one["result"]) is wanted["value"]
        return
    with pytest.raises(ExpressionError) as caught:
        evaluate(one["condition"], one["result"])
    if "strconv" not in wanted.get("error_regex", ""):  # Go's own words for no number
        assert wanted.get("error_text", "") in str(caught.value)
        assert re.search(wanted.get("error_regex", ""), str(caught.value))


@pytest.mark.parametrize("one", [v for v in vectors("condition") if "condition" not in v.values[0]])
def test_a_measurement_has_their_phase(one: dict[str, Any]) -> None:
    found = measured(one)
    assert found.phase == one["expected"]["phase"]
    assert all(part in found.message for part in one["expected"]["message_contains"])


def judged_vectors() -> list[Any]:
    """Those of the providers that say what was measured: the others are about fetching it."""
    return [
        one
        for one in vectors("provider")
        if "successCondition" in one.values[0]
        and ("result" in one.values[0] or one.values[0]["expected"].get("error_message") is None)
    ]


@pytest.mark.parametrize("one", judged_vectors())
def test_what_a_provider_measured_has_their_phase(one: dict[str, Any]) -> None:
    if "result" not in one:
        text = one["expected"]["value"]
        try:
            result = json.loads(text)
        except ValueError:
            result = text
        one = {**one, "result": result}
    assert measured(one).phase == one["expected"]["phase"]


@pytest.mark.parametrize("one", vectors("metric_status"))
def test_a_metric_has_their_phase(one: dict[str, Any]) -> None:
    rest = (one["metric"], one["result"], one["measurements"])
    assert argo.assess(*rest, terminating=one["terminating"]) == one["expected"]["phase"]


@pytest.mark.parametrize("one", vectors("phase_order"))
def test_phases_are_in_their_order(one: dict[str, Any]) -> None:
    if "worst" in one["expected"]:
        assert argo.worst([one["left"], one["right"]]) == one["expected"]["worst"]
    else:
        assert argo.worse(one["current"], one["new"]) is one["expected"]["new_is_worse"]


@pytest.mark.parametrize("one", vectors("run_status"))
def test_a_run_has_their_phase_and_message(one: dict[str, Any]) -> None:
    found = argo.run(one["metrics"], dry=one.get("dryRun", False))
    assert found == (one["expected"]["phase"], one["expected"]["message"])


@pytest.mark.parametrize("one", vectors("schedule"))
def test_the_next_look_is_theirs(one: dict[str, Any]) -> None:
    found = argo.look_again(one["metrics"], one.get("run_started_seconds_ago"))
    assert found == one["expected"]["requeue_in_seconds"]


@example("#", None)
@given(st.text(alphabet="result.#()[]{}<>=!&|'1a ,+-*/", max_size=60), st.integers() | st.none())
def test_whatever_is_written_nothing_but_an_expression_error_is_raised(
    expression: str, result: int | None
) -> None:
    with suppress(ExpressionError):
        assert isinstance(evaluate(expression, result), bool)


@pytest.mark.parametrize("bomb", ["(" * 600 + "1" + ")" * 600, "!" * 1999, "-" * 1999 + "1"])
def test_an_expression_that_is_too_deep_is_refused(bomb: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(bomb, 1)
