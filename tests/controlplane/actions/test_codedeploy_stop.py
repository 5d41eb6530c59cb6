import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controlplane.actions.base import ActionError, Outcome, Progress, Task
from controlplane.actions.codedeploy_api import LOOKED_BACK
from controlplane.actions.codedeploy_stop import SHOWN_WITHIN, CodeDeployStop
from controlplane.engine.calls import side_by_side
from tests.controlplane.actions.codedeploy_answers import (
    NAMES,
    REVISION,
    S3,
    foreign,
    info,
    scripted_list,
    scripted_read,
)
from tests.controlplane.actions.making import GROUP, NOW, TOKEN, task
from tests.support.clients import StubClients, stubbed

STOP = {"deploymentId": "d-OURS", "autoRollbackEnabled": True}
BACK = {"rollbackDeploymentId": "d-BACK"}


def stopping(known: str = "d-OURS", **given: Any) -> Task:
    configuration = {**GROUP, "DeploymentToken": TOKEN, "DeploymentId": known}
    return task(**{"configuration": configuration, "token": "tp-stop", **given})


def looked(client: Any, handle: str) -> Progress:
    one = stopping(handle=handle)
    seen = CodeDeployStop(StubClients(codedeploy=client)).look([one])[one.token]
    assert not isinstance(seen, Exception)
    return seen


def test_what_is_in_flight_is_stopped_with_codedeploys_rollback() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info())
        stub.add_response("stop_deployment", {"status": "Pending"}, STOP)
        scripted_read(stub, info())
        clients = StubClients(codedeploy=client)
        begun = CodeDeployStop(clients).start(stopping())
    assert (begun.outcome, begun.handle) == (Outcome.RUNNING, "d-OURS")
    assert {asked.purpose for asked in clients.asked} == {"rollback"}


def test_without_an_id_it_is_found_by_its_token() -> None:
    since = NOW - LOOKED_BACK - timedelta(minutes=15)
    with stubbed("codedeploy") as (client, stub):
        scripted_list(stub, foreign(), info(), createTimeRange={"start": since})
        stub.add_response("stop_deployment", {"status": "Succeeded"}, STOP)
        scripted_read(stub, info(status="Stopped", rollbackInfo=BACK))
        begun = CodeDeployStop(StubClients(codedeploy=client)).start(stopping(known=""))
    assert begun.handle == "d-OURS/d-BACK"


def test_what_never_reached_codedeploy_needs_no_stop() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_response("list_deployments", {"deployments": []})
        ended = CodeDeployStop(StubClients(codedeploy=client)).start(stopping(known=""))
    assert ended.outcome is Outcome.SUCCEEDED
    assert "never reached CodeDeploy" in ended.summary
    assert set(ended.output.values()) == {""}


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped"])
def test_what_had_ended_is_said_and_left_alone(status: str) -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info(status=status))
        scripted_read(stub, info(status=status))
        driver = CodeDeployStop(StubClients(codedeploy=client))
        ended = driver.start(stopping())
        assert driver.start(stopping()) == ended
    assert ended.outcome is Outcome.SUCCEEDED
    assert status in ended.summary
    assert ended.output["StoppedDeploymentId"] == "d-OURS"


def test_a_rollback_that_codedeploy_began_by_itself_is_followed() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info(status="Failed", rollbackInfo=BACK))
        begun = CodeDeployStop(StubClients(codedeploy=client)).start(stopping())
    assert (begun.outcome, begun.handle) == (Outcome.RUNNING, "d-OURS/d-BACK")


def test_one_that_ends_while_it_is_being_stopped_is_read_again() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info())
        stub.add_client_error("stop_deployment", "DeploymentAlreadyCompletedException")
        scripted_read(stub, info(status="Succeeded"))
        ended = CodeDeployStop(StubClients(codedeploy=client)).start(stopping())
    assert (ended.outcome, ended.summary) == (Outcome.SUCCEEDED, "d-OURS had ended: Succeeded")


def test_what_can_not_be_stopped_is_an_error() -> None:
    code = "UnsupportedActionForDeploymentTypeException"
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info())
        stub.add_client_error("stop_deployment", code)
        with pytest.raises(ActionError, match=code) as caught:
            CodeDeployStop(StubClients(codedeploy=client)).start(stopping())
    assert caught.value.permanent


def test_a_rollback_that_succeeds_says_where_to() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info("d-BACK", "Succeeded", revision=REVISION))
        ended = looked(client, "d-OURS/d-BACK")
    assert ended.outcome is Outcome.SUCCEEDED
    assert ended.output == {
        "StoppedDeploymentId": "d-OURS",
        "RollbackDeploymentId": "d-BACK",
        "RolledBackTo": "s3://towpath-artifacts-444444444444/releases/shop/shop.zip?versionId=v1",
    }


def test_a_rollback_that_runs_is_waited_for() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info("d-BACK", "InProgress"))
        assert looked(client, "d-OURS/d-BACK").outcome is Outcome.RUNNING


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_rollback_that_fails_leaves_the_work_to_the_restore(status: str) -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info("d-BACK", status))
        ended = looked(client, "d-OURS/d-BACK")
    assert ended.outcome is Outcome.SUCCEEDED
    assert status in ended.summary
    assert ended.output["RolledBackTo"] == ""


def test_where_no_rollback_shows_itself_there_is_none() -> None:
    handle, looks = "d-OURS", 0
    with stubbed("codedeploy") as (client, stub):
        for _ in range(SHOWN_WITHIN + 1):
            scripted_read(stub, info(status="Stopped"))
        while (seen := looked(client, handle)).outcome is Outcome.RUNNING:
            handle, looks = seen.handle, looks + 1
    assert looks == SHOWN_WITHIN
    assert seen.output["RolledBackTo"] == ""
    assert "rolled nothing back" in seen.summary


def test_a_rollback_that_shows_itself_late_is_followed() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info(status="Stopped", rollbackInfo=BACK))
        assert looked(client, "d-OURS/2").handle == "d-OURS/d-BACK"


def test_stopping_a_stop_does_nothing() -> None:
    with stubbed("codedeploy") as (client, _):
        CodeDeployStop(StubClients(codedeploy=client)).stop(stopping(handle="d-OURS"))


def test_several_of_one_account_and_region_are_stopped_side_by_side() -> None:
    assert side_by_side(CodeDeployStop(StubClients())) == 4


def remembering(stub: Any, version: str) -> None:
    """CodeDeploy remembers a version of the shop's bundle as the last that was good."""
    read = {"lastSuccessfulDeployment": {"deploymentId": "d-OLD", "status": "Succeeded"}}
    stub.add_response("get_deployment_group", {"deploymentGroupInfo": read}, NAMES)
    revision = {"revisionType": "S3", "s3Location": {**S3, "version": version}}
    scripted_read(stub, info("d-OLD", "Succeeded", revision=revision))


def quarantined(version: str, **given: Any) -> Task:
    listed = json.dumps([[f"s3://{S3['bucket']}/{S3['key']}", version]])
    one = stopping(**given)
    return replace(one, configuration={**one.configuration, "QuarantinedRevisions": listed})


def test_what_codedeploy_would_put_back_from_quarantine_stays_away() -> None:
    alone = {**STOP, "autoRollbackEnabled": False}
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info())
        remembering(stub, "v0")
        stub.add_response("stop_deployment", {"status": "Pending"}, alone)
        scripted_read(stub, info())
        begun = CodeDeployStop(StubClients(codedeploy=client)).start(quarantined("v0"))
    assert begun.handle == "d-OURS/alone"
    assert begun.summary.endswith("shop.zip in quarantine")


def test_what_is_not_in_quarantine_may_come_back() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info())
        remembering(stub, "v0")
        stub.add_response("stop_deployment", {"status": "Pending"}, STOP)
        scripted_read(stub, info())
        begun = CodeDeployStop(StubClients(codedeploy=client)).start(quarantined("v9"))
    assert begun.handle == "d-OURS"


def test_a_stop_alone_waits_for_no_rollback_and_leaves_the_rest_to_a_person() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info(status="Stopped"))
        ended = looked(client, "d-OURS/alone")
    assert ended.outcome is Outcome.SUCCEEDED
    assert "in quarantine" in ended.output["LeftAsItIs"]


def test_a_second_try_still_knows_that_none_was_asked_for() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info(status="Stopped"))
        remembering(stub, "v0")
        ended = CodeDeployStop(StubClients(codedeploy=client)).start(quarantined("v0", again=True))
    assert "in quarantine" in ended.output["LeftAsItIs"]


@pytest.mark.parametrize("status", ["Created", "Queued", "Ready", "Baking"])
def test_an_ecs_deployment_is_stopped_while_it_waits_or_bakes_and_rolled_back(status: str) -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info(status=status, computePlatform="ECS"))
        stub.add_response("stop_deployment", {"status": "Pending"}, STOP)
        scripted_read(stub, info(status=status, computePlatform="ECS"))
        driver = CodeDeployStop(StubClients(codedeploy=client))
        assert driver.start(stopping()).outcome is Outcome.RUNNING
        scripted_read(stub, info(status="Stopped", computePlatform="ECS", rollbackInfo=BACK))
        assert looked(client, "d-OURS").handle == "d-OURS/d-BACK"


def test_an_alias_that_cannot_be_read_is_said_and_fails_no_stop() -> None:
    shift = {"functionName": "shop", "functionAlias": "live", "currentVersion": "1"}
    target = {"lambdaTarget": {"lambdaFunctionInfo": {**shift, "targetVersion": "2"}}}
    with stubbed("codedeploy") as (client, stub), stubbed("lambda") as (functions, other):
        scripted_read(stub, info(status="Failed", computePlatform="Lambda"))
        stub.add_response("list_deployment_targets", {"targetIds": ["shop:live"]})
        stub.add_response("batch_get_deployment_targets", {"deploymentTargets": [target]})
        other.add_client_error("get_alias", "AccessDeniedException", http_status_code=403)
        clients = StubClients(codedeploy=client, **{"lambda": functions})
        ended = CodeDeployStop(clients).start(stopping())
    assert ended.outcome is Outcome.SUCCEEDED
    assert "RestoreAliases" in ended.output["LeftAsItIs"]
