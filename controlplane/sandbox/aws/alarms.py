"""Evaluates the alarms of one account and region, at every tick.

Only periods that have ended count, as in CloudWatch; a point that arrives late counts at the next
tick.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from controlplane.sandbox.aws.alarm_states import MORE, RuleError, Terms, holds, state_of
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.metric_queries import Range, StoreOf, answers
from controlplane.sandbox.aws.series import Series

Change = Callable[[Any, str, str, dict[str, Any]], None]
"""Takes an alarm, its new state, the reason and the reason's data."""


def terms_of(alarm: Any) -> Terms:
    """Read an alarm of moto's."""
    periods = int(alarm.evaluation_periods)
    return Terms(
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        periods=periods,
        needed=int(alarm.datapoints_to_alarm or periods),
        missing=alarm.treat_missing_data or "missing",
    )


def evaluate(alarm: Any, store_of: StoreOf, now: datetime, change: Change) -> None:
    """Evaluate one metric alarm; `change` is called where its state is another."""
    try:
        terms, queries = terms_of(alarm), queries_of(alarm)
        period = period_of(queries)
        stamps = _stamps(now, period, terms.periods + MORE)
        series = _series(alarm, queries, Range(stamps[0], stamps[-1] + period), store_of)
        alarm.evaluation_state = None
    except (Fault, KeyError) as error:
        alarm.evaluation_state = "EVALUATION_ERROR"
        if alarm.state_value != "INSUFFICIENT_DATA":
            reason = f"The alarm can not be evaluated: {getattr(error, 'message', error)}"
            change(alarm, "INSUFFICIENT_DATA", reason, {})
        return
    points = [series.get(at) for at in stamps]
    state = state_of(points, terms, alarm.state_value)
    if state != alarm.state_value:
        change(alarm, state, *_reason(alarm, terms, dict(zip(stamps, points, strict=True)), period))


def evaluate_composite(alarm: Any, alarms: dict[str, Any], change: Change) -> None:
    """Evaluate one composite alarm."""
    try:
        breaching = holds(alarm.rule, lambda name: alarms[name].state_value)
    except (RuleError, KeyError) as error:
        alarm.evaluation_state = "EVALUATION_ERROR"
        if alarm.state_value != "INSUFFICIENT_DATA":
            change(alarm, "INSUFFICIENT_DATA", f"The rule can not be evaluated: {error}", {})
        return
    alarm.evaluation_state = None
    state = "ALARM" if breaching else "OK"
    if state != alarm.state_value:
        change(alarm, state, f"{alarm.alarm_arn} transitioned to {state}: {alarm.rule}", {})


def queries_of(alarm: Any) -> list[dict[str, Any]]:
    """Answer an alarm's question as queries of GetMetricData; the one that counts is "alarm"."""
    if not alarm.metric_data_queries:
        stat = {
            "Metric": _metric(alarm.namespace, alarm.metric_name, alarm.dimensions),
            "Period": int(alarm.period),
            "Stat": alarm.statistic or alarm.extended_statistic,
            "Unit": alarm.unit,
        }
        return [{"Id": "alarm", "MetricStat": stat, "ReturnData": True}]
    return [_query(each) for each in alarm.metric_data_queries]


def _query(each: Any) -> dict[str, Any]:
    query: dict[str, Any] = {"Id": each.id, "ReturnData": str(each.return_data).lower() != "false"}
    if each.expression:
        return query | {"Expression": each.expression, "Period": each.period}
    metric = each.metric_stat.metric
    stat = {
        "Metric": _metric(metric.namespace, metric.metric_name, metric.dimensions),
        "Period": int(each.metric_stat.period),
        "Stat": each.metric_stat.stat,
        "Unit": each.metric_stat.unit,
    }
    account = getattr(each, "account_id", None)
    return query | {"MetricStat": stat} | ({"AccountId": account} if account else {})


def _metric(namespace: str, name: str, dimensions: Any) -> dict[str, Any]:
    given = [{"Name": each.name, "Value": each.value} for each in dimensions]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": given}


def period_of(queries: list[dict[str, Any]]) -> int:
    """Answer the period of an alarm's queries: the longest."""
    periods = [int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query]
    return max(periods, default=60)


def _series(alarm: Any, queries: Any, asked: Range, store_of: StoreOf) -> Series:
    found = answers(queries, asked, store_of)
    returned = [query["Id"] for query in queries if query["ReturnData"]]
    return found[alarm.threshold_metric_id or returned[-1]]


def _stamps(now: datetime, period: int, count: int) -> list[int]:
    open_now = int(now.timestamp()) // period * period
    return [open_now - period * (count - i) for i in range(count)]


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _reason(
    alarm: Any, terms: Terms, points: dict[int, float | None], period: int
) -> tuple[str, dict[str, Any]]:
    real = {at: value for at, value in points.items() if value is not None}
    data = {
        "version": "1.0",
        "startDate": _iso(min(points)),
        "statistic": alarm.statistic or alarm.extended_statistic,
        "period": period,
        "recentDatapoints": list(real.values()),
        "threshold": terms.threshold,
    }
    if not real:
        return f"Insufficient Data: {terms.periods} datapoints were unknown.", data
    shown = ", ".join(f"{value} ({_iso(at)})" for at, value in list(real.items())[-terms.periods :])
    reason = (
        f"Threshold Crossed: of the last {terms.periods} datapoints [{shown}] at least "
        f"{terms.needed} must be {terms.comparison} {terms.threshold} for ALARM."
    )
    return reason, data


def reason_data(data: dict[str, Any]) -> str:
    """Write a reason's data as CloudWatch keeps it."""
    return json.dumps(data) if data else "{}"
