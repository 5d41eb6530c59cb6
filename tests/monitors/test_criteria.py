import json
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.criteria import COMPARISONS, criteria

METRIC = {
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Statistic": "Sum",
    "Period": "60",
    "Threshold": "5",
}


def test_the_defaults_of_a_metric_rule() -> None:
    found = criteria(METRIC)
    assert (found.label, found.sign, found.threshold) == ("Errors", ">", 5)
    assert (found.needed, found.window, found.minimum_samples) == (1, 1, 1)
    assert found.max_age == timedelta(seconds=60)
    assert found.due == timedelta(seconds=120)


def test_the_period_of_queries_is_the_longest_in_them() -> None:
    stat = {"Metric": {"MetricName": "Errors"}, "Stat": "Sum", "Period": 300}
    queries = [{"Id": "m1", "MetricStat": stat}, {"Id": "e1", "Expression": "m1/2", "Period": 60}]
    rule = {"MetricDataQueries": json.dumps(queries), "ResultId": "e1", "Threshold": "1"}
    assert criteria(rule).due == timedelta(seconds=600)


def test_a_prometheus_rule_is_due_every_step() -> None:
    found = criteria({"Query": "up  ==\n0", "Step": "30s", "Threshold": "0"})
    assert (found.label, found.due) == ("up == 0", timedelta(seconds=30))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Threshold": ""}, "Threshold is missing"),
        ({"Threshold": "nan"}, "no finite number"),
        ({"Threshold": "much"}, "'much' is no number"),
        ({"Comparison": "Above"}, "none of GreaterThanThreshold"),
        ({"DatapointsToFail": "0"}, "from 1 up"),
        ({"DatapointsToFail": "3", "DatapointsWindow": "2"}, "looks at 2 points only"),
        ({"MinimumSamples": "-1"}, "MinimumSamples"),
        ({"MaxAge": "60"}, "is no duration"),
        ({"WorseBy": "0.5"}, "below 1"),
        ({"Period": "0"}, "Period"),
        ({"Dimensions": "[]"}, "Dimensions must be a JSON object"),
        ({"MetricName": ""}, "MetricName is missing"),
    ],
)
def test_a_wrong_rule_is_refused_with_a_sentence(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        criteria({**METRIC, **wrong})


@given(st.dictionaries(st.sampled_from([*METRIC, "MaxAge", "Query", "AlarmName"]), st.text()))
def test_any_configuration_is_read_or_refused(configuration: dict[str, str]) -> None:
    with suppress(ValueError):
        assert criteria(configuration).comparison in COMPARISONS
