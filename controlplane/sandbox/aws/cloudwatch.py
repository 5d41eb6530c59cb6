"""CloudWatch: right series, metric math, alarms that evaluate, composite alarms, history."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch import models, responses, urls
from moto.core.responses import ActionResult

from controlplane.sandbox.aws import fault_data, hooks, on_tick
from controlplane.sandbox.aws.cloudwatch_backend import Backend
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.aws.metric_queries import answers, check, page, range_of
from controlplane.sandbox.aws.series import PLAIN, Metric, StatisticError, Store, dimensions_of
from controlplane.sandbox.faults.in_force import InForce

MOST_ALARMS = 100


class Response(responses.CloudWatchResponse):  # type: ignore[misc]  # moto ships no types
    """The operations whose answers are ours; the rest stays moto's."""

    @property
    def _backend(self) -> Backend:
        backend: Backend = self.cloudwatch_backend
        return backend

    def get_metric_data(self) -> ActionResult:
        given = dict(self._get_params())
        queries = given.get("MetricDataQueries") or []
        check(queries)
        asked = range_of(given["StartTime"], given["EndTime"])
        hit = self._befallen("GetMetricData")
        found = answers(queries, asked, fault_data.readable(hit, self._backend.store_of))
        return ActionResult(fault_data.results(hit, page(queries, found, given)))

    def get_metric_statistics(self) -> ActionResult:
        given = dict(self._get_params())
        named = [*(given.get("Statistics") or ()), *(given.get("ExtendedStatistics") or ())]
        if not named:
            sentence = "Must specify either Statistics or ExtendedStatistics"
            raise Fault("InvalidParameterCombination", sentence)
        hit = self._befallen("GetMetricStatistics")
        points = _statistics(fault_data.readable(hit, self._backend.store_of)(""), given, named)
        answer = {"Label": given["MetricName"], "Datapoints": fault_data.points(hit, points)}
        return ActionResult(answer)

    def _befallen(self, operation: str) -> InForce | None:
        return fault_data.choose(self.normalized_request.environ, operation, self.region)

    def put_composite_alarm(self) -> ActionResult:
        return self.put_metric_alarm()

    def describe_alarms(self) -> ActionResult:
        given = dict(self._get_params())
        # Composite alarms are answered only where they are asked for.
        kinds = given.get("AlarmTypes") or ["MetricAlarm"]
        found = sorted(
            (alarm for alarm in list(self._backend.alarms.values()) if _matches(alarm, given)),
            key=lambda alarm: str(alarm.name),
        )
        found = [alarm for alarm in found if _kind(alarm) in kinds]
        skip = int(given.get("NextToken") or 0)
        most = int(given.get("MaxRecords") or MOST_ALARMS // 2)
        part = found[skip : skip + most]
        answer: dict[str, Any] = {
            "MetricAlarms": [alarm for alarm in part if not alarm.rule],
            "CompositeAlarms": [alarm for alarm in part if alarm.rule],
        }
        if skip + most < len(found):
            answer["NextToken"] = str(skip + most)
        return ActionResult(answer)

    def describe_alarm_history(self) -> ActionResult:
        given = dict(self._get_params())
        items = [item for item in self._backend.history if _wanted(item, given)]
        if given.get("ScanBy") != "TimestampAscending":
            items.reverse()
        return ActionResult({"AlarmHistoryItems": items[: int(given.get("MaxRecords") or 100)]})


def _statistics(store: Store, given: Mapping[str, Any], named: Sequence[str]) -> list[Any]:
    metric = Metric(given["Namespace"], given["MetricName"], dimensions_of(given.get("Dimensions")))
    asked = range_of(given["StartTime"], given["EndTime"])
    unit = given.get("Unit") or ""
    points: dict[int, dict[str, Any]] = {}
    try:
        for name in named:
            series = store.series(metric, int(given["Period"]), name, asked.start, asked.end, unit)
            for at, value in series.items():
                point = points.setdefault(at, {"Unit": unit or "None"})
                if name in PLAIN:
                    point[name] = value
                else:
                    point.setdefault("ExtendedStatistics", {})[name] = value
    except StatisticError as error:
        raise Fault("InvalidParameterValue", str(error)) from None
    return [{"Timestamp": datetime.fromtimestamp(at, UTC)} | each for at, each in points.items()]


def _kind(alarm: Any) -> str:
    return "CompositeAlarm" if alarm.rule else "MetricAlarm"


def _matches(alarm: Any, given: Mapping[str, Any]) -> bool:
    names, prefix = given.get("AlarmNames"), given.get("AlarmNamePrefix") or ""
    action = given.get("ActionPrefix")
    return (
        (not names or alarm.name in names)
        and alarm.name.startswith(prefix)
        and given.get("StateValue") in (None, alarm.state_value)
        and (not action or any(arn.startswith(action) for arn in alarm.alarm_actions))
    )


def _wanted(item: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    start, end = given.get("StartDate"), given.get("EndDate")
    kinds = given.get("AlarmTypes") or ["MetricAlarm"]
    return (
        given.get("AlarmName") in (None, item["AlarmName"])
        and given.get("HistoryItemType") in (None, item["HistoryItemType"])
        and (given.get("AlarmName") is not None or item["AlarmType"] in kinds)
        and (start is None or item["Timestamp"] >= start.replace(tzinfo=UTC))
        and (end is None or item["Timestamp"] <= end.replace(tzinfo=UTC))
    )


def step() -> None:
    """Evaluate all alarms of all accounts."""
    for backend in hooks.every(models.cloudwatch_backends):
        backend.evaluate()


def install() -> None:
    """Put this CloudWatch in moto's place."""
    hooks.swap(models.cloudwatch_backends, Backend, urls, Response)
    on_tick(step)
