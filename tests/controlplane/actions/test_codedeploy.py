import hashlib
from dataclasses import replace
from typing import Any

import pytest

from controlplane.actions.base import ActionError, Outcome, Task
from controlplane.actions.codedeploy import CodeDeploy
from controlplane.actions.codedeploy_api import description
from tests.controlplane.actions.codedeploy_answers import (
    NAMES,
    REVISION,
    foreign,
    info,
    scripted_active,
    scripted_find,
    scripted_read,
)
from tests.controlplane.actions.making import GROUP, TOKEN, bundle, task
from tests.support.clients import StubClients, stubbed


def deploying(**given: Any) -> Task:
    return task(**{"configuration": GROUP, "inputs": (bundle(),), **given})


CREATE = {
    **NAMES,
    "revision": REVISION,
    "description": f"towpath {TOKEN} shop/prod e-1",
    "fileExistsBehavior": "OVERWRITE",
    "ignoreApplicationStopFailures": False,
}


def test_a_deployment_carries_the_pinned_artifact_and_our_token() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_response("create_deployment", {"deploymentId": "d-1"}, CREATE)
        clients = StubClients(codedeploy=client)
        begun = CodeDeploy(clients).start(deploying())
    assert (begun.outcome, begun.handle) == (Outcome.RUNNING, "d-1")
    assert begun.output == {"DeploymentId": "d-1"}
    assert "deployments/d-1?region=eu-west-1" in begun.url
    (asked,) = clients.asked
    assert (asked.account, asked.purpose, asked.scope.stage) == ("prod", "deploy", "prod")
    group = "arn:aws:codedeploy:eu-west-1:444444444444:deploymentgroup:shop/shop-prod"
    assert group in asked.scope.resources


def test_a_second_try_finds_the_first() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_find(stub, foreign(), info("d-1"))
        begun = CodeDeploy(StubClients(codedeploy=client)).start(deploying(again=True))
    assert begun.handle == "d-1"


def test_a_second_try_of_what_never_arrived_starts_it() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_find(stub, foreign())
        stub.add_response("create_deployment", {"deploymentId": "d-2"}, CREATE)
        begun = CodeDeploy(StubClients(codedeploy=client)).start(deploying(again=True))
    assert begun.handle == "d-2"


def test_a_list_that_broke_off_does_not_say_that_nothing_was_started() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_response("list_deployments", {})  # what botocore makes of half a body
        with pytest.raises(ActionError, match="broke off") as refused:
            CodeDeploy(StubClients(codedeploy=client)).start(deploying(again=True))
    assert not refused.value.permanent


def test_the_search_goes_on_to_the_next_page() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_response("list_deployments", {"deployments": ["d-0"], "nextToken": "n"})
        stub.add_response("list_deployments", {"deployments": ["d-1"]})
        scripted_read(stub, foreign("d-0"), info("d-1"))
        begun = CodeDeploy(StubClients(codedeploy=client)).start(deploying(again=True))
    assert begun.handle == "d-1"


def test_a_token_that_only_begins_alike_is_not_ours() -> None:
    alike = info("d-1", description=f"towpath {TOKEN}9 shop/prod e-1")
    with stubbed("codedeploy") as (client, stub):
        scripted_find(stub, alike)
        stub.add_response("create_deployment", {"deploymentId": "d-2"}, CREATE)
        assert (
            CodeDeploy(StubClients(codedeploy=client)).start(deploying(again=True)).handle == "d-2"
        )


def test_a_foreign_deployment_is_waited_for_by_name() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_client_error("create_deployment", "DeploymentLimitExceededException", "busy")
        scripted_active(stub, foreign("d-9"))
        with pytest.raises(
            ActionError, match="waiting for d-9 of shop/shop-prod in prod"
        ) as caught:
            CodeDeploy(StubClients(codedeploy=client)).start(deploying())
    assert not caught.value.permanent
    assert "by hand" in str(caught.value)


def test_where_the_active_deployment_is_ours_it_is_adopted() -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_client_error("create_deployment", "DeploymentLimitExceededException", "busy")
        scripted_active(stub, info("d-1"))
        assert CodeDeploy(StubClients(codedeploy=client)).start(deploying()).handle == "d-1"


def test_an_appspec_may_stand_in_the_configuration() -> None:
    spec = "version: 0.0"
    digest = hashlib.sha256(spec.encode()).hexdigest()
    content = {"content": spec, "sha256": digest}
    revision = {"revisionType": "AppSpecContent", "appSpecContent": content}
    with stubbed("codedeploy") as (client, stub):
        asked = {**NAMES, "description": CREATE["description"], "revision": revision}
        stub.add_response("create_deployment", {"deploymentId": "d-1"}, asked)
        configured = deploying(configuration={**GROUP, "AppSpecContent": spec}, inputs=())
        CodeDeploy(StubClients(codedeploy=client)).start(configured)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"inputs": ()}, "one input artifact"),
        ({"inputs": (bundle(account="dev"),)}, "promote it there first"),
        ({"inputs": (bundle(version=""),)}, "not pinned to a version"),
        ({"inputs": (bundle(location="s3://b/shop.rar"),)}, "its name must end in"),
        ({"configuration": {**GROUP, "AppSpecContent": "x"}}, "leave one out"),
        ({"configuration": {"ApplicationName": "shop"}}, "DeploymentGroupName"),
    ],
)
def test_what_can_not_be_deployed_is_refused_before_any_call(
    given: dict[str, Any], said: str
) -> None:
    with stubbed("codedeploy") as (client, _), pytest.raises(ActionError, match=said) as caught:
        CodeDeploy(StubClients(codedeploy=client)).start(deploying(**given))
    assert caught.value.permanent


def test_many_are_looked_at_25_a_call() -> None:
    tasks = [replace(deploying(), token=f"t{n}", handle=f"d-{n}") for n in range(30)]
    infos = [info(f"d-{n}", "Succeeded") for n in range(30)]
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, *infos[:25])
        scripted_read(stub, *infos[25:])
        seen = CodeDeploy(StubClients(codedeploy=client)).look(tasks)
    assert {token: answer.outcome for token, answer in seen.items()} == dict.fromkeys(  # type: ignore[union-attr]
        (one.token for one in tasks), Outcome.SUCCEEDED
    )


def test_one_that_codedeploy_does_not_name_is_left_out() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_read(stub, ids=["d-1"])
        assert CodeDeploy(StubClients(codedeploy=client)).look([deploying(handle="d-1")]) == {}


def test_stopping_starts_no_rollback_of_codedeploys_own() -> None:
    with stubbed("codedeploy") as (client, stub):
        wanted = {"deploymentId": "d-1", "autoRollbackEnabled": False}
        stub.add_response("stop_deployment", {"status": "Pending"}, wanted)
        CodeDeploy(StubClients(codedeploy=client)).stop(deploying(handle="d-1"))


@pytest.mark.parametrize(
    "code", ["DeploymentAlreadyCompletedException", "DeploymentDoesNotExistException"]
)
def test_stopping_what_has_ended_is_harmless(code: str) -> None:
    with stubbed("codedeploy") as (client, stub):
        stub.add_client_error("stop_deployment", code)
        CodeDeploy(StubClients(codedeploy=client)).stop(deploying(handle="d-1"))


def test_stopping_what_has_no_handle_looks_for_it_first() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_find(stub, info("d-1"))
        stub.add_response("stop_deployment", {"status": "Succeeded"})
        CodeDeploy(StubClients(codedeploy=client)).stop(deploying())


def test_stopping_what_never_began_is_harmless() -> None:
    with stubbed("codedeploy") as (client, stub):
        scripted_find(stub)
        CodeDeploy(StubClients(codedeploy=client)).stop(deploying())


def test_a_long_name_does_not_push_the_token_out_of_the_description() -> None:
    long = description(deploying(pipeline="p" * 100, stage="s" * 100, execution="e" * 100))
    assert len(long) == 256
    assert TOKEN in long.split()
