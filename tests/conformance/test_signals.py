"""What every signal must hold, whoever measures: all drivers of the registry, one suite."""

from collections.abc import Mapping

import pytest

from accounts.base import AccountError
from monitors.base import MonitorError, Query, Series, Verdict
from monitors.judge import criteria, judge
from monitors.registry import SIGNALS, Parts
from tests.support.clients import StubClients
from tests.support.vendors import Mood, parts
from tests.support.watched import NOW, query

RULES: Mapping[str, Mapping[str, str]] = {
    "CloudWatchAlarm": {"AlarmName": "shop-prod-errors"},
    "CloudWatchMetric": {
        "Namespace": "Shop",
        "MetricName": "Errors",
        "Statistic": "Sum",
        "Period": "60",
        "Threshold": "5",
    },
    "PrometheusQuery": {"Query": "sum(errors)", "Prometheus": "default", "Threshold": "5"},
}
every_signal = pytest.mark.parametrize("provider", sorted(SIGNALS))


def read(provider: str, made: Parts, *asks: Query) -> Mapping[str, Series | MonitorError]:
    """Read; what is raised for all is told as the answer of each."""
    asks = asks or (query("q", RULES[provider]),)
    try:
        return SIGNALS[provider](made).read(asks)
    except MonitorError as error:
        return dict.fromkeys((one.key for one in asks), error)


def verdict(provider: str, answer: Series | MonitorError) -> Verdict:
    return judge(criteria(RULES[provider]), Series(), answer, NOW).verdict


def test_every_registered_signal_is_in_this_suite() -> None:
    assert set(RULES) == set(SIGNALS)


@every_signal
def test_a_signal_that_is_well_passes_on_points_of_the_window(provider: str) -> None:
    found = read(provider, parts(Mood.WELL))["q"]
    assert isinstance(found, Series)
    assert [point.value for point in found.points] == [0.0]
    assert verdict(provider, found) is Verdict.PASS


@every_signal
def test_an_empty_answer_is_no_pass_and_no_fail(provider: str) -> None:
    found = read(provider, parts(Mood.EMPTY))["q"]
    assert verdict(provider, found) in {Verdict.NO_DATA, Verdict.UNREACHABLE}


@every_signal
def test_a_time_out_is_an_error_that_may_pass(provider: str) -> None:
    found = read(provider, parts(Mood.LATE))["q"]
    assert isinstance(found, MonitorError)
    assert not found.permanent
    assert verdict(provider, found) is Verdict.UNREACHABLE


@every_signal
def test_a_refusal_is_permanent_and_a_sentence(provider: str) -> None:
    found = read(provider, parts(Mood.DENIED))["q"]
    assert isinstance(found, MonitorError)
    assert found.permanent
    assert len(str(found).split()) > 3


@every_signal
def test_a_wrong_rule_is_its_own_permanent_error_and_spoils_no_other(provider: str) -> None:
    found = read(provider, parts(Mood.WELL), query("wrong", {}), query("right", RULES[provider]))
    wrong = found["wrong"]
    assert isinstance(wrong, MonitorError)
    assert wrong.permanent
    assert isinstance(found["right"], Series)


@every_signal
def test_no_question_is_no_answer_and_no_call(provider: str) -> None:
    clients = StubClients()
    made = Parts(clients, lambda: NOW, parts(Mood.LATE).http)
    assert SIGNALS[provider](made).read([]) == {}
    assert clients.asked == []


@every_signal
def test_every_question_has_its_answer(provider: str) -> None:
    asks = [query(f"q{place}", RULES[provider]) for place in range(120)]
    found = read(provider, parts(Mood.WELL), *asks)
    assert set(found) == {one.key for one in asks}


@pytest.mark.parametrize("provider", ["CloudWatchAlarm", "CloudWatchMetric"])
@pytest.mark.parametrize("permanent", [True, False])
def test_an_account_we_may_not_act_in_is_told_as_it_is(provider: str, *, permanent: bool) -> None:
    clients = StubClients(refuse=AccountError("no role", permanent=permanent))
    found = read(provider, Parts(clients, lambda: NOW, parts(Mood.WELL).http))["q"]
    assert isinstance(found, MonitorError)
    assert found.permanent is permanent
    assert "no role" in str(found)
