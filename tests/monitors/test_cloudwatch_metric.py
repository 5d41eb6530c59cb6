import json
from collections.abc import Callable
from typing import Any

import pytest

from monitors.base import MonitorError, Query, Series
from monitors.signals.cloudwatch_metric import CloudWatchMetric
from tests.support.clients import StubClients
from tests.support.scripted import DENIED, Refusal, scripted
from tests.support.watched import NOW, at, query, recorded

Answering = Callable[[dict[str, Any]], Any]
METRIC = {
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Statistic": "Sum",
    "Period": "60",
}


def reading(answer: Answering, *asks: Query) -> Any:
    driver = CloudWatchMetric(
        StubClients(cloudwatch=scripted("cloudwatch", get_metric_data=answer)), lambda: NOW
    )
    return driver.read(asks or [query("q", METRIC)])


def result(name: str, *values: float, end: float = 0, **more: Any) -> dict[str, Any]:
    """One value a minute; the last period ends at `end`."""
    times = [at(end - 60 * place) for place in range(len(values), 0, -1)]
    found = {"Id": name, "Timestamps": times, "Values": list(values), "StatusCode": "Complete"}
    return {**found, **more}


def ids(asked: dict[str, Any]) -> list[str]:
    return [one["Id"] for one in asked["MetricDataQueries"] if one["ReturnData"]]


def each_id(asked: dict[str, Any]) -> dict[str, Any]:
    return {"MetricDataResults": [result(name, 1.0) for name in ids(asked)]}


def test_periods_that_have_ended_are_points() -> None:
    found = reading(lambda _: {"MetricDataResults": [result("value", 1, 2, 3)]})["q"]
    assert [point.value for point in found.points] == [1, 2, 3]
    assert found.points[-1].at == at(-60)
    assert found.complete


def test_a_period_that_is_still_open_is_no_point() -> None:
    found = reading(lambda _: {"MetricDataResults": [result("value", 1, 2, end=30)]})["q"]
    assert [point.value for point in found.points] == [1]


def test_a_period_that_began_before_the_window_is_no_point() -> None:
    asks = query("q", METRIC, start=-90)
    found = reading(lambda _: {"MetricDataResults": [result("value", 9, 1)]}, asks)["q"]
    assert [point.value for point in found.points] == [1]


def test_pages_are_put_together_in_order_of_time() -> None:
    pages = {
        None: {
            "MetricDataResults": [result("value", 1, StatusCode="PartialData", end=-60)],
            "NextToken": "2",
        },
        "2": {"MetricDataResults": [result("value", 2)]},
    }
    found = reading(lambda asked: pages[asked.get("NextToken")])["q"]
    assert [point.value for point in found.points] == [1, 2]
    assert found.complete


@pytest.mark.parametrize("status", ["PartialData", "InternalError"])
def test_an_answer_in_part_is_not_complete_and_says_so(status: str) -> None:
    told = [{"Code": "Slow", "Value": "try a shorter window"}]
    answer = {"MetricDataResults": [result("value", 1, StatusCode=status, Messages=told)]}
    found = reading(lambda _: answer)["q"]
    assert not found.complete
    assert found.note == f"Slow: try a shorter window; CloudWatch says {status}"


def test_pages_without_end_are_cut_off_and_not_complete() -> None:
    found = reading(lambda _: {"MetricDataResults": [result("value", 1)], "NextToken": "more"})["q"]
    assert not found.complete
    assert "20 pages" in found.note


def test_a_result_that_was_left_out_is_not_complete() -> None:
    found = reading(lambda _: {"MetricDataResults": [], "Messages": [{"Code": "A", "Value": "b"}]})
    assert found["q"] == Series(complete=False, note="A: b")


def test_a_metric_that_is_not_shared_is_a_permanent_error() -> None:
    found = reading(lambda _: {"MetricDataResults": [result("value", StatusCode="Forbidden")]})["q"]
    assert found.permanent


def test_several_series_must_be_made_one() -> None:
    answer = {"MetricDataResults": [result("value", 1, Label="a"), result("value", 2, Label="b")]}
    found = reading(lambda _: answer)["q"]
    assert "2 series" in str(found)
    assert found.permanent


def test_many_rules_share_requests_of_at_most_500() -> None:
    sizes: list[int] = []

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        names = [one["Id"] for one in asked["MetricDataQueries"]]
        sizes.append(len(names))
        assert len(set(names)) == len(names)
        return each_id(asked)

    asks = [query(f"q{place}", METRIC, start=-300 - place) for place in range(1100)]
    found = reading(answer, *asks)
    assert sizes == [500, 500, 100]
    assert all(isinstance(one, Series) and one.points for one in found.values())


def test_two_rules_with_the_same_ids_get_each_its_own_result() -> None:
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "E"}, "Period": 60, "Stat": "Sum"}

    def rule(factor: int) -> dict[str, str]:
        double = {"Id": "e1", "Expression": f"m1*{factor}"}
        queries = [{"Id": "m1", "MetricStat": stat}, double]
        return {"MetricDataQueries": json.dumps(queries), "ResultId": "e1"}

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        every = asked["MetricDataQueries"]
        assert len(every) == 4
        math = [one for one in every if "Expression" in one]
        values = [(one["Id"], float(one["Expression"].split("*")[1])) for one in math]
        return {"MetricDataResults": [result(name, value) for name, value in values]}

    found = reading(answer, query("two", rule(2)), query("three", rule(3)))
    assert [found[key].points[0].value for key in ("two", "three")] == [2, 3]


def test_one_wrong_query_is_found_and_spoils_no_other() -> None:
    def answer(asked: dict[str, Any]) -> Any:
        metrics = [one["MetricStat"]["Metric"]["MetricName"] for one in asked["MetricDataQueries"]]
        return Refusal("ValidationError") if "Wrong" in metrics else each_id(asked)

    asks = [query(f"q{place}", METRIC) for place in range(7)]
    found = reading(answer, *asks, query("wrong", {**METRIC, "MetricName": "Wrong"}))
    wrong = found.pop("wrong")
    assert isinstance(wrong, MonitorError)
    assert wrong.permanent
    assert all(isinstance(one, Series) for one in found.values())


def test_a_refused_role_is_asked_once() -> None:
    calls: list[Any] = []

    def deny(asked: dict[str, Any]) -> Refusal:
        calls.append(asked)
        return DENIED

    found = reading(deny, *(query(f"q{place}", METRIC) for place in range(8)))
    assert len(calls) == 1
    assert all(one.permanent for one in found.values())


def test_a_recorded_answer_is_read() -> None:
    name = "bedrock_inference_profile_token_metrics__GetMetricData_1.json"
    answer = recorded(f"codedeploy/recorded-monitoring/{name}")
    time = answer["MetricDataResults"][0]["Timestamps"][0]
    queries = [{"Id": "total", "Expression": "TIME_SERIES(1)", "Period": 60}]
    asks = Query(
        "q",
        "prod",
        "eu-west-1",
        {"MetricDataQueries": json.dumps(queries), "ResultId": "total"},
        time,
        time.replace(hour=15),
    )
    client = scripted("cloudwatch", get_metric_data=lambda _: answer)
    found = CloudWatchMetric(StubClients(cloudwatch=client), lambda: asks.end).read([asks])["q"]
    assert isinstance(found, Series)
    assert [point.value for point in found.points] == [15.0]


def math(expression: str) -> dict[str, str]:
    queries = [{"Id": "e1", "Expression": expression, "Period": 60}]
    return {"MetricDataQueries": json.dumps(queries), "ResultId": "e1"}


def test_math_shares_a_request_only_where_the_window_is_the_same() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return each_id(request)

    rule = math("TIME_SERIES(1)")
    reading(answer, query("a", rule), query("b", rule, start=-600), query("c", rule))
    assert [len(one["MetricDataQueries"]) for one in asked] == [2, 1]
    assert asked[1]["StartTime"] == at(-600)


def test_math_over_the_whole_request_has_it_for_itself() -> None:
    sizes: list[int] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        sizes.append(len(request["MetricDataQueries"]))
        return each_id(request)

    rule = math("SUM(METRICS())")
    reading(answer, query("a", rule), query("b", rule))
    assert sizes == [1, 1]
