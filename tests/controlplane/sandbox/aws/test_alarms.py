"""Alarms evaluate at every tick, tell SNS and the event bus, and remember."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from controlplane.clock import ManualClock
from controlplane.sandbox.aws import tick
from tests.controlplane.sandbox.conftest import ClientOf

PROD = [{"Name": "Environment", "Value": "prod"}]
ALARM: dict[str, Any] = {
    "AlarmName": "errors",
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Dimensions": PROD,
    "Statistic": "Sum",
    "Period": 10,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


class Watched:
    """An account's CloudWatch, and one minute after another of errors."""

    def __init__(self, cloudwatch: Any, clock: ManualClock) -> None:
        self.cloudwatch = cloudwatch
        self.clock = clock

    def errors(self, *counts: float | None) -> None:
        for count in counts:
            data = [
                {
                    "MetricName": "Errors",
                    "Dimensions": PROD,
                    "Timestamp": self.clock(),
                    "Value": count,
                    "StorageResolution": 1,
                }
            ]
            if count is not None:
                self.cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
            self.clock.advance(10)
            tick()

    def state(self, name: str = "errors") -> str:
        found = self.cloudwatch.describe_alarms(
            AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        return str((found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"])


@pytest.fixture
def watched(client: ClientOf, account: str, by_hand: ManualClock) -> Watched:
    return Watched(client("cloudwatch", account), by_hand)


def test_a_new_alarm_has_insufficient_data_until_it_is_evaluated(watched: Watched) -> None:
    watched.cloudwatch.put_metric_alarm(**ALARM)
    assert watched.state() == "INSUFFICIENT_DATA"
    watched.errors(0)
    assert watched.state() == "OK"


def test_two_of_three_breaching_periods_raise_it_and_good_ones_end_it(watched: Watched) -> None:
    watched.cloudwatch.put_metric_alarm(**ALARM)
    watched.errors(0, 0, 9)
    assert watched.state() == "OK"
    watched.errors(0, 9)
    assert watched.state() == "ALARM"
    watched.errors(0, 0)
    assert watched.state() == "OK"


def test_an_open_period_does_not_count(watched: Watched) -> None:
    watched.cloudwatch.put_metric_alarm(**ALARM | {"EvaluationPeriods": 1, "DatapointsToAlarm": 1})
    watched.errors(0)
    watched.cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[
            {
                "MetricName": "Errors",
                "Dimensions": PROD,
                "Timestamp": watched.clock(),
                "Value": 9,
                "StorageResolution": 1,
            }
        ],
    )
    tick()
    assert watched.state() == "OK"
    watched.errors(None)
    assert watched.state() == "ALARM"


@pytest.mark.parametrize(
    ("treatment", "state"),
    [
        ("missing", "INSUFFICIENT_DATA"),
        ("ignore", "ALARM"),
        ("breaching", "ALARM"),
        ("notBreaching", "OK"),
    ],
)
def test_silence_is_what_the_alarm_says_it_is(watched: Watched, treatment: str, state: str) -> None:
    watched.cloudwatch.put_metric_alarm(**ALARM | {"TreatMissingData": treatment})
    watched.errors(9, 9, 9, *[None] * 6)
    assert watched.state() == state


def test_an_alarm_on_metric_math(watched: Watched) -> None:
    stat = {
        "Metric": {"Namespace": "Shop", "MetricName": "Errors", "Dimensions": PROD},
        "Period": 10,
        "Stat": "Sum",
    }
    queries = [
        {"Id": "rate", "Expression": "FILL(e, 0) * 10", "ReturnData": True},
        {"Id": "e", "MetricStat": stat, "ReturnData": False},
    ]
    kept = ("EvaluationPeriods", "Threshold", "ComparisonOperator")
    watched.cloudwatch.put_metric_alarm(
        AlarmName="errors", Metrics=queries, **{name: ALARM[name] for name in kept}
    )
    watched.errors(1, 1, 1)
    assert watched.state() == "ALARM"


def test_an_alarm_that_can_not_be_evaluated_says_so(watched: Watched) -> None:
    queries = [{"Id": "x", "Expression": "SEARCH('{Shop} Errors', 'Sum')", "ReturnData": True}]
    kept = ("EvaluationPeriods", "Threshold", "ComparisonOperator")
    watched.cloudwatch.put_metric_alarm(
        AlarmName="errors", Metrics=queries, **{name: ALARM[name] for name in kept}
    )
    tick()
    found = watched.cloudwatch.describe_alarms()["MetricAlarms"][0]
    assert found["EvaluationState"] == "EVALUATION_ERROR"


def test_composite_alarms_follow_and_are_answered_only_where_asked_for(watched: Watched) -> None:
    watched.cloudwatch.put_metric_alarm(**ALARM)
    watched.cloudwatch.put_composite_alarm(AlarmName="shop", AlarmRule='ALARM("errors")')
    watched.errors(9, 9, 9)
    assert watched.state("shop") == "ALARM"
    assert watched.cloudwatch.describe_alarms()["CompositeAlarms"] == []


def test_a_composite_alarm_needs_alarms_that_are_there(watched: Watched) -> None:
    with pytest.raises(ClientError, match="no such alarm"):
        watched.cloudwatch.put_composite_alarm(AlarmName="shop", AlarmRule="ALARM(nothing)")


def test_changing_an_alarm_keeps_its_state(watched: Watched) -> None:
    watched.cloudwatch.put_metric_alarm(**ALARM)
    watched.errors(9, 9, 9)
    watched.cloudwatch.put_metric_alarm(**ALARM | {"AlarmDescription": "new"})
    assert watched.state() == "ALARM"


def test_a_change_goes_to_sns_the_event_bus_and_history(
    client: ClientOf, account: str, watched: Watched
) -> None:
    sqs, sns, events = (client(name, account) for name in ("sqs", "sns", "events"))
    queue = sqs.create_queue(QueueName="news")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    topic = sns.create_topic(Name="pages")["TopicArn"]
    target = arn["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=target)
    events.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"]}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "1", "Arn": target}])
    watched.cloudwatch.put_metric_alarm(**ALARM | {"AlarmActions": [topic]})
    watched.cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="drill")
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    event, message = (json.loads(each["Body"]) for each in found)
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert (event["account"], event["detail"]["state"]["value"]) == (account, "ALARM")
    assert json.loads(message["Message"])["NewStateReason"] == "drill"
    history = watched.cloudwatch.describe_alarm_history(AlarmName="errors")["AlarmHistoryItems"]
    kinds = [item["HistoryItemType"] for item in history]
    assert kinds == ["Action", "StateUpdate", "ConfigurationUpdate"]


def test_actions_that_are_switched_off_stay_quiet(watched: Watched) -> None:
    watched.cloudwatch.put_metric_alarm(
        **ALARM | {"AlarmActions": ["arn:aws:sns:eu-west-1:1:x"], "ActionsEnabled": False}
    )
    watched.errors(9, 9, 9)
    history = watched.cloudwatch.describe_alarm_history(HistoryItemType="Action")
    assert history["AlarmHistoryItems"] == []
