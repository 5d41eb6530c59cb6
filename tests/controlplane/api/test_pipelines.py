"""Pipelines and executions by the REST door."""

from pathlib import Path

import pytest

from controlplane.declarations.json_spelling import dumps
from controlplane.sandbox.scripted import after, judging, source_of
from monitors.base import Outcome, Verdict
from tests.support.doors import GOOD, Doors
from tests.support.house import BAD, deploying, pipeline, source

YAML = """\
pipeline: web
stages:
  - name: Source
    actions:
      - name: Upload
        provider: S3
        account: dev
        region: eu-west-1
        with: {S3Bucket: releases, S3ObjectKey: web.zip}
        outputs: [App]
  - name: Gate
    actions:
      - {name: Ask, provider: Manual}
"""
AS_YAML = {"content-type": "text/yaml"}


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def released(doors: Doors) -> str:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    execution = doors.house.start()
    doors.house.wait(20)
    return execution


def rolled_back(doors: Doors) -> str:
    released(doors)
    doors.house.drivers["S3"].default = source_of(BAD)
    doors.house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    bad = doors.house.start()
    doors.house.wait(30)
    return bad


def test_what_was_put_is_answered_in_both_spellings(doors: Doors) -> None:
    client = doors.client()
    put = client.put("/api/v1/pipelines/web", content=YAML, headers=AS_YAML)
    assert put.json() == {"name": "web", "version": 1}
    as_json = client.get("/api/v1/pipelines/web")
    assert as_json.json()["stages"][1]["name"] == "Gate"
    as_yaml = client.get("/api/v1/pipelines/web?format=yaml").text
    again = client.put("/api/v1/pipelines/web", content=as_yaml, headers=AS_YAML)
    assert again.json() == {"name": "web", "version": 1}
    assert client.put("/api/v1/pipelines/web", json=as_json.json()).json()["version"] == 1


def test_a_wrong_pipeline_is_answered_with_all_its_problems(doors: Doors) -> None:
    wrong = YAML.replace("account: dev", "account: nowhere").replace("Manual", "Magic")
    address = "/api/v1/pipelines/web?file=deploy/web.yaml"
    answer = doors.client().put(address, content=wrong, headers=AS_YAML)
    assert answer.status_code == 422
    first, second = answer.json()["problems"]
    assert first.startswith("deploy/web.yaml:7:") and "nowhere" in first
    assert second.startswith("deploy/web.yaml:13:") and "Magic" in second
    assert doors.client().get("/api/v1/pipelines").json() == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (YAML, "text/html", 415),
        (b"\xff\xfe", "text/yaml", 422),
        ("", "text/yaml", 422),
        (YAML.replace("web", "shop"), "text/yaml", 422),
        (b"x" * 5_000, "text/yaml", 413),
    ],
)
def test_what_is_no_pipeline_is_refused(
    tmp_path: Path, content: str | bytes, kind: str, status: int
) -> None:
    doors = Doors(tmp_path, max_body_bytes=4_000)
    headers = {"content-type": kind}
    answer = doors.client().put("/api/v1/pipelines/web", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert doors.events() == 0


def test_a_body_without_a_length_is_bounded_too(tmp_path: Path) -> None:
    doors = Doors(tmp_path, max_body_bytes=4_000)
    pieces = (b"x" * 1_000 for _ in range(9))
    answer = doors.client().put("/api/v1/pipelines/web", content=pieces, headers=AS_YAML)
    assert answer.status_code == 413


def test_the_list_says_what_stands_where(doors: Doors) -> None:
    released(doors)
    (shop,) = doors.client().get("/api/v1/pipelines").json()
    prod = shop["stages"][1]
    assert (prod["status"], prod["transition"]) == ("Succeeded", {"enabled": True})
    assert prod["targets"][0]["target"] == "prod//shop/all"
    assert prod["targets"][0]["digest"] == prod["targets"][0]["lastKnownGood"] == GOOD


def test_the_state_says_who_is_inside_who_waits_and_why_the_way_is_closed(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", bake="60s")))
    inside, waiting = doors.house.start(), doors.house.start()
    client = doors.client()
    address = "/api/v1/pipelines/shop/stages/Prod/transition"
    assert client.request("DELETE", address, json={"reason": "freeze"}).status_code == 204
    prod = client.get("/api/v1/pipelines/shop/state").json()["stages"][1]
    assert prod["current"]["executionId"] == inside
    assert prod["current"]["bake"]["seconds"] == 60
    assert [one["executionId"] for one in prod["inbound"]] == [waiting]
    assert prod["transition"]["reason"] == "freeze"
    assert prod["transition"]["disabledBy"] == "admin"
    assert client.put(address).status_code == 204
    assert client.get("/api/v1/pipelines/shop/state").json()["stages"][1]["transition"] == {
        "enabled": True
    }


def test_a_request_sent_twice_starts_one_execution(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    asked = {"clientRequestToken": "build-7", "revisions": {"Upload": "v7"}}
    address = "/api/v1/pipelines/shop/executions"
    first, second = (doors.client().post(address, json=asked) for _ in range(2))
    assert first.status_code == 201
    assert first.json() == second.json()
    (listed,) = doors.client().get(address).json()
    assert listed["revisions"] == {"Upload": "v7"}
    assert listed["trigger"]["by"] == "admin"


def test_an_execution_tells_its_stages_its_rules_and_its_artifacts(doors: Doors) -> None:
    execution = doors.client().get(f"/api/v1/executions/{released(doors)}").json()
    prod = execution["stages"][1]
    assert prod["actions"][0]["name"] == "Deploy"
    assert (prod["rules"][0]["verdict"], prod["rules"][0]["reason"]) == ("PASS", "said PASS")
    assert execution["artifacts"][0]["digest"] == execution["digest"] == GOOD


def test_the_measurements_tell_every_look(doors: Doors) -> None:
    address = f"/api/v1/executions/{released(doors)}/measurements"
    (rule,) = doors.client().get(address).json()
    assert (rule["stage"], rule["rule"]) == ("Prod", "Alarm")
    assert {seen["verdict"] for seen in rule["measurements"]} == {"PASS"}
    assert len(rule["measurements"]) == sum(doors.house.drivers["CloudWatchAlarm"].asked.values())


def test_a_rolled_back_release_is_told_and_its_digest_released(doors: Doors) -> None:
    bad, client = rolled_back(doors), doors.client()
    newest = client.get("/api/v1/pipelines/shop/executions").json()[0]
    assert (newest["rollsBack"], newest["rollbackState"]) == (bad, "done")
    assert [one["digest"] for one in client.get("/api/v1/quarantine").json()] == [BAD]
    lift = f"/api/v1/quarantine/{BAD}"
    assert client.request("DELETE", lift, json={"reason": " "}).status_code == 422
    assert client.request("DELETE", lift, json={"reason": "a false alarm"}).status_code == 204
    assert client.get("/api/v1/quarantine").json() == []


def test_the_ledger_tells_what_was_put_where(doors: Doors) -> None:
    rolled_back(doors)
    entries = doors.client().get("/api/v1/ledger/shop").json()
    assert [(one["digest"], one["status"]) for one in entries] == [
        (GOOD, "GOOD"),
        (BAD, "BAD"),
        (GOOD, "GOOD"),
    ]


def test_a_person_rolls_a_stage_back(doors: Doors) -> None:
    released(doors)
    doors.house.drivers["S3"].default = source_of(BAD)
    second = doors.house.start()
    doors.house.wait(20)
    address = "/api/v1/pipelines/shop/stages/Prod/rollback"
    answer = doors.client().post(address, json={"reason": "customers call"})
    assert (answer.status_code, answer.json()) == (202, {"id": second})
    doors.house.wait(20)
    assert doors.house.rows()[0].rollback_state == "done"


def test_unknown_things_are_404_and_say_what(doors: Doors) -> None:
    for path in ("pipelines/nope", "pipelines/nope/state", "executions/nope", "ledger/nope"):
        answer = doors.client().get(f"/api/v1/{path}")
        assert answer.status_code == 404
        assert "'nope'" in answer.json()["detail"]


def test_what_was_sent_is_not_repeated_in_a_refusal(doors: Doors) -> None:
    sent = {"result": "tp_secret", "summary": "x" * 600}
    answer = doors.client().post("/api/v1/executions/e/stages/s/approval", json=sent)
    assert answer.status_code == 422
    assert len(answer.json()["problems"]) == 2
    assert "tp_secret" not in answer.text


def test_the_stored_json_is_codepipelines(doors: Doors) -> None:
    declared = pipeline(source(), deploying("Prod"))
    doors.house.apply(declared)
    answer = doors.client().get("/api/v1/pipelines/shop").text
    assert answer == dumps(declared.model_copy(update={"version": 1}))


def test_a_release_may_be_started_as_a_one_way_door(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    client = doors.client()
    started = client.post("/api/v1/pipelines/shop/executions", json={"oneWay": True}).json()["id"]
    assert client.get(f"/api/v1/executions/{started}").json()["trigger"]["oneWay"] is True


def test_a_rollback_that_failed_says_what_a_person_does_next(doors: Doors) -> None:
    doors.house.drivers["CodeDeployRestore"].default = after(0, Outcome.FAILED, "NO_INSTANCES")
    rolled_back(doors)
    newest = doors.client().get("/api/v1/pipelines/shop/executions").json()[0]
    assert newest["rollbackState"] == "failed"
    assert "towpath rollback shop Prod -m WHY" in newest["next"]
