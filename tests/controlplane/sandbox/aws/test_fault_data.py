"""CloudWatch's data arrive late, in any order, in part or not at all; an alarm flaps."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from controlplane.clock import ManualClock
from controlplane.sandbox.aws import recorder, tick
from controlplane.sandbox.aws.fault_desk import RULES
from tests.controlplane.sandbox.conftest import ClientOf, FaultsOf

Worker = Callable[[str], Any]
MINUTES = 12


@pytest.fixture
def metrics(by_hand: ManualClock, client: ClientOf, account: str) -> None:
    """One value a minute, 0 to 11; the last one of this minute."""
    cloudwatch = client("cloudwatch", account)
    for ago in range(MINUTES):
        at = by_hand() - timedelta(minutes=ago)
        datum = {"MetricName": "Errors", "Timestamp": at, "Value": MINUTES - 1.0 - ago}
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])


def result(cloudwatch: Any, now: ManualClock) -> dict[str, Any]:
    stat = {
        "Metric": {"Namespace": "Shop", "MetricName": "Errors"},
        "Period": 60,
        "Stat": "Sum",
    }
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "e", "MetricStat": stat}],
        StartTime=now() - timedelta(minutes=MINUTES),
        EndTime=now() + timedelta(minutes=1),
        ScanBy="TimestampAscending",
    )
    (found,) = answer["MetricDataResults"]
    return {**found, "Said": answer["Messages"]}


def statistics(cloudwatch: Any, now: ManualClock) -> list[float]:
    answer = cloudwatch.get_metric_statistics(
        Namespace="Shop",
        MetricName="Errors",
        StartTime=now() - timedelta(minutes=MINUTES),
        EndTime=now() + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return [point["Sum"] for point in answer["Datapoints"]]


@pytest.mark.usefixtures("metrics")
def test_points_that_are_late_can_be_read_in_time(
    by_hand: ManualClock, worker: Worker, faults: FaultsOf
) -> None:
    faults({"fault": "late", "seconds": 180})
    assert result(worker("cloudwatch"), by_hand)["Values"] == [float(n) for n in range(9)]
    assert max(statistics(worker("cloudwatch"), by_hand)) == 8.0
    by_hand.advance(60)
    assert result(worker("cloudwatch"), by_hand)["Values"][-1] == 9.0


@pytest.mark.usefixtures("metrics")
def test_points_in_any_order_keep_their_times(
    by_hand: ManualClock, worker: Worker, faults: FaultsOf
) -> None:
    cloudwatch = worker("cloudwatch")
    right = result(cloudwatch, by_hand)
    faults({"fault": "out_of_order"}, seed=3)
    mixed = result(cloudwatch, by_hand)
    assert mixed["Values"] != right["Values"]
    assert dict(zip(mixed["Timestamps"], mixed["Values"], strict=True)) == dict(
        zip(right["Timestamps"], right["Values"], strict=True)
    )
    assert sorted(statistics(cloudwatch, by_hand)) == right["Values"]


@pytest.mark.usefixtures("metrics")
@pytest.mark.parametrize(("status", "points"), [("PartialData", 6), ("InternalError", 0)])
def test_an_answer_in_part_says_so(
    by_hand: ManualClock, worker: Worker, faults: FaultsOf, status: str, points: int
) -> None:
    faults({"fault": "partial", "status": status})
    found = result(worker("cloudwatch"), by_hand)
    assert (found["StatusCode"], found["Values"]) == (status, [float(n) for n in range(points)])
    assert [each["Code"] for each in found["Said"]] == ["InternalError"]


@pytest.mark.usefixtures("metrics")
def test_no_points_at_all_are_complete_and_recorded_as_a_fault(
    by_hand: ManualClock, client: ClientOf, worker: Worker, faults: FaultsOf, account: str
) -> None:
    faults({"fault": "none"})
    found = result(worker("cloudwatch"), by_hand)
    assert (found["StatusCode"], found["Values"]) == ("Complete", [])
    assert recorder.calls("cloudwatch", "GetMetricData")[-1]["fault"] == "none"
    assert len(result(client("cloudwatch", account), by_hand)["Values"]) == MINUTES


def alarm(cloudwatch: Any) -> Callable[[], str]:
    """An alarm that the values of `metrics` set off; answers its state."""
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )

    def state() -> str:
        tick()
        return str(cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"])

    return state


@pytest.mark.usefixtures("metrics")
def test_alarms_do_not_see_what_is_late_for_everybody(
    client: ClientOf, faults: FaultsOf, account: str, other_account: str
) -> None:
    state = alarm(client("cloudwatch", account))
    faults({"fault": "late", "seconds": 3600, "account": account})
    assert state() == "INSUFFICIENT_DATA"
    faults({"fault": "late", "seconds": 3600, "account": other_account})
    assert state() == "ALARM"


@pytest.mark.usefixtures("metrics")
def test_an_alarm_flaps_for_as_long_as_the_rule_says(
    by_hand: ManualClock, client: ClientOf, faults: FaultsOf, account: str
) -> None:
    state = alarm(client("cloudwatch", account))
    faults({"fault": "alarm_flaps", "alarm": "errors", "seconds": 5, "account": account})
    seen = [state()]
    for _ in range(4):
        by_hand.advance(3)
        seen.append(state())
    assert seen == ["ALARM", "ALARM", "OK", "OK", "ALARM"]
    assert RULES.document()["rules"][0]["hits"] == 3
    faults()
    assert state() == "ALARM"
