import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.alarm_history import KNOWN, Histories, change
from monitors.base import MonitorError, Point, Query, Series
from monitors.signals.cloudwatch_alarm import CloudWatchAlarm
from tests.support.clients import StubClients
from tests.support.scripted import DENIED, Refusal, scripted
from tests.support.watched import NOW, at, query, recorded

NAME = "shop-prod-errors"
RULE = {"AlarmName": NAME}


def alarm(state: str = "OK", changed: float = -9000, name: str = NAME, **more: Any) -> Any:
    return {
        "AlarmName": name,
        "StateValue": state,
        "StateTransitionedTimestamp": at(changed),
        "StateUpdatedTimestamp": at(changed),
        **more,
    }


def moved(when: float, old: str, new: str) -> dict[str, Any]:
    data = {"oldState": {"stateValue": old}, "newState": {"stateValue": new}}
    return {"Timestamp": at(when), "HistoryData": json.dumps(data)}


def read(
    *alarms: Any,
    history: Any = (),
    asks: tuple[Query, ...] | None = None,
    now: datetime = NOW,
) -> Any:
    """What the driver answers in a world with these alarms; the last is that of the only query."""

    def changes(asked: dict[str, Any]) -> Any:
        if isinstance(history, Refusal):
            return history
        later = [item for item in history if item["Timestamp"] >= asked["StartDate"]]
        return {"AlarmHistoryItems": later}

    client = scripted(
        "cloudwatch",
        describe_alarms=lambda asked: {
            "MetricAlarms": [one for one in alarms if one["AlarmName"] in asked["AlarmNames"]]
        },
        describe_alarm_history=changes,
    )
    driver = CloudWatchAlarm(StubClients(cloudwatch=client), lambda: now)
    if asks is not None:
        return driver.read(asks)
    return driver.read([query("q", RULE)])["q"]


def test_times_are_told_in_utc_whatever_the_machines_zone() -> None:
    here = timezone(timedelta(hours=5))
    found = read({**alarm(), "StateTransitionedTimestamp": at(-9000).astimezone(here)})
    assert "since 2026-01-05 06:30:00" in found.note


@pytest.mark.parametrize(("state", "value"), [("ALARM", 1.0), ("OK", 0.0)])
def test_a_state_is_a_point_at_the_look_and_the_note_says_since_when(
    state: str, value: float
) -> None:
    found = read(alarm(state))
    assert found.points == (Point(NOW, value),)
    assert found.note == f"alarm {NAME} is in {state} since 2026-01-05 06:30:00"


def test_insufficient_data_is_silence_with_a_note() -> None:
    found = read(alarm("INSUFFICIENT_DATA"))
    assert found.points == ()
    assert "INSUFFICIENT_DATA" in found.note


@pytest.mark.parametrize("state", ["PARTIAL_DATA", "EVALUATION_FAILURE", "EVALUATION_ERROR"])
def test_an_alarm_that_cannot_be_evaluated_is_never_ok(state: str) -> None:
    found = read(alarm("OK", EvaluationState=state))
    assert found.points == ()
    assert state in found.note


def test_a_missing_alarm_is_a_permanent_error_that_names_it() -> None:
    found = read(alarm(name="another"))
    assert isinstance(found, MonitorError)
    assert found.permanent
    assert repr(NAME) in str(found)


def test_composite_alarms_are_asked_for_and_read() -> None:
    answer = recorded(
        "codedeploy/recorded-monitoring/test_add_composite_alarm_tags__DescribeAlarms_1.json"
    )
    asked: list[dict[str, Any]] = []

    def describe(request: dict[str, Any]) -> Any:
        asked.append(request)
        return answer

    client = scripted("cloudwatch", describe_alarms=describe)
    driver = CloudWatchAlarm(StubClients(cloudwatch=client), lambda: NOW)
    found = driver.read([query("q", {"AlarmName": "c7n-composite-alarm"})])["q"]
    assert isinstance(found, Series)
    assert found.points == (Point(NOW, 0.0),)
    assert set(asked[0]["AlarmTypes"]) == {"CompositeAlarm", "MetricAlarm"}


def test_a_hundred_names_go_into_one_call_and_one_wrong_query_spoils_no_other() -> None:
    calls: list[int] = []
    names = [f"alarm-{place}" for place in range(250)]

    def describe(asked: dict[str, Any]) -> dict[str, Any]:
        calls.append(len(asked["AlarmNames"]))
        return {"MetricAlarms": [alarm(name=name) for name in asked["AlarmNames"]]}

    client = scripted("cloudwatch", describe_alarms=describe)
    driver = CloudWatchAlarm(StubClients(cloudwatch=client), lambda: NOW)
    asks = [query(name, {"AlarmName": name}) for name in names]
    found = dict(driver.read([*asks, query("wrong", {"AlarmName": ""})]))
    assert calls == [100, 100, 50]
    assert isinstance(found.pop("wrong"), MonitorError)
    assert all(isinstance(one, Series) and one.points for one in found.values())


def test_changes_within_the_window_are_points_too() -> None:
    history = [moved(-100, "OK", "ALARM"), moved(-40, "ALARM", "OK")]
    found = read(alarm("OK", changed=-40), history=history)
    assert found.points == (Point(at(-100), 1.0), Point(at(-40), 0.0), Point(NOW, 0.0))


def test_a_window_that_is_over_tells_the_state_that_held_at_its_end() -> None:
    history = [moved(-100, "OK", "ALARM")]
    before = query("q", RULE, start=-400, end=-200)
    found = read(alarm("ALARM", changed=-100), history=history, asks=(before,))["q"]
    assert found.points == (Point(at(-200), 0.0),)
    assert f"alarm {NAME} was in OK" in found.note


def test_a_window_that_is_over_and_whose_history_is_gone_is_silent() -> None:
    before = query("q", RULE, start=-400, end=-200)
    found = read(alarm("ALARM", changed=-100), asks=(before,))["q"]
    assert found.points == ()
    assert "not known" in found.note


def test_an_alarm_is_seen_at_once_even_where_its_history_may_not_be_read() -> None:
    found = read(alarm("ALARM", changed=-3), history=DENIED)
    assert found.points == (Point(NOW, 1.0),)
    assert "its history is unknown" in found.note


def test_a_clock_that_runs_ahead_of_ours_hides_no_alarm() -> None:
    found = read(alarm("ALARM", changed=2), history=[moved(2, "OK", "ALARM")])
    assert found.points == (Point(NOW, 1.0),)


def test_an_alarm_that_goes_off_just_after_a_deployment_began_was_not_in_alarm_before() -> None:
    windows = query("before", RULE, start=-300, end=-3), query("after", RULE, start=-3)
    found = read(alarm("ALARM", changed=-1), history=[moved(-1, "OK", "ALARM")], asks=windows)
    assert found["before"].points == (Point(at(-3), 0.0),)
    assert found["after"].points[-1] == Point(NOW, 1.0)


def test_history_is_paged_and_bounded() -> None:
    pages: list[str] = []

    def endless(asked: dict[str, Any]) -> dict[str, Any]:
        pages.append(asked.get("NextToken", ""))
        return {"AlarmHistoryItems": [moved(-50, "OK", "ALARM")], "NextToken": f"p{len(pages)}"}

    client = scripted(
        "cloudwatch",
        describe_alarms=lambda _: {"MetricAlarms": [alarm("ALARM", changed=-50)]},
        describe_alarm_history=endless,
    )
    found = CloudWatchAlarm(StubClients(cloudwatch=client), lambda: NOW).read([query("q", RULE)])[
        "q"
    ]
    assert isinstance(found, Series)
    assert not found.complete
    assert pages[:3] == ["", "p1", "p2"]


class Told:
    """Histories, and a CloudWatch that tells these changes of an alarm and counts how often."""

    def __init__(self, *items: Any) -> None:
        self.asked, self.items = 0, list(items)
        self.histories = Histories()
        self.client = scripted("cloudwatch", describe_alarm_history=self._answer)

    def _answer(self, _asked: dict[str, Any]) -> Any:
        self.asked += 1
        return {"AlarmHistoryItems": self.items}

    def read(self, changed: float, start: float = -300, name: str = NAME) -> list[Any]:
        asked = query("q", RULE, start=start)
        return self.histories.read(self.client, asked, name, at(changed))[0]


def test_a_history_is_read_once_for_each_change() -> None:
    told = Told(moved(-250, "OK", "ALARM"), moved(-100, "ALARM", "OK"))
    assert [len(told.read(-100, start)) for start in (-300, -200, -300)] == [2, 1, 2]
    assert told.asked == 1
    told.read(-50)
    assert told.asked == 2


def test_an_earlier_window_reads_the_history_again() -> None:
    told = Told(moved(-100, "ALARM", "OK"))
    told.read(-100, start=-200)
    told.read(-100, start=-300)
    assert told.asked == 2


def test_a_history_that_does_not_show_the_last_change_yet_is_not_kept() -> None:
    told = Told(moved(-250, "OK", "ALARM"))
    told.read(-100)
    told.items.append(moved(-100, "ALARM", "OK"))
    assert len(told.read(-100)) == 2


def test_the_histories_that_are_kept_are_bounded() -> None:
    told = Told(moved(-100, "ALARM", "OK"))
    for place in range(KNOWN + 5):
        told.histories._keep(("prod", "eu-west-1", f"{place}"), None)  # type: ignore[arg-type]
    assert len(told.histories._known) == KNOWN


def test_a_recorded_history_is_read() -> None:
    items = recorded("codedeploy/cloudwatch/describe-alarm-history_L10.json")["AlarmHistoryItems"]
    for item in items:  # the command line prints what botocore gives as a time
        item["Timestamp"] = datetime.fromisoformat(item["Timestamp"])
    found = [change(item)[0][1:] for item in items]
    assert found == [("ALARM", "OK"), ("OK", "ALARM")]


@given(st.one_of(st.text(), st.builds(json.dumps, st.dictionaries(st.text(), st.text()))))
def test_any_history_data_is_read_or_left_out(data: str) -> None:
    assert change({"Timestamp": NOW, "HistoryData": data}) == []
