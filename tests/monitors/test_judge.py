from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.base import MonitorError, Point, Series, Verdict
from monitors.criteria import COMPARISONS
from monitors.judge import Criteria, criteria, judge
from tests.support.watched import NOW, at, series

SILENT = Series()
RULE = Criteria("error ratio", "GreaterThanThreshold", 0.05)
ALARM = criteria({"AlarmName": "shop-prod-errors"})
VALUES = st.floats(allow_nan=True, allow_infinity=True, width=32)
SERIES = st.lists(VALUES, max_size=12).map(lambda values: series(*values))
RULES = st.builds(
    Criteria,
    label=st.just("x"),
    comparison=st.sampled_from(list(COMPARISONS)),
    threshold=st.floats(-10, 10),
    needed=st.integers(1, 3),
    window=st.integers(3, 5),
    minimum_samples=st.integers(1, 4),
)


def test_good_points_pass_and_the_reason_says_on_what() -> None:
    found = judge(RULE, SILENT, series(0.01, 0.02, 0.01), NOW)
    assert found.verdict is Verdict.PASS
    assert (found.samples, found.value, found.newest) == (3, 0.01, NOW)
    assert "0.01 is not > 0.05 (3 points" in found.reason


def test_a_breach_fails_with_a_reason_that_a_person_can_read() -> None:
    rule = replace(RULE, needed=3, window=3)
    found = judge(rule, series(0.01), series(0.0, 0.2, 0.3, 0.31), NOW)
    assert found.verdict is Verdict.FAIL
    assert found.reason == "error ratio 0.31 > 0.05 in 3 of 3 points since 08:59:40"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.1, 0.0, 0.1), Verdict.FAIL),
        ((0.1, 0.1, 0.0), Verdict.FAIL),
        ((0.1, 0.0, 0.0), Verdict.PASS),
        ((0.0, 0.0, 0.1), Verdict.INCONCLUSIVE),
    ],
)
def test_two_of_the_last_three_points(values: tuple[float, ...], verdict: Verdict) -> None:
    rule = replace(RULE, needed=2, window=3)
    assert judge(rule, SILENT, series(*values), NOW).verdict is verdict


def test_the_first_bad_point_of_a_breach_keeps_a_bake_from_passing() -> None:
    rule = replace(RULE, needed=3, window=3)
    found = judge(rule, SILENT, series(0.0, 0.0, 0.9), NOW)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "in 1 of the 3 points that make a breach" in found.reason


def test_too_few_samples_are_inconclusive_good_or_bad() -> None:
    rule = replace(RULE, minimum_samples=3)
    assert judge(rule, SILENT, series(0.0, 0.0), NOW).verdict is Verdict.INCONCLUSIVE
    assert judge(rule, SILENT, series(0.9, 0.9), NOW).verdict is Verdict.INCONCLUSIVE


def test_silence_and_old_points_are_no_data() -> None:
    assert judge(RULE, SILENT, Series(note="no traffic"), NOW).reason.endswith("(no traffic)")
    found = judge(RULE, SILENT, series(0.0, end=-61), NOW)
    assert found.verdict is Verdict.NO_DATA
    assert "61s ago" in found.reason


def test_a_period_counts_as_fresh_until_the_next_one_is_overdue() -> None:
    rule = replace(RULE, due=timedelta(seconds=120))
    assert judge(rule, SILENT, series(0.0, end=-179), NOW).verdict is Verdict.PASS
    assert judge(rule, SILENT, series(0.0, end=-181), NOW).verdict is Verdict.NO_DATA


@pytest.mark.parametrize("value", [0.0, 0.9])
def test_half_an_answer_neither_passes_nor_fails(value: float) -> None:
    found = judge(RULE, SILENT, series(value, complete=False), NOW)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_signal_as_bad_as_before_is_neither_ignored_nor_blamed() -> None:
    found = judge(RULE, series(0.2, 0.25), series(0.3), NOW)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "it was already bad before the deployment, at 0.25" in found.reason


def test_a_signal_that_was_bad_and_is_clearly_worse_fails() -> None:
    assert judge(RULE, series(0.2, 0.25), series(0.36), NOW).verdict is Verdict.FAIL


def test_a_signal_that_was_bad_and_has_returned_passes() -> None:
    assert judge(RULE, series(0.2, 0.25), series(0.2, 0.01), NOW).verdict is Verdict.PASS


def test_at_the_threshold_before_and_after_is_not_worse() -> None:
    rule = replace(RULE, comparison="GreaterThanOrEqualToThreshold")
    assert judge(rule, series(0.05), series(0.05), NOW).verdict is Verdict.INCONCLUSIVE


def test_worse_is_downwards_where_less_is_bad() -> None:
    rule = Criteria("requests", "LessThanThreshold", 100)
    assert judge(rule, series(90), series(86), NOW).verdict is Verdict.INCONCLUSIVE
    assert judge(rule, series(90), series(80), NOW).verdict is Verdict.FAIL


def test_a_level_before_that_could_not_be_read_blames_nobody_yet() -> None:
    found = judge(RULE, MonitorError("Prometheus is away"), series(0.9), NOW)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "Prometheus is away" in found.reason


def test_an_alarm_fails_unless_it_was_in_alarm_before() -> None:
    assert judge(ALARM, series(0.0), series(1.0), NOW).verdict is Verdict.FAIL
    assert judge(ALARM, series(1.0), series(1.0), NOW).verdict is Verdict.INCONCLUSIVE
    assert judge(ALARM, series(1.0), series(0.0), NOW).verdict is Verdict.PASS
    assert judge(ALARM, series(0.0), series(0.0), NOW).reason == "alarm shop-prod-errors is OK"


def test_one_look_at_an_alarm_is_enough_whatever_the_bake_asks_of_metrics() -> None:
    rule = criteria({"AlarmName": "a", "MinimumSamples": "10", "DatapointsToFail": "3"})
    assert judge(rule, SILENT, series(1.0), NOW).verdict is Verdict.FAIL


@given(RULES, SERIES)
def test_a_failed_poll_is_never_an_all_clear_and_never_blames(
    rule: Criteria, before: Series
) -> None:
    for failed in (MonitorError("away"), MonitorError("no such alarm", permanent=True)):
        assert judge(rule, before, failed, NOW).verdict is Verdict.UNREACHABLE


@given(RULES, SERIES, st.integers(0, 5))
def test_silence_and_nan_are_always_no_data(rule: Criteria, before: Series, count: int) -> None:
    nothing = series(*[float("nan"), float("inf")] * count)
    assert judge(rule, before, nothing, NOW).verdict is Verdict.NO_DATA


@given(RULES, SERIES, SERIES)
def test_what_was_answered_in_part_never_passes(
    rule: Criteria, before: Series, after: Series
) -> None:
    found = judge(rule, before, replace(after, complete=False), NOW)
    assert found.verdict in {Verdict.INCONCLUSIVE, Verdict.NO_DATA}


@given(RULES, SERIES, SERIES, st.lists(st.floats(0.001, 100), min_size=1, max_size=6))
def test_more_bad_points_never_take_a_fail_back(
    rule: Criteria, before: Series, after: Series, further: list[float]
) -> None:
    first = judge(rule, before, after, NOW).verdict
    sign = 1 if rule.comparison.startswith("Greater") else -1
    bad = tuple(
        Point(at(place), rule.threshold + sign * excess) for place, excess in enumerate(further, 1)
    )
    second = judge(rule, before, Series(after.points + bad), at(len(further))).verdict
    assert second is not Verdict.PASS
    if first is Verdict.FAIL and before == SILENT:
        assert second is Verdict.FAIL


@given(RULES, SERIES, SERIES)
def test_a_pass_always_rests_on_a_fresh_good_newest_point(
    rule: Criteria, before: Series, after: Series
) -> None:
    found = judge(rule, before, after, NOW)
    if found.verdict is Verdict.PASS:
        assert found.value is not None
        assert not rule.is_bad(found.value)
        assert found.newest == max(point.at for point in after.points if abs(point.value) < 1e39)


@given(RULES, SERIES, SERIES)
def test_a_signal_good_before_is_never_excused(
    rule: Criteria, before: Series, after: Series
) -> None:
    good = Series(tuple(point for point in before.points if not rule.is_bad(point.value)))
    alone, beside = (judge(rule, one, after, NOW).verdict for one in (SILENT, good))
    assert alone is beside
