from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from controlplane.actions.base import MonitorError, Outcome, Progress, Task
from controlplane.actions.watch import RecoveryDriver, WatchDriver
from monitors.base import Judgement, Point, Query, Series, Verdict
from tests.controlplane.actions.making import NOW, task

METRIC = {
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Statistic": "Sum",
    "Period": "10",
    "Threshold": "5",
    "Comparison": "GreaterThanThreshold",
    "Interval": "20s",
    "Baseline": "2m",
}
ALARM = {"AlarmName": "shop-prod-errors"}
SINCE = NOW - timedelta(minutes=1)


class Measured:
    """A signal with one value before a time and others after; asked records the queries."""

    def __init__(self, answer: Callable[[Query], Series | MonitorError]) -> None:
        self.answer = answer
        self.asked: list[Sequence[Query]] = []

    def read(self, queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        self.asked.append(queries)
        return {query.key: self.answer(query) for query in queries}


class Down:
    """A signal whose monitoring is down."""

    def read(self, _queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        raise MonitorError("Prometheus does not answer")


def series(end: datetime, *values: float) -> Series:
    """Points ten seconds apart, the last just before the end."""
    count = len(values)
    return Series(
        tuple(Point(end - timedelta(seconds=10 * (count - i)), v) for i, v in enumerate(values))
    )


def measured(*values: float, before: Sequence[float] = (0, 0, 0)) -> Measured:
    return Measured(lambda query: series(query.end, *(before if query.end <= SINCE else values)))


def watching(**given: Any) -> Task:
    return task(**{"configuration": METRIC, "since": SINCE, "handle": "watching", **given})


def judged(signal: Any, one: Task) -> tuple[Progress, Judgement]:
    seen = WatchDriver(signal).look([one])[one.token]
    assert isinstance(seen, Progress)
    assert seen.judgement is not None
    return seen, seen.judgement


def test_a_watch_begins_at_once_and_never_ends_itself() -> None:
    begun = WatchDriver(measured()).start(watching())
    assert begun.outcome is Outcome.RUNNING
    assert begun.look_after == timedelta(milliseconds=200)
    assert judged(measured(9, 9), watching())[0].outcome is Outcome.RUNNING


def test_a_watch_of_days_reads_the_last_hours_only() -> None:
    signal = measured(0, 0)
    judged(signal, watching(now=SINCE + timedelta(days=2)))
    ((before, after),) = signal.asked
    assert (before.end, after.end - after.start) == (SINCE, timedelta(hours=6))


def test_a_wrong_rule_is_said_when_it_begins() -> None:
    with pytest.raises(MonitorError, match="Threshold") as caught:
        WatchDriver(measured()).start(watching(configuration={**METRIC, "Threshold": "x"}))
    assert caught.value.permanent


def test_a_breach_after_the_deployment_fails() -> None:
    seen, judgement = judged(measured(0, 9), watching())
    assert judgement.verdict is Verdict.FAIL
    assert (seen.summary, seen.look_after) == (judgement.reason, timedelta(seconds=20))


def test_good_points_pass() -> None:
    assert judged(measured(0, 1), watching())[1].verdict is Verdict.PASS


def test_the_level_before_the_deployment_is_read_and_weighed() -> None:
    signal = measured(9, before=(9, 9))
    assert judged(signal, watching())[1].verdict is Verdict.INCONCLUSIVE
    ((before, after),) = signal.asked
    assert (before.start, before.end) == (SINCE - timedelta(minutes=2), SINCE)
    assert (after.start, after.end) == (SINCE, NOW)


def test_many_rules_are_read_in_one_call() -> None:
    signal = measured(1)
    tasks = [replace(watching(), token=f"t{n}") for n in range(3)]
    assert set(WatchDriver(signal).look(tasks)) == {"t0", "t1", "t2"}
    assert [len(queries) for queries in signal.asked] == [6]


def test_a_monitoring_that_is_down_is_a_verdict_not_an_error() -> None:
    _, judgement = judged(Down(), watching())
    assert judgement.verdict is Verdict.UNREACHABLE
    assert "Prometheus does not answer" in judgement.reason


def test_a_signal_that_answers_nothing_is_unreachable() -> None:
    class Mute(Down):
        def read(self, _queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
            return {}

    assert judged(Mute(), watching())[1].verdict is Verdict.UNREACHABLE


def test_one_wrong_rule_spoils_no_other() -> None:
    wrong = replace(watching(configuration={**METRIC, "Interval": "soon"}), token="wrong")
    seen = WatchDriver(measured(1)).look([wrong, watching()])
    assert isinstance(seen["wrong"], MonitorError)
    assert isinstance(seen[watching().token], Progress)


def recovered(signal: Any, configuration: Mapping[str, str], **given: Any) -> Progress:
    one = watching(configuration=configuration, **given)
    seen = RecoveryDriver(signal).look([one])[one.token]
    assert isinstance(seen, Progress)
    return seen


def test_it_has_recovered_once_the_newest_two_points_are_good() -> None:
    seen = recovered(measured(9, 9, 1, 0), METRIC)
    assert seen.outcome is Outcome.SUCCEEDED
    assert seen.judgement is None


@pytest.mark.parametrize("values", [(), (0,), (9, 9, 1), (1, 0, 9)])
def test_until_then_it_is_waited_for(values: tuple[float, ...]) -> None:
    seen = recovered(measured(*values), METRIC)
    assert seen.outcome is Outcome.RUNNING
    assert seen.look_after == timedelta(seconds=20)


def test_more_points_may_be_asked_for() -> None:
    wanted = {**METRIC, "RecoveryDatapoints": "3"}
    assert recovered(measured(9, 1, 0), wanted).outcome is Outcome.RUNNING
    assert recovered(measured(9, 1, 0, 0), wanted).outcome is Outcome.SUCCEEDED


def test_old_good_points_are_no_recovery() -> None:
    silent = Measured(lambda query: series(query.end - timedelta(minutes=10), 0, 0))
    assert recovered(silent, METRIC).outcome is Outcome.RUNNING


def test_one_look_at_an_alarm_that_is_ok_is_enough() -> None:
    assert recovered(measured(0.0), ALARM).outcome is Outcome.SUCCEEDED
    assert recovered(measured(1.0), ALARM).outcome is Outcome.RUNNING


def test_a_recovery_is_not_told_by_a_monitoring_that_is_down() -> None:
    assert recovered(Down(), METRIC).outcome is Outcome.RUNNING


def test_only_what_was_measured_since_it_began_counts() -> None:
    signal = measured(0, 0)
    recovered(signal, METRIC)
    ((after,),) = signal.asked
    assert (after.start, after.end) == (SINCE, NOW)


class HeldBack(Down):
    """A signal that is not asked, for our own throttle holds the call back."""

    def read(self, _queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        raise MonitorError("called often enough", retry_after=0.5, postponed=True)


def test_a_look_that_we_put_off_ourselves_is_no_verdict() -> None:
    one = watching(judged=NOW - timedelta(seconds=80))  # when points are due, and MaxAge
    answer = WatchDriver(HeldBack()).look([one])[one.token]
    assert isinstance(answer, MonitorError)
    assert (answer.postponed, answer.retry_after) == (True, 0.5)


def test_a_signal_that_we_have_put_off_for_too_long_is_unreachable_by_our_own_doing() -> None:
    seen, judgement = judged(HeldBack(), watching(judged=NOW - timedelta(seconds=81)))
    assert judgement.verdict is Verdict.UNREACHABLE
    assert "has not been looked at for 81s: Towpath's own throttle" in judgement.reason
    assert seen.look_after == timedelta(seconds=1)


RANK = {
    **{key: METRIC[key] for key in METRIC if key not in {"Threshold", "Comparison", "Baseline"}}
}
RANK |= {"Test": "rank"}
PAIR = {**RANK, "Test": "count", "RequestsMetricName": "Requests"}


def test_a_comparison_reads_a_day_before_and_judges_against_it() -> None:
    signal = measured(*[90.0, 100, 95] * 2, before=[9.0, 10, 11, 10] * 100)
    found = judged(signal, watching(configuration=RANK))[1]
    assert found.verdict is Verdict.FAIL
    ((before, after),) = signal.asked
    assert (before.start, before.end) == (SINCE - timedelta(days=1), SINCE)
    assert (after.start, after.end) == (SINCE, NOW)


def test_the_requests_of_a_count_are_read_in_the_same_call() -> None:
    signal = measured(*[1.0] * 6, before=[1.0] * 100)
    judged(signal, watching(configuration=PAIR))
    (asked,) = signal.asked
    assert [query.configuration["MetricName"] for query in asked] == [
        *["Errors"] * 2,
        *["Requests"] * 2,
    ]


def test_a_settled_baseline_is_read_once() -> None:
    signal, since = measured(*[10.0] * 6, before=[9.0, 10, 11] * 100), NOW - timedelta(minutes=6)
    driver = WatchDriver(signal)
    for _ in range(2):
        driver.look([watching(configuration=RANK, since=since)])
    assert [len(asked) for asked in signal.asked] == [2, 1]


def test_a_comparison_has_recovered_when_the_newest_points_are_at_the_usual_level() -> None:
    usual = [9.0, 10, 11, 10] * 100
    for values, outcome in (((90.0, 10, 11), Outcome.SUCCEEDED), ((10.0, 90), Outcome.RUNNING)):
        signal = measured(*values, before=[*usual, 90.0, 90.0, 90.0])
        assert recovered(signal, RANK).outcome is outcome


def test_a_count_has_recovered_when_its_share_is_as_before() -> None:
    def answered(*errors: float) -> Measured:
        def answer(query: Query) -> Series:
            requests = query.configuration["MetricName"] == "Requests"
            if query.end <= SINCE:
                return series(query.end, *[1000.0 if requests else 1.0] * 100)
            return series(query.end, *[1000.0] * 2 if requests else errors)

        return Measured(answer)

    assert recovered(answered(1, 1), PAIR).outcome is Outcome.SUCCEEDED
    assert recovered(answered(1, 50), PAIR).outcome is Outcome.RUNNING
