"""Gates by the REST door and the console: what keeps one waiting, and who may open it."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from controlplane.cli.drawing import tree
from controlplane.clock import iso
from controlplane.sandbox.scripted import judging
from controlplane.store.roles import Role
from monitors.base import Verdict
from tests.support.doors import Doors
from tests.support.house import action, gated, pipeline, rule, source

API = "/api/v1"
WORK = {"name": "Work", "actions": [action("Do", "NoOp")]}
REAL = Path("../shared/data/webhooks/alertmanager")


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def at_the_gate(doors: Doors, *rules: dict[str, Any]) -> str:
    alarm = rule("Quiet", "CloudWatchAlarm", configuration={"AlarmName": "errors"})
    doors.house.drivers["AlarmAtGate"].default = judging(Verdict.FAIL)
    doors.house.apply(pipeline(source(), gated(WORK, *(rules or (alarm,)))))
    execution = doors.house.start()
    doors.house.wait(6, step=2)
    return execution


def test_the_stage_document_says_what_keeps_it_waiting_and_when_it_opens(doors: Doors) -> None:
    hour = (doors.house.clock().hour + 5) % 24
    hours = {"Cron": f"* * {hour} ? * * *", "TimeZone": "Europe/Berlin"}
    execution = at_the_gate(doors, rule("Hours", "DeploymentWindow", configuration=hours))
    stage = doors.client().get(f"{API}/executions/{execution}").json()["stages"][-1]
    assert stage["held"].startswith("waits at the gate: Hours: the window is closed; next opens 20")
    (hours_rule,) = stage["gate"]["rules"]
    assert hours_rule["timeZone"] == "Europe/Berlin" and hours_rule["opensAt"].endswith(":00:00Z")
    state = doors.client().get(f"{API}/pipelines/shop/state").json()["stages"][1]
    assert state["inbound"][0]["held"] == stage["held"]


def test_the_console_and_the_command_line_show_it_too(doors: Doors) -> None:
    execution = at_the_gate(doors)
    assert "waits at the gate: Quiet: said FAIL" in doors.browser().get("/pipelines/shop").text
    document = doors.client().get(f"{API}/executions/{execution}").json()
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(tree(document))
    assert "waits at the gate: Quiet: said FAIL" in console.export_text()


def test_two_tokens_of_different_names_open_a_gate(doors: Doors) -> None:
    execution = at_the_gate(doors)
    address = f"{API}/executions/{execution}/stages/Work/override"
    first = doors.client(Role.RELEASE_MANAGER).post(address, json={"reason": "a fix"})
    assert (first.json()["state"], first.json()["askedBy"]) == ("asked", "release-manager")
    assert "asks to open this gate" in doors.browser().get("/pipelines/shop").text
    again = doors.client(Role.RELEASE_MANAGER).post(address, json={"reason": "a fix"})
    assert again.status_code == 409
    second = doors.client(Role.ADMIN).post(address, json={"reason": "yes"})
    assert second.json()["confirmedBy"] == "admin"
    doors.house.settle()
    assert doors.house.stages(execution)["Work"] == "Succeeded"


def test_who_makes_himself_more_tokens_stays_one_person(doors: Doors) -> None:
    execution = at_the_gate(doors)
    address = f"{API}/executions/{execution}/stages/Work/override"
    own = [doors.client(), doors.client()]
    for name in ("bob", "eve"):  # eve's by bob's: the chain is one person, too
        made = own[-1].post(f"{API}/tokens", json={"name": name, "role": "admin"}).json()
        own.append(doors.client(None))
        own[-1].headers["authorization"] = f"Bearer {made['token']}"
    assert own[2].post(address, json={"reason": "a fix"}).json()["askedBy"] == "bob"
    for client in own:
        answer = client.post(address, json={"reason": "yes, yes"})
        assert (answer.status_code, "another person" in answer.text) == (409, True)
    other = doors.client(Role.RELEASE_MANAGER).post(address, json={"reason": "yes"})
    assert other.json()["state"] == "confirmed"


def test_an_override_needs_a_reason(doors: Doors) -> None:
    execution = at_the_gate(doors)
    address = f"{API}/executions/{execution}/stages/Work/override"
    assert doors.client().post(address, json={"reason": " "}).status_code == 422


def test_a_freeze_is_set_listed_and_lifted(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), WORK))
    asked = {"pipeline": "shop", "until": "2099-01-01T00:00:00+01:00", "reason": "the fair"}
    made = doors.client().post(f"{API}/freezes", json=asked)
    (listed,) = doors.client(Role.VIEWER).get(f"{API}/freezes").json()
    assert listed["id"] == made.json()["id"] and listed["until"] == "2098-12-31T23:00:00.000Z"
    lifted = doors.client().request(
        "DELETE", f"{API}/freezes/{listed['id']}", json={"reason": "over"}
    )
    assert lifted.status_code == 204
    assert doors.client().get(f"{API}/freezes").json() == []


def test_times_at_the_ends_of_time_can_be_read_again(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), WORK))
    last = "9999-12-31T23:59:59-23:59"
    admin = doors.client()
    admin.post(f"{API}/freezes", json={"until": last, "reason": "for good"})
    admin.post(f"{API}/tokens", json={"name": "ci", "role": "viewer", "expiresAt": last})
    first = firing("Down")
    first["alerts"][0]["startsAt"] = "0001-01-01T00:00:00+23:00"
    admin.post(f"{API}/incidents/alertmanager", json=first)
    assert admin.get(f"{API}/freezes").json()[0]["until"] == "9999-12-30T00:00:00.000Z"
    ends = {one["name"]: one["expiresAt"] for one in admin.get(f"{API}/tokens").json()}
    assert ends["ci"] == "9999-12-30T00:00:00.000Z"
    assert admin.get(f"{API}/incidents").json()[0]["since"] == iso(doors.house._now())
    execution = doors.house.start()
    doors.house.wait(6, step=2)
    assert (
        "frozen" in doors.client().get(f"{API}/executions/{execution}").json()["stages"][0]["held"]
    )


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": "r", "until": "2099-01-01T00:00:00"}, {"reason": "r", "pipeline": "a b"}],
)
def test_a_freeze_that_is_not_understood_is_refused(doors: Doors, body: Mapping[str, str]) -> None:
    assert doors.client().post(f"{API}/freezes", json=body).status_code == 422


# --- Incidents ----------------------------------------------------------------------------------


def firing(name: str, status: str = "firing", **labels: str) -> dict[str, Any]:
    alert = {
        "status": status,
        "labels": {"alertname": name, **labels},
        "startsAt": "0001-01-01T00:00:00Z",
    }
    return {"version": "4", "status": status, "alerts": [alert]}


def test_an_incident_that_alertmanager_tells_of_closes_a_gate_until_it_is_resolved(
    doors: Doors,
) -> None:
    reporter = doors.client(Role.REPORTER)
    reporter.post(f"{API}/incidents/alertmanager", json=firing("Down", severity="critical"))
    wanted = {"Matchers": 'severity="critical"'}
    execution = at_the_gate(doors, rule("Calm", "OpenIncident", "Custom", configuration=wanted))
    stage = doors.client().get(f"{API}/executions/{execution}").json()["stages"][-1]
    assert stage["held"] == "waits at the gate: Calm: 1 open: Down"
    over = firing("Down", "resolved", severity="critical")
    assert reporter.post(f"{API}/incidents/alertmanager", json=over).status_code == 204
    doors.house.settle()
    assert doors.house.stages(execution)["Work"] == "Succeeded"


@pytest.mark.parametrize("file", sorted(REAL.glob("*.json")), ids=lambda file: file.name)
def test_every_alertmanager_payload_of_the_collection_is_taken(doors: Doors, file: Path) -> None:
    body = json.loads(file.read_text())
    answer = doors.client(Role.REPORTER).post(f"{API}/incidents/alertmanager", json=body)
    assert answer.status_code == 204, answer.text
    firing_ = [one for one in body["alerts"] if one.get("status", body["status"]) == "firing"]
    open_ = doors.client().get(f"{API}/incidents").json()
    assert len(open_) == len({json.dumps(one["labels"], sort_keys=True) for one in firing_})


def test_the_collection_of_payloads_is_there() -> None:
    assert len(list(REAL.glob("*.json"))) > 5


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"alerts": [{"status": "maybe", "labels": {}}]},
        {"alerts": [{"status": "firing", "labels": {"a": 1}}]},
        {"alerts": [{"status": "firing", "labels": {"a": "x" * 2000}}]},
        {"alerts": [{"status": "firing", "labels": {}}] * 1001},
        {"alerts": [{"status": "firing", "labels": {}, "fingerprint": "../../x"}]},
    ],
)
def test_what_is_no_group_of_alerts_is_refused(doors: Doors, body: Mapping[str, Any]) -> None:
    assert doors.client().post(f"{API}/incidents/alertmanager", json=body).status_code == 422


def test_a_person_resolves_an_incident_with_a_reason(doors: Doors) -> None:
    doors.client().post(f"{API}/incidents/alertmanager", json=firing("Down"))
    (known,) = doors.client().get(f"{API}/incidents").json()
    address = f"{API}/incidents/{known['key']}"
    assert doors.client().request("DELETE", address, json={"reason": ""}).status_code == 422
    assert doors.client().request("DELETE", address, json={"reason": "mended"}).status_code == 204
    assert doors.client().get(f"{API}/incidents").json() == []
