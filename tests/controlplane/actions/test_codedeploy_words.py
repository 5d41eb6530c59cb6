import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from controlplane.actions.base import Outcome, Progress
from controlplane.actions.codedeploy_api import look_after, progress, s3_revision
from tests.controlplane.actions.codedeploy_answers import info
from tests.controlplane.actions.making import NOW, task
from tests.support.clients import stubbed

REAL = Path("../shared/data/codedeploy/codedeploy")
LOG = "Traceback\n" + "x" * 4000 + "\nport 8080 is in use"


def event(name: str, status: str, **diagnostics: str) -> dict[str, Any]:
    return {"lifecycleEventName": name, "status": status, "diagnostics": diagnostics}


def scripted_target(stub: Stubber, kind: str, body: dict[str, Any]) -> None:
    filters = {"deploymentId": "d-1", "targetFilters": {"TargetStatus": ["Failed"]}}
    stub.add_response("list_deployment_targets", {"targetIds": ["i-1", "i-2"]}, filters)
    target = {"deploymentTargetType": kind[0].upper() + kind[1:], kind: body}
    wanted = {"deploymentId": "d-1", "targetIds": ["i-1"]}
    stub.add_response("batch_get_deployment_targets", {"deploymentTargets": [target]}, wanted)


def failed(**given: Any) -> dict[str, Any]:
    error = {"code": "HEALTH_CONSTRAINTS", "message": "too many individual instances failed"}
    return info("d-1", "Failed", errorInformation=error, **given)


def test_a_failure_is_told_with_code_event_script_and_the_logs_tail() -> None:
    script = {"errorCode": "ScriptFailed", "scriptName": "start.sh", "logTail": LOG}
    events = [event("Install", "Succeeded"), event("ApplicationStart", "Failed", **script)]
    with stubbed("codedeploy") as (client, stub):
        scripted_target(stub, "instanceTarget", {"targetId": "i-1", "lifecycleEvents": events})
        seen = progress(client, task(), failed())
    assert seen.outcome is Outcome.FAILED
    for part in ("d-1 failed", "HEALTH_CONSTRAINTS", "ApplicationStart failed on i-1"):
        assert part in seen.summary
    assert "in start.sh (ScriptFailed)" in seen.summary
    assert seen.summary.endswith("port 8080 is in use")
    assert len(seen.summary) <= 1500


def test_a_hook_of_lambda_fails_without_diagnostics() -> None:
    hook = {"lifecycleEventName": "AfterAllowTraffic", "status": "Failed"}
    body = {"targetId": "shop:live", "lifecycleEvents": [hook]}
    with stubbed("codedeploy") as (client, stub):
        scripted_target(stub, "lambdaTarget", body)
        seen = progress(client, task(), failed())
    assert "AfterAllowTraffic failed on shop:live" in seen.summary


def test_a_cause_that_can_not_be_read_in_full_is_still_told() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_client_error("list_deployment_targets", "ThrottlingException")
        seen = progress(client, task(), failed())
    assert "HEALTH_CONSTRAINTS: too many individual instances failed" in seen.summary


def test_a_cause_of_any_length_is_cut() -> None:
    long = info("d-1", "Failed", errorInformation={"code": "TIMEOUT", "message": "x" * 9000})
    with stubbed("codedeploy") as (client, stub):
        stub.add_response("list_deployment_targets", {"targetIds": []})
        assert len(progress(client, task(), long).summary) == 1500


def test_codedeploys_own_rollback_is_an_output() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_response("list_deployment_targets", {"targetIds": []})
        seen = progress(client, task(), failed(rollbackInfo={"rollbackDeploymentId": "d-BACK"}))
    assert seen.output == {"DeploymentId": "d-1", "RollbackDeploymentId": "d-BACK"}
    assert "CodeDeploy rolls back with d-BACK" in seen.summary


@pytest.mark.parametrize("status", ["Created", "Queued", "InProgress", "Baking", "Ready"])
def test_what_has_not_ended_runs(status: str) -> None:
    with stubbed("codedeploy") as (client, _):
        overview = {"Succeeded": 1, "Failed": 1, "Pending": 1}
        seen = progress(client, task(), info("d-1", status, deploymentOverview=overview))
    assert seen.outcome is Outcome.RUNNING
    assert seen.summary == f"d-1 is {status}: 1 of 3 done, 1 failed"


def test_real_answers_are_read() -> None:
    assert REAL.is_dir()
    real = json.loads((REAL / "batch-get-deployments_L9.json").read_text("utf-8"))
    target = json.loads((REAL / "batch-get-deployment-targets_L11.json").read_text("utf-8"))
    told: list[Progress] = []
    for one in real["deploymentsInfo"]:
        with stubbed("codedeploy") as (client, stub):
            stub.add_response("list_deployment_targets", {"targetIds": ["i-1"]})
            stub.add_response("batch_get_deployment_targets", target)
            told.append(progress(client, task(), one))
    assert {seen.outcome for seen in told} == {Outcome.FAILED}
    assert "HEALTH_CONSTRAINTS: Deployment failed: Constraint default" in told[1].summary


@given(st.integers(min_value=0, max_value=10**6))
def test_looking_costs_a_twentieth_at_most(age: int) -> None:
    created = info(createTime=NOW - timedelta(seconds=age))
    seconds = look_after(task(), created).total_seconds()
    assert seconds == max(1, min(age / 20, 15))


@pytest.mark.parametrize(
    ("overview", "seconds"),
    [
        ({"InProgress": 3}, 6),  # nobody knows yet how long one takes
        ({"Succeeded": 1, "Pending": 2}, 6),
        ({"Succeeded": 9, "InProgress": 1}, 10 / 3),
        ({"Succeeded": 99, "InProgress": 1}, 1),
    ],
)
def test_near_its_expected_end_a_deployment_is_looked_at_sooner(
    overview: dict[str, int], seconds: float
) -> None:
    aged = info(createTime=NOW - timedelta(seconds=120), deploymentOverview=overview)
    assert look_after(task(), aged).total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("a.zip", "zip"),
        ("a.TGZ", "tgz"),
        ("a.tar.gz", "tgz"),
        ("a.yml", "YAML"),
        ("a.json", "JSON"),
    ],
)
def test_the_kind_of_a_bundle_is_in_its_name(key: str, kind: str) -> None:
    assert s3_revision(f"s3://b/{key}", "")["s3Location"] == {
        "bucket": "b",
        "key": key,
        "bundleType": kind,
    }
