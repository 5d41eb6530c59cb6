"""What a person may do to an execution by the REST door."""

from pathlib import Path

import pytest

from controlplane.sandbox.scripted import after, judging
from controlplane.store.roles import Role
from monitors.base import Outcome, Verdict
from tests.support.doors import Doors
from tests.support.explained import rolled_back
from tests.support.house import action, deploying, pipeline, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


@pytest.mark.parametrize(("result", "status"), [("Approved", "Succeeded"), ("Rejected", "Failed")])
def test_an_approver_decides_once(doors: Doors, result: str, status: str) -> None:
    execution = doors.waits_for_approval()
    client, asked = doors.client(Role.APPROVER), {"result": result, "summary": "looked at it"}
    address = f"/api/v1/executions/{execution}/stages/Gate/approval"
    assert client.post(address, json=asked).status_code == 204
    again = client.post(address, json=asked)
    assert again.status_code == 409
    doors.house.settle()
    assert doors.house.stages(execution)["Gate"] == status


def test_an_open_approval_is_shown_until_it_is_answered(doors: Doors) -> None:
    execution, client = doors.waits_for_approval(), doors.client()

    def ask() -> dict[str, object]:
        gate = client.get("/api/v1/pipelines/shop/state").json()["stages"][1]
        found: dict[str, object] = gate["current"]["actions"][0]
        return found

    assert ask()["approval"] == {"note": "", "link": ""}
    assert ask()["handle"] == "", "an approval's token is nobody's business"
    address = f"/api/v1/executions/{execution}/stages/Gate/approval"
    client.post(address, json={"result": "Approved"})
    assert "approval" not in ask()


def test_a_stopped_execution_goes_no_further(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    stop = f"/api/v1/executions/{execution}/stop"
    answer = doors.client().post(stop, json={"abandon": True, "reason": "wrong build"})
    assert answer.status_code == 202
    doors.house.settle()
    assert doors.house.execution(execution).status == "Stopped"
    assert doors.client().post(stop).status_code == 409


def test_what_an_abandoned_deployment_came_to_is_shown_at_its_action(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", watched=False)))
    doors.house.drivers["CodeDeploy"].default = after(6)
    execution = doors.house.start()
    stop = f"/api/v1/executions/{execution}/stop"
    doors.client().post(stop, json={"abandon": True, "reason": "let it be"})

    def left() -> tuple[str, str]:
        stages = doors.client().get(f"/api/v1/executions/{execution}").json()["stages"]
        (deploy,) = stages[1]["actions"]
        return deploy["status"], deploy["left"]["status"]

    assert left() == ("Abandoned", "InProgress")
    doors.house.wait(60)
    assert left() == ("Abandoned", "Succeeded")


def test_a_failed_stage_runs_again(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), {"name": "Test", "actions": [action("Try", "NoOp")]}))
    doors.house.drivers["NoOp"].default = after(0, Outcome.FAILED, "red")
    execution = doors.house.start()
    doors.house.drivers["NoOp"].default = after(0)
    retry = f"/api/v1/executions/{execution}/stages/Test/retry"
    assert doors.client().post(retry, json={"mode": "ALL_ACTIONS"}).status_code == 202
    doors.house.settle()
    assert doors.house.execution(execution).status == "Succeeded"


def test_a_refused_command_changes_nothing(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    before = doors.events()
    answer = doors.client().post(f"/api/v1/executions/{execution}/stages/Gate/retry")
    assert answer.status_code == 409
    assert "not Failed" in answer.json()["detail"]
    assert doors.events() == before


def test_a_bake_that_asks_is_judged_once_with_a_reason(doors: Doors) -> None:
    doors.house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    doors.house.apply(pipeline(source(), deploying("Prod", ExtendUpTo="5s", Watch="1h")))
    execution, client = doors.house.start(), doors.client(Role.RELEASE_MANAGER)
    doors.house.wait(20)
    bake = client.get(f"/api/v1/executions/{execution}").json()["stages"][1]["bake"]
    assert (bake["extended"], bake["askedAt"] is not None) == (True, True)
    address = f"/api/v1/executions/{execution}/stages/Prod/judgement"
    assert client.post(address, json={"result": "pass", "reason": ""}).status_code == 422
    assert client.post(address, json={"result": "pass", "reason": "looked"}).status_code == 204
    assert client.post(address, json={"result": "pass", "reason": "looked"}).status_code == 409


def test_a_stage_that_is_watched_says_how_and_until_when(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", Watch="1h")))
    execution = doors.house.start()
    doors.house.wait(20)
    stage = doors.client().get(f"/api/v1/executions/{execution}").json()["stages"][1]
    assert (stage["watch"]["state"], stage["status"]) == ("automatic", "Succeeded")
    assert [(rule["name"], rule["verdict"]) for rule in stage["rules"]] == [("Alarm", "PASS")]
    assert stage["watch"]["until"] > stage["endedAt"]


def test_whoever_may_read_is_told_why(doors: Doors) -> None:
    bad = rolled_back(doors.house)
    answer = doors.client(Role.VIEWER).get(f"/api/v1/executions/{bad}/explanation")
    assert answer.status_code == 200
    assert answer.json()["outcome"].startswith("Prod was rolled back")
    assert doors.client().get("/api/v1/executions/nope/explanation").status_code == 404


def test_measurements_tell_chance_and_power(doors: Doors) -> None:
    bad = rolled_back(doors.house)
    (rule,) = doors.client().get(f"/api/v1/executions/{bad}/measurements").json()
    assert rule["measurements"][-1]["chance"] == 0.001
