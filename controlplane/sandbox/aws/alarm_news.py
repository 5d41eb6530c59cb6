"""What a change of an alarm's state sets off: history, the actions to SNS, the event."""

import json
from datetime import datetime
from typing import Any

from controlplane.sandbox.aws import emit


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def history_item(alarm: Any, kind: str, summary: str, data: dict[str, Any], at: datetime) -> Any:
    """Answer one AlarmHistoryItem in botocore's shape."""
    return {
        "AlarmName": alarm.name,
        "AlarmType": "CompositeAlarm" if alarm.rule else "MetricAlarm",
        "Timestamp": at,
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": json.dumps({"version": "1.0"} | data),
    }


def transition(alarm: Any, old: str, old_reason: str, at: datetime) -> Any:
    """Answer the history item of a change of state; the alarm has the new one already."""
    data = {
        "oldState": {"stateValue": old, "stateReason": old_reason},
        "newState": {"stateValue": alarm.state_value, "stateReason": alarm.state_reason},
    }
    summary = f"Alarm updated from {old} to {alarm.state_value}"
    return history_item(alarm, "StateUpdate", summary, data, at)


def actions_of(alarm: Any) -> list[str]:
    """Answer the ARNs to call for the state that the alarm now has."""
    if not alarm.actions_enabled:
        return []
    by_state = {
        "ALARM": alarm.alarm_actions,
        "OK": alarm.ok_actions,
        "INSUFFICIENT_DATA": alarm.insufficient_data_actions,
    }
    return list(by_state[alarm.state_value] or ())


def act(alarm: Any, account: str, region: str, old: str, at: datetime) -> list[Any]:
    """Run the alarm's actions; answer their history items. Only SNS topics are called."""
    items = []
    subject = f'{alarm.state_value}: "{alarm.name}" in {region}'
    for arn in actions_of(alarm):
        if arn.split(":")[2:3] != ["sns"]:
            continue
        emit.sns(arn, json.dumps(_message(alarm, account, region, old, at)), subject)
        summary = f"Successfully executed action {arn}"
        data = {"actionState": "Succeeded", "notificationResource": arn}
        items.append(history_item(alarm, "Action", summary, data, at))
    return items


def _message(alarm: Any, account: str, region: str, old: str, at: datetime) -> dict[str, Any]:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": _stamp(at),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": old,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": _trigger(alarm),
    }


def _trigger(alarm: Any) -> dict[str, Any]:
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "Statistic": alarm.statistic or alarm.extended_statistic,
        "Dimensions": [{"name": d.name, "value": d.value} for d in alarm.dimensions],
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
    }


def announce(alarm: Any, account: str, region: str, old: str, at: datetime) -> None:
    """Put the event that CloudWatch puts on the default bus.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    detail = {
        "alarmName": alarm.name,
        "state": {
            "value": alarm.state_value,
            "reason": alarm.state_reason,
            "reasonData": alarm.state_reason_data,
            "timestamp": _stamp(at),
        },
        "previousState": {"value": old},
        "configuration": {"description": alarm.description},
    }
    emit.event(
        account,
        region,
        "aws.cloudwatch",
        "CloudWatch Alarm State Change",
        detail,
        [alarm.alarm_arn],
    )
