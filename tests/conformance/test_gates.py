"""What every rule at a gate must hold, whoever is asked: all drivers of the registry, one suite.

A new entry without a case fails the first test. An open gate is a release that goes in, so there is one law
above all: whatever a vendor does, only a plain yes is PASS.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from accounts.base import AccountError
from controlplane.actions.base import ActionDriver, MonitorError, Outcome, Progress, Task
from controlplane.actions.registry import GATES, Key, Parts
from controlplane.declarations.providers import RULE_NAMES
from monitors.base import Shell, Verdict
from tests.support import vendors
from tests.support.vendors import Mood
from tests.support.watched import NOW

DOCUMENT = {"digest": "sha256:1"}
OTHER = {"there": True, "where": "till", "inside": "", "latest": "", "digest": "", "held": ""}
CASES: Mapping[str, tuple[Mapping[str, str], Mapping[str, Any]]] = {
    "DeploymentWindow": ({"Deny": "DTSTART:20200101T000000\nDURATION:PT1H", "Calendar": "off"}, {}),
    "CloudWatchAlarm": ({"AlarmName": "errors"}, {}),
    "CloudWatchMetric": (
        {
            "Namespace": "Shop",
            "MetricName": "Errors",
            "Statistic": "Sum",
            "Period": "60",
            "Threshold": "5",
        },
        {},
    ),
    "PrometheusQuery": ({"Query": "up", "Prometheus": "default", "Threshold": "5"}, {}),
    "OpenIncident": ({"Alertmanager": "main", "Matchers": 'severity="critical"'}, {}),
    "PipelineState": ({"Pipeline": "till", "State": "Idle"}, {"other": OTHER}),
    "Expression": ({"Expression": 'digest == "sha256:1"'}, {"document": DOCUMENT}),
    "VariableCheck": ({"Variable": "a", "Operator": "EQ", "Value": "a"}, {}),
    "LambdaInvoke": ({"FunctionName": "may-we"}, {}),
    "CodeBuild": ({"ProjectName": "may-we"}, {}),
    "Commands": ({"ProjectName": "may-we"}, {}),
    "Freeze": ({}, {"freezes": []}),
}
"""By provider: its configuration where all is well, and what our own store then knows."""
OUTSIDE = sorted(set(CASES) - {"PipelineState", "Expression", "VariableCheck", "Freeze"})
every_gate = pytest.mark.parametrize("key", sorted(GATES), ids=lambda key: key[2])
asks_outside = pytest.mark.parametrize("provider", OUTSIDE)


def web(mood: Mood) -> httpx.Client:
    """Alertmanager and calendars, beside what the other vendors answer."""
    series = f'[{{"metric": {{}}, "values": [[{NOW.timestamp()}, "0"]]}}]'
    text = '{"status": "success", "data": {"resultType": "matrix", "result": %s}}'

    def answer(request: httpx.Request) -> httpx.Response:
        if mood is Mood.LATE:
            raise httpx.ReadTimeout("too late", request=request)
        if mood is Mood.DENIED:
            return httpx.Response(403)
        if mood is Mood.EMPTY:
            return httpx.Response(200, text="")
        if "query_range" in request.url.path:
            return httpx.Response(200, text=text % series)
        if "alerts" in request.url.path:
            return httpx.Response(200, json=[])
        return httpx.Response(200, text="DTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20200102\n")

    return httpx.Client(transport=httpx.MockTransport(answer))


def parts(mood: Mood) -> Parts:
    made = vendors.parts(mood)
    return Parts(
        clients=made.clients,
        now=made.now,
        http=web(mood),
        prometheus=made.prometheus,
        alertmanager={"main": "http://alerts"},
        calendars={"off": "http://calendar/off.ics"},
        environ={},
    )


def task(provider: str, **more: str) -> Task:
    configuration, known = CASES[provider]
    given = {**configuration, **more}
    shell = Shell(("true",)) if provider == "Commands" else None
    return Task(
        *("t", "shop", "e", "Prod", provider, given, "prod", "eu-west-1"),
        now=NOW,
        known=known,
        shell=shell,
    )


def opened(driver: ActionDriver, asked: Task) -> bool:
    """Start, look, and say whether the engine would let in."""
    try:
        found: Any = driver.start(asked)
        if found.outcome is Outcome.RUNNING:
            found = driver.look([replace(asked, handle=found.handle)])["t"]
    except (MonitorError, AccountError):
        return False
    if isinstance(found, MonitorError):
        return False
    assert isinstance(found, Progress)
    if found.outcome is not Outcome.RUNNING:
        return found.outcome is Outcome.SUCCEEDED
    assert found.judgement is not None
    return found.judgement.verdict is Verdict.PASS


def driver_of(provider: str, mood: Mood) -> ActionDriver:
    (key,) = [key for key in GATES if key[2] == provider]
    return GATES[key](parts(mood))


def test_every_registered_gate_is_in_this_suite_and_may_be_declared() -> None:
    assert {key[2] for key in GATES} == set(CASES)
    declared = {one.provider for one in RULE_NAMES.values() if "beforeEntry" in one.stands}
    assert declared == set(CASES) - {"Freeze"}


@every_gate
def test_where_all_is_well_it_opens(key: Key) -> None:
    assert opened(GATES[key](parts(Mood.WELL)), task(key[2]))


@asks_outside
@pytest.mark.parametrize("mood", [Mood.LATE, Mood.DENIED, Mood.EMPTY])
def test_a_vendor_that_is_away_refuses_or_says_nothing_opens_nothing(
    provider: str, mood: Mood
) -> None:
    assert not opened(driver_of(provider, mood), task(provider))


@every_gate
def test_a_configuration_that_is_wrong_opens_nothing(key: Key) -> None:
    wrong = task(key[2], Interval="often", Operator="LIKE", FunctionName="", ProjectName="")
    assert key[2] == "Freeze" or not opened(GATES[key](parts(Mood.WELL)), wrong)


@every_gate
def test_to_stop_it_is_harmless(key: Key) -> None:
    GATES[key](parts(Mood.WELL)).stop(task(key[2]))
