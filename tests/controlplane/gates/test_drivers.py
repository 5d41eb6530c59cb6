"""The drivers at a gate: nothing but a plain yes opens, and who knows when it opens says so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from accounts.breaker import Breakers
from controlplane.actions.base import ActionDriver
from controlplane.clock import ManualClock
from controlplane.gates.deployment_window import Calendars, DeploymentWindow
from controlplane.gates.expression import expression_rule
from controlplane.gates.freeze import freeze_rule
from controlplane.gates.open_incident import Alertmanager, OpenIncident
from controlplane.gates.pipeline_state import pipeline_state_rule
from controlplane.gates.signal import SignalGate
from controlplane.gates.variable_check import VariableCheck
from monitors.base import (
    MonitorError,
    Outcome,
    Point,
    Progress,
    Query,
    Series,
    Task,
    Verdict,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
Answer = Callable[[httpx.Request], httpx.Response]


def task(**configuration: str) -> Task:
    return Task("t", "shop", "e", "Prod", "Rule", configuration, now=NOW)


def look(driver: ActionDriver, asked: Task) -> Progress:
    found = driver.look([asked])["t"]
    assert isinstance(found, Progress), found
    return found


def verdict(driver: ActionDriver, asked: Task) -> Verdict:
    """What counts at the gate: an error is UNREACHABLE, as the engine writes it."""
    found = driver.look([asked])["t"]
    if isinstance(found, MonitorError):
        return Verdict.UNREACHABLE
    assert found.judgement is not None
    return found.judgement.verdict


# --- Windows ------------------------------------------------------------------------------------


def windows(answer: Answer | None = None, off: str = "") -> DeploymentWindow:
    places = {"off": off} if off else {}
    transport = httpx.MockTransport(answer or (lambda _: httpx.Response(500)))
    return DeploymentWindow(Calendars(httpx.Client(transport=transport), lambda: NOW, places))


def test_a_closed_window_says_when_it_opens_and_is_looked_at_then() -> None:
    found = look(windows(), task(Cron="* * 9 ? * TUE *", TimeZone="Europe/Berlin"))
    assert found.output == {"OpensAt": "2026-06-02T07:00:00Z", "TimeZone": "Europe/Berlin"}
    assert found.look_after == timedelta(hours=19)


def test_an_open_window_passes() -> None:
    assert verdict(windows(), task(Cron="* * 12 ? * MON *")) is Verdict.PASS


def test_a_calendar_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "off.ics"
    file.write_text("DTSTART;VALUE=DATE:20260601\nDTEND;VALUE=DATE:20260602\n")
    found = look(windows(off=str(file)), task(Calendar="off"))
    assert found.output["OpensAt"] == "2026-06-02T00:00:00Z"


def test_a_calendar_comes_from_an_address() -> None:
    text = "DTSTART:20260601T110000\nDURATION:PT2H\n"
    driver = windows(lambda _: httpx.Response(200, text=text), off="https://cal.example/off.ics")
    assert verdict(driver, task(Calendar="off")) is Verdict.FAIL


@pytest.mark.parametrize("place", ["", "/nowhere/off.ics", "https://cal.example/off.ics"])
def test_a_calendar_that_cannot_be_read_keeps_it_closed(place: str) -> None:
    assert verdict(windows(off=place), task(Calendar="off")) is Verdict.UNREACHABLE


def test_a_calendar_that_is_too_large_keeps_it_closed(tmp_path: Path) -> None:
    (tmp_path / "off.ics").write_bytes(b"X" * 300_000)
    driver = windows(off=str(tmp_path / "off.ics"))
    assert verdict(driver, task(Calendar="off")) is Verdict.UNREACHABLE


# --- Incidents ----------------------------------------------------------------------------------


def incidents(answer: Answer) -> OpenIncident:
    clock = ManualClock()
    http = httpx.Client(transport=httpx.MockTransport(answer))
    servers, environ = {"main": "http://alerts:9093"}, {"ALERTMANAGER_TOKEN": "s3cret"}
    return OpenIncident(Alertmanager(http, clock, servers, environ, Breakers(clock)))


ASKED = task(Alertmanager="main", Matchers='severity="critical", team=~"a|b"')


def test_alertmanager_is_asked_for_what_is_active_and_matches() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[])

    found = incidents(answer)
    with_token = replace(
        ASKED, configuration={**ASKED.configuration, "TokenEnv": "ALERTMANAGER_TOKEN"}
    )
    assert verdict(found, with_token) is Verdict.PASS
    parameters = asked[0].url.params
    assert asked[0].url.path == "/api/v2/alerts"
    assert parameters.get_list("filter") == ['severity="critical"', 'team=~"a|b"']
    assert (parameters["active"], parameters["silenced"]) == ("true", "false")
    assert asked[0].headers["authorization"] == "Bearer s3cret"


def test_an_active_alert_keeps_it_closed_and_is_named() -> None:
    alert = {"labels": {"alertname": "HighErrors"}, "status": {"state": "active"}}
    found = look(incidents(lambda _: httpx.Response(200, json=[alert])), ASKED)
    assert found.judgement is not None and found.judgement.verdict is Verdict.FAIL
    assert "HighErrors" in found.summary


def hang_up(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    "answer",
    [
        hang_up,
        lambda _: httpx.Response(500),
        lambda _: httpx.Response(404),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json={"status": "success", "data": []}),
        lambda _: httpx.Response(200, json=[{"fingerprint": "1"}]),
        lambda _: httpx.Response(200, json="x"),
        lambda _: httpx.Response(200, json=None),
    ],
)
def test_whatever_is_no_list_of_alerts_opens_nothing(answer: Answer) -> None:
    assert verdict(incidents(answer), ASKED) is Verdict.UNREACHABLE


def test_another_secret_of_this_process_is_sent_nowhere() -> None:
    wrong = replace(ASKED, configuration={**ASKED.configuration, "TokenEnv": "AWS_SECRET"})
    assert verdict(incidents(lambda _: httpx.Response(200, json=[])), wrong) is Verdict.UNREACHABLE


@pytest.mark.parametrize(("severity", "expected"), [("critical", "FAIL"), ("info", "PASS")])
def test_incidents_that_were_sent_to_us_count_where_no_alertmanager_is_named(
    severity: str, expected: str
) -> None:
    open_ = {"incidents": [{"name": "Down", "labels": {"severity": severity}}]}
    asked = replace(task(Matchers='severity="critical"'), known=open_)
    assert verdict(incidents(hang_up), asked) == expected


# --- What asks nobody ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("driver", "configuration"),
    [
        (expression_rule(), {"Expression": "true"}),
        (pipeline_state_rule(), {"Pipeline": "p", "State": "Idle"}),
        (freeze_rule(), {}),
        (incidents(hang_up), {"Matchers": "a=b"}),
    ],
)
def test_a_rule_that_was_told_nothing_opens_nothing(
    driver: ActionDriver, configuration: Mapping[str, str]
) -> None:
    assert verdict(driver, task(**configuration)) is Verdict.UNREACHABLE


def test_the_hour_of_an_expression_is_that_of_its_zone() -> None:
    asked = task(Expression="time.hour == 14 && time.weekday == 'MON'", TimeZone="Europe/Berlin")
    assert verdict(expression_rule(), replace(asked, known={"document": {}})) is Verdict.PASS


@pytest.mark.parametrize(
    ("operator", "value", "outcome"),
    [
        ("EQ", "v1.2", Outcome.SUCCEEDED),
        ("EQ", "v1", Outcome.FAILED),
        ("NE", "v1", Outcome.SUCCEEDED),
        ("CONTAINS", "1.", Outcome.SUCCEEDED),
        ("CONTAINS", "2.", Outcome.FAILED),
        ("MATCHES", "v[0-9.]+", Outcome.SUCCEEDED),
        ("MATCHES", "[0-9.]+", Outcome.FAILED),
    ],
)
def test_variables_are_compared_as_codepipeline_does(
    operator: str, value: str, outcome: Outcome
) -> None:
    asked = task(Variable="v1.2", Operator=operator, Value=value)
    assert VariableCheck().start(asked).outcome is outcome


# --- Signals ------------------------------------------------------------------------------------


class Told:
    """A signal that answers what it is told to."""

    def __init__(self, answer: Series | MonitorError) -> None:
        self._answer = answer

    def read(self, queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        return {query.key: self._answer for query in queries}


def points(value: float, age: int = 10) -> Series:
    return Series((Point(NOW - timedelta(seconds=age), value),))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (points(0.0), Verdict.PASS),
        (points(1.0), Verdict.FAIL),
        (points(0.0, age=600), Verdict.NO_DATA),
        (Series(), Verdict.NO_DATA),
        (MonitorError("away"), Verdict.UNREACHABLE),
        (replace(points(0.0), complete=False), Verdict.INCONCLUSIVE),
    ],
)
def test_a_signal_must_be_good_now(answer: Series | MonitorError, expected: Verdict) -> None:
    budget = task(Query="burn", Url="http://p", Threshold="0.5")
    assert verdict(SignalGate(Told(answer)), budget) is expected
    assert verdict(SignalGate(Told(answer)), task(AlarmName="errors")) is expected


def test_a_silent_signal_is_told_without_a_deployment_that_was_not_yet() -> None:
    found = look(SignalGate(Told(Series(note="it sleeps"))), task(AlarmName="errors"))
    assert found.summary == "alarm errors has no data (it sleeps)"


def test_a_rule_that_is_wrong_spoils_no_other() -> None:
    right = replace(task(AlarmName="errors"), token="right")
    found = SignalGate(Told(points(0.0))).look([task(Query="burn"), right])
    assert isinstance(found["t"], MonitorError)
    assert isinstance(found["right"], Progress)
