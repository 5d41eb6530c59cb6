"""Errors of requests, and burn rates, through the rule's own configuration."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.base import Judgement, Series, Verdict
from monitors.judge import rule
from monitors.judge.count import Counts, dispersion
from tests.support.watched import NOW, series

ERRORS = {"Query": "errors", "Requests": "requests", "Step": "10s"}
COUNT = {**ERRORS, "Test": "count"}
BURN = {**ERRORS, "Test": "burnRate", "Objective": "99.9"}
MANY = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30)


def draws(rate: float, count: int, seed: int = 1) -> list[float]:
    return [float(one) for one in np.random.default_rng(seed).poisson(rate, count)]


def judged(
    errors: Sequence[float],
    requests: Sequence[float] | float = 1000.0,
    before: Sequence[float] = tuple(draws(2, 300)),
    configuration: dict[str, str] = COUNT,
) -> Judgement:
    asked = [requests] * len(errors) if isinstance(requests, float) else requests
    earlier = -10.0 * max(1, len(asked))
    read = {
        "before": series(*before, end=earlier),
        "requests before": series(*[1000.0] * len(before), end=earlier),
        "after": series(*errors),
        "requests after": series(*asked),
    }
    return rule(configuration).judge(read, NOW)


def test_ten_times_the_errors_fail_and_the_reason_counts_them() -> None:
    found = judged(draws(20, 10))
    assert found.verdict is Verdict.FAIL
    assert "of 10000" in found.reason
    assert "0.195 % before" in found.reason


def test_errors_in_bursts_fail_though_most_minutes_are_well() -> None:
    assert judged([2.0, 1, 180, 2, 0, 2, 190, 1, 3, 2]).verdict is Verdict.FAIL


def test_half_of_all_requests_failing_is_caught_at_the_first_point() -> None:
    assert judged([500.0]).verdict is Verdict.FAIL


def test_the_same_share_passes_once_enough_requests_were_seen() -> None:
    assert judged(draws(2, 2)).verdict is Verdict.INCONCLUSIVE
    found = judged(draws(2, 40))
    assert found.verdict is Verdict.PASS
    assert found.power is not None
    assert found.power > 0.8


def test_more_traffic_is_no_more_errors() -> None:
    assert judged(draws(20, 30), 10_000.0).verdict is Verdict.PASS


def test_errors_that_came_in_bursts_before_are_not_blamed_on_the_release() -> None:
    before = [float(60 * (place % 25 == 0)) for place in range(300)]
    assert judged([0.0, 0, 60, 0, 0], before=before).verdict is not Verdict.FAIL
    assert dispersion(Counts(np.array(before), np.full(300, 1000.0))) > 20


def test_without_requests_there_is_nothing_to_judge() -> None:
    assert judged([0.0, 0.0], 0.0).verdict is Verdict.NO_DATA
    assert judged([], [float("nan")]).verdict is Verdict.NO_DATA


def test_errors_that_were_always_told_do_not_just_fall_silent() -> None:
    assert judged([], [1000.0] * 30).verdict is Verdict.NO_DATA
    assert judged([], [1000.0] * 60, before=()).verdict is not Verdict.PASS


@pytest.mark.parametrize(
    ("rate", "points", "verdict"),
    [
        (20, 30, Verdict.FAIL),
        (1, 30, Verdict.PASS),
        (20, 10, Verdict.INCONCLUSIVE),
        (8, 180, Verdict.FAIL),
    ],
)
def test_burn_rates_are_asked_once_their_short_window_is_full(
    rate: float, points: int, verdict: Verdict
) -> None:
    before = draws(1, 300)
    assert judged(draws(rate, points), before=before, configuration=BURN).verdict is verdict


def test_what_burnt_before_is_blamed_only_where_it_burns_faster() -> None:
    before = draws(20, 300)
    again = judged(draws(20, 60), before=before, configuration=BURN)
    assert again.verdict is Verdict.INCONCLUSIVE
    assert "before the deployment already" in again.reason
    assert judged(draws(60, 60), before=before, configuration=BURN).verdict is Verdict.FAIL


def test_a_burn_that_begins_just_before_the_deadline_is_never_certified() -> None:
    late = [*draws(1, 59), 300.0]
    found = judged(late, before=draws(1, 300), configuration=BURN)
    assert found.verdict is not Verdict.PASS


@given(MANY, MANY, MANY, st.sampled_from([COUNT, BURN]))
@settings(max_examples=150, deadline=None)
def test_whatever_is_measured_nothing_crashes_and_silence_never_passes(
    errors: list[float], requests: list[float], before: list[float], test: dict[str, str]
) -> None:
    found = judged(errors, requests, before, test)
    if not any(np.isfinite(value) and value > 0 for value in requests):
        assert found.verdict is Verdict.NO_DATA


@given(st.integers(0, 300), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_no_errors_at_all_never_fail(seed: int, count: int) -> None:
    assert judged([0.0] * count, before=draws(2, 200, seed)).verdict is not Verdict.FAIL


def test_half_an_answer_never_passes() -> None:
    whole = series(*[1000.0] * 60)
    read = {
        "before": series(*draws(2, 300), end=-600),
        "requests before": series(*[1000.0] * 300, end=-600),
        "after": Series(series(*draws(2, 60)).points, complete=False),
        "requests after": whole,
    }
    assert rule(COUNT).judge(read, NOW).verdict is Verdict.INCONCLUSIVE
