"""CloudWatch's state in one account and region: metrics, alarms, their history."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from moto.cloudwatch import models

from controlplane.sandbox.aws import alarm_news, alarms, clock, fault_data
from controlplane.sandbox.aws.alarm_states import RuleError, names_in
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.series import (
    Metric,
    StatisticError,
    Store,
    check_period,
    check_statistic,
)

FIRST_REASON = "Unchecked: Initial alarm creation"
MOST_HISTORY = 10_000


class Backend(models.CloudWatchBackend):  # type: ignore[misc]  # moto ships no types
    """CloudWatch of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.store = Store()
        self.history: deque[dict[str, Any]] = deque(maxlen=MOST_HISTORY)

    def put_metric_data(self, namespace: str, metric_data: Sequence[Mapping[str, Any]]) -> None:
        """Take data as the API gives them; the sandbox's own parts call this too."""
        for number, datum in enumerate(metric_data, 1):
            self._validate_parameters_put_metric_data(datum, number)
        for datum in metric_data:
            self.store.put(namespace, datum, clock.now())

    def store_of(self, account: str) -> Store:
        """Answer the samples of an account in this region, "" is our own."""
        if not account:
            return self.store
        store: Store = models.cloudwatch_backends[account][self.region_name].store
        return store

    def put_metric_alarm(self, **given: Any) -> Any:
        """Make or change an alarm; one that is changed keeps its state."""
        _check_alarm(given, self.alarms)
        before = self.alarms.get(given["name"])
        alarm = super().put_metric_alarm(**given)
        now = clock.now()
        alarm.configuration_updated_timestamp = now
        alarm.evaluation_state = None
        kept = before or alarm
        alarm.state_value = before.state_value if before else "INSUFFICIENT_DATA"
        alarm.state_reason = kept.state_reason if before else FIRST_REASON
        alarm.state_updated_timestamp = kept.state_updated_timestamp if before else now
        alarm.state_transitioned_timestamp = before.state_transitioned_timestamp if before else now
        what = "updated" if before else "created"
        summary = f'Alarm "{alarm.name}" {what}'
        data = {"type": "Update" if before else "Create"}
        self.history.append(
            alarm_news.history_item(alarm, "ConfigurationUpdate", summary, data, now)
        )
        return alarm

    def set_alarm_state(
        self, alarm_name: str, reason: str, reason_data: str | None, state_value: str
    ) -> None:
        """Set a state by hand: it holds until the alarm is evaluated next, which is once a period."""
        self._change(alarm_name, reason, reason_data, state_value)
        alarm, now = self.alarms[alarm_name], clock.now().timestamp()
        if not alarm.rule:
            period = alarms.period_of(alarms.queries_of(alarm))
            alarm.held_until = now // period * period + period

    def _change(
        self, alarm_name: str, reason: str, reason_data: str | None, state_value: str
    ) -> None:
        """Change a state; that goes to history, actions and the event bus."""
        before = self.alarms.get(alarm_name)
        old, old_reason = (before.state_value, before.state_reason) if before else ("", "")
        super().set_alarm_state(alarm_name, reason, reason_data or "{}", state_value)
        alarm, now = self.alarms[alarm_name], clock.now()
        alarm.state_updated_timestamp = now
        if old == state_value:
            return
        alarm.state_transitioned_timestamp = now
        self.history.append(alarm_news.transition(alarm, old, old_reason, now))
        alarm_news.announce(alarm, self.account_id, self.region_name, old, now)
        self.history.extend(alarm_news.act(alarm, self.account_id, self.region_name, old, now))

    def evaluate(self) -> None:
        """Evaluate every alarm, composite ones last."""

        def change(alarm: Any, state: str, reason: str, data: dict[str, Any]) -> None:
            self._change(alarm.name, reason, alarms.reason_data(data), state)

        here = self.account_id, self.region_name
        store_of = fault_data.for_alarms(*here, self.store_of)
        for alarm in sorted(self.alarms.values(), key=lambda each: bool(each.rule)):
            if state := fault_data.flapping(*here, alarm.name, alarm.state_value):
                change(alarm, state, f"The sandbox's fault alarm_flaps: {state}", {})
            elif alarm.rule:
                alarms.evaluate_composite(alarm, self.alarms, change)
            elif clock.now().timestamp() >= getattr(alarm, "held_until", 0.0):
                alarms.evaluate(alarm, store_of, clock.now(), change)

    def get_filtered_metrics(
        self, metric_name: str, namespace: str, dimensions: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Answer ListMetrics: a dimension without a value matches any."""
        return [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            }
            for metric in self.store.metrics()
            if namespace in (None, metric.namespace)
            and metric_name in (None, metric.name)
            and _has(metric, dimensions or ())
        ]


def _check_alarm(given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    try:
        if given.get("rule"):
            missing = [name for name in names_in(given["rule"]) if name not in known]
            if missing:
                raise Fault("ValidationError", f"AlarmRule names no such alarm: {missing[0]}")
        elif given.get("period"):
            check_period(int(given["period"]))
            check_statistic(given.get("statistic") or given.get("extended_statistic") or "")
    except (RuleError, StatisticError) as error:
        raise Fault("ValidationError", str(error)) from None


def _has(metric: Metric, dimensions: Sequence[Mapping[str, Any]]) -> bool:
    own = dict(metric.dimensions)
    return all(
        each["Name"] in own and each.get("Value") in (None, own[each["Name"]])
        for each in dimensions
    )
