"""What the doctor finds out of rules before a release: what cannot be read, and where an alarm really is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from accounts.base import Scope
from accounts.models import Purpose
from accounts.preflight import walk
from controlplane.actions.hops import HOPS
from controlplane.actions.reading import elsewhere, read_once
from controlplane.gates.signal import SignalGate
from monitors.base import Task
from monitors.signals.prometheus import Prometheus
from tests.support.clients import REGION, FakeRegistry, StubClients, account

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ELSEWHERE = "eu-central-1"


@dataclass
class Regional:
    """CloudWatch of one region, with the alarms that it has."""

    alarms: list[str]

    def describe_alarms(self, **asked: Any) -> Mapping[str, Any]:
        found = [
            {"AlarmName": n, "StateValue": "OK"} for n in self.alarms if n in asked["AlarmNames"]
        ]
        return {"MetricAlarms": found}


class Regions(StubClients):
    """Hands out another CloudWatch for each region."""

    def client(
        self,
        service: str,  # noqa: ARG002 - the contract's
        account: str,  # noqa: ARG002
        region: str,
        purpose: Purpose,  # noqa: ARG002
        scope: Scope = Scope(),  # noqa: ARG002, B008 - a frozen value
    ) -> Any:
        return self.by_name[region]


def alarms(**by_region: list[str]) -> list[str]:
    named = {name.replace("_", "-"): Regional(found) for name, found in by_region.items()}
    prod = account().model_copy(update={"regions": [REGION, ELSEWHERE]})
    clients = Regions(FakeRegistry(prod), None, **named)
    hops = HOPS["CloudWatchAlarm"]({"AlarmName": "errors"}, "prod", REGION)
    return [one.message for one in elsewhere(clients, walk(clients, hops)) if not one.ok]


def test_an_alarm_of_another_region_is_told_with_both() -> None:
    said = "Alarm errors of prod is in eu-central-1, the rule looks in eu-west-1."
    assert alarms(eu_west_1=[], eu_central_1=["errors"]) == [said]


def test_an_alarm_that_is_nowhere_is_told_as_before() -> None:
    assert alarms(eu_west_1=[], eu_central_1=["others"]) == ["There is no alarm errors in prod."]


def test_an_alarm_that_is_there_is_not_looked_for_elsewhere() -> None:
    assert alarms(eu_west_1=["errors"]) == []


MATRIX = {
    "resultType": "matrix",
    "result": [{"metric": {}, "values": [[NOW.timestamp() - 1, "9"]]}],
}
EMPTY = {"resultType": "matrix", "result": []}


@pytest.mark.parametrize(
    ("answer", "ok", "said"),
    [
        (httpx.Response(200, json={"status": "success", "data": MATRIX}), True, "FAIL, sum(x) 9 > 1"),
        (httpx.Response(200, json={"status": "success", "data": EMPTY}), False, "NO_DATA, sum(x) has no data"),
        (
            httpx.Response(400, json={"status": "error", "errorType": "bad_data", "error": "parse error: x"}),
            False,
            "Prometheus refused the query: parse error: x",
        ),
        (httpx.Response(503), False, "did not answer"),
    ],
)  # fmt: skip
def test_a_query_is_asked_once(answer: httpx.Response, ok: bool, said: str) -> None:
    http = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
    signal = SignalGate(Prometheus(http, lambda: NOW, {"main": "http://p"}, {}))
    given = {"Query": "sum(x)", "Prometheus": "main", "Threshold": "1"}
    found = read_once(signal, Task("t", "shop", "", "Prod", "Errors", given, now=NOW))
    assert (found.ok, bool(found.mend)) == (ok, not ok)
    assert found.message.startswith("Prod/Errors: ") and said in found.message


def test_a_rule_that_is_wrong_is_told_and_not_raised() -> None:
    signal = SignalGate(Prometheus(httpx.Client(), lambda: NOW, {}, {}))
    found = read_once(signal, Task("t", "shop", "", "Prod", "Errors", {}, now=NOW))
    assert not found.ok and found.mend == "Correct what the message names."
