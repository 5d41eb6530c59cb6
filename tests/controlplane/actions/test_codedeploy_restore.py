from datetime import timedelta
from typing import Any

import pytest

from controlplane.actions.base import ActionError, Outcome, Task
from controlplane.actions.codedeploy_restore import CodeDeployRestore
from tests.controlplane.actions.codedeploy_answers import (
    NAMES,
    REVISION,
    S3,
    foreign,
    info,
    scripted_active,
    scripted_find,
    scripted_read,
)
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import GROUP, NOW, TOKEN, task
from tests.support.clients import StubClients, stubbed

CREATE = {
    **NAMES,
    "revision": REVISION,
    "description": f"towpath {TOKEN} restores shop/prod e-1",
    "fileExistsBehavior": "OVERWRITE",
    "ignoreApplicationStopFailures": True,
    "autoRollbackConfiguration": {"enabled": False},
    "overrideAlarmConfiguration": {"enabled": False, "alarms": []},
}
WANTED = {
    **GROUP,
    "RevisionLocation": f"s3://{S3['bucket']}/{S3['key']}",
    "RevisionVersion": "v1",
    "RevisionDigest": "sha256:good",
}


def restoring(**given: Any) -> Task:
    return task(**{"configuration": WANTED, **given})


def scripted_group(stub: Any, good: str, attempted: str) -> None:
    read: dict[str, Any] = {}
    if good:
        read["lastSuccessfulDeployment"] = {"deploymentId": good, "status": "Succeeded"}
    if attempted:
        read["lastAttemptedDeployment"] = {"deploymentId": attempted}
    stub.add_response("get_deployment_group", {"deploymentGroupInfo": read}, NAMES)


def test_the_last_known_good_is_redeployed_whatever_the_alarms_say() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub)
        scripted_group(stub, good="d-2", attempted="d-2")
        scripted_read(stub, info("d-2", "Succeeded", revision=other("v2")))
        stub.add_response("create_deployment", {"deploymentId": "d-3"}, CREATE)
        clients = StubClients(codedeploy=client)
        begun = CodeDeployRestore(clients).start(restoring())
    assert (begun.outcome, begun.handle) == (Outcome.RUNNING, "d-3")
    assert {asked.purpose for asked in clients.asked} == {"rollback"}


def other(version: str) -> dict[str, Any]:
    return {"revisionType": "S3", "s3Location": {**S3, "version": version}}


def test_where_it_is_served_already_nothing_is_deployed() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub)
        scripted_group(stub, good="d-1", attempted="d-1")
        scripted_read(stub, info("d-1", "Succeeded"))
        done = CodeDeployRestore(StubClients(codedeploy=client)).start(restoring())
    assert (done.outcome, done.summary) == (Outcome.SUCCEEDED, "already restored by d-1")


def test_a_stopped_deployment_after_the_good_one_may_have_touched_instances() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub)
        scripted_group(stub, good="d-1", attempted="d-2")
        stub.add_response("create_deployment", {"deploymentId": "d-3"}, CREATE)
        assert CodeDeployRestore(StubClients(codedeploy=client)).start(restoring()).handle == "d-3"


def test_a_success_that_left_instances_behind_is_redeployed() -> None:
    partly = info("d-1", "Succeeded", deploymentOverview={"Succeeded": 1, "Failed": 2})
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub)
        scripted_group(stub, good="d-1", attempted="d-1")
        scripted_read(stub, partly)
        stub.add_response("create_deployment", {"deploymentId": "d-3"}, CREATE)
        assert CodeDeployRestore(StubClients(codedeploy=client)).start(restoring()).handle == "d-3"


def test_a_foreign_deployment_is_waited_for() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub, foreign("d-9"))
        with pytest.raises(ActionError, match="waiting for d-9") as caught:
            CodeDeployRestore(StubClients(codedeploy=client)).start(restoring())
    assert not caught.value.permanent


def test_an_active_deployment_of_ours_is_adopted() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub, info("d-3"))
        begun = CodeDeployRestore(StubClients(codedeploy=client)).start(restoring())
    assert (begun.outcome, begun.handle) == (Outcome.RUNNING, "d-3")


def test_one_that_begins_in_between_is_waited_for() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub)
        scripted_group(stub, good="", attempted="")
        stub.add_client_error("create_deployment", "DeploymentLimitExceededException", "busy")
        scripted_active(stub, foreign("d-9"))
        with pytest.raises(ActionError, match="waiting for d-9") as caught:
            CodeDeployRestore(StubClients(codedeploy=client)).start(restoring())
    assert not caught.value.permanent


def test_a_second_try_finds_the_first_though_it_has_ended() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_find(stub, info("d-3", "Succeeded"))
        done = CodeDeployRestore(StubClients(codedeploy=client)).start(restoring(again=True))
    assert (done.outcome, done.handle) == (Outcome.SUCCEEDED, "d-3")


def test_it_is_followed_to_its_end() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, info("d-3", "Succeeded"))
        one = restoring(handle="d-3")
        seen = CodeDeployRestore(StubClients(codedeploy=client)).look([one])[one.token]
    assert seen.outcome is Outcome.SUCCEEDED  # type: ignore[union-attr]


def test_a_location_that_is_none_is_refused_before_any_call() -> None:
    wrong = restoring(configuration={**WANTED, "RevisionLocation": "registry/shop"})
    with stubbed("codedeploy") as (client, _), pytest.raises(ActionError, match="not an object"):
        CodeDeployRestore(StubClients(codedeploy=client)).start(wrong)


FENCED = {**WANTED, "DeploymentToken": "tp-bad", "DeploymentId": "d-2"}


def test_what_somebody_deployed_by_hand_since_is_not_overwritten() -> None:
    later = info("d-3", "Succeeded", description="hot fix", createTime=NOW + timedelta(hours=1))
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub)
        scripted_group(stub, good="d-3", attempted="d-3")
        scripted_read(stub, {**later, "revision": other("v3")})
        scripted_read(stub, later)
        scripted_read(stub, info("d-2", "Failed", description="towpath tp-bad shop/prod e-1"))
        with pytest.raises(
            ActionError, match=r"d-3 of .*by user, 'hot fix'.*not overwritten"
        ) as caught:
            CodeDeployRestore(StubClients(codedeploy=client)).start(restoring(configuration=FENCED))
    assert caught.value.permanent


def test_a_person_who_restored_it_by_hand_has_done_the_work() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub)
        scripted_group(stub, good="d-3", attempted="d-3")
        scripted_read(stub, info("d-3", "Succeeded", description="by hand"))
        done = CodeDeployRestore(StubClients(codedeploy=client)).start(
            restoring(configuration=FENCED)
        )
    assert done.summary == "already restored by d-3"


def test_one_by_hand_that_is_under_way_is_not_waited_for() -> None:
    later = info("d-3", description="hot fix", createTime=NOW + timedelta(hours=1))
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub, later)
        scripted_read(stub, info("d-2", "Failed", description="towpath tp-bad shop/prod e-1"))
        with pytest.raises(ActionError, match="not overwritten"):
            CodeDeployRestore(StubClients(codedeploy=client)).start(restoring(configuration=FENCED))


def test_an_ecs_service_goes_back_by_its_appspec_without_what_only_instances_know() -> None:
    spec = {"bucket": S3["bucket"], "key": "appspec.json", "bundleType": "JSON", "version": "v1"}
    text = b'{"Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {}}}]}'
    s3 = FakeS3()
    s3.put(S3["bucket"], "appspec.json", text)
    asked = {key: CREATE[key] for key in CREATE if key not in INSTANCES}
    wanted = {**WANTED, "RevisionLocation": f"s3://{S3['bucket']}/appspec.json"}
    with stubbed("codedeploy") as (client, stub):
        scripted_active(stub)
        scripted_group(stub, good="d-2", attempted="d-2")
        scripted_read(stub, info("d-2", "Succeeded", computePlatform="ECS"))
        revision = {"revisionType": "S3", "s3Location": spec}
        stub.add_response(
            "create_deployment", {"deploymentId": "d-3"}, {**asked, "revision": revision}
        )
        clients = StubClients(codedeploy=client, s3=s3)
        assert CodeDeployRestore(clients).start(restoring(configuration=wanted)).handle == "d-3"


INSTANCES = ("fileExistsBehavior", "ignoreApplicationStopFailures")
