"""Only what was tested is deployed, and the way back resolves what the way there did."""

import json
from typing import Any

import pytest

from controlplane.sandbox.scripted import after, source_of
from controlplane.store import ledger
from monitors.base import Artifact, Outcome, Progress, Task
from tests.support.house import BAD, GOOD, House, action, deploying, pipeline, source


@pytest.fixture
def house(empty: House) -> House:
    return empty


def promoted(digest: str) -> Any:
    """A promotion whose copy has this digest."""

    def script(task: Task, _asked: int) -> Progress:
        copies = tuple(Artifact(name, digest, "s3://prod/shop.zip", "v1") for name in task.outputs)
        return Progress(Outcome.SUCCEEDED, handle="copied", artifacts=copies)

    return script


def with_promotion() -> dict[str, Any]:
    """A stage that copies App, and deploys the copy."""
    stage = deploying("Prod", watched=False)
    copies = action("Copy", "CodeDeployStop", outputArtifacts=[{"name": "Copy"}])
    copies["inputArtifacts"] = [{"name": "App"}]
    deploy = {**stage["actions"][0], "runOrder": 2, "inputArtifacts": [{"name": "Copy"}]}
    return {**stage, "actions": [copies, deploy]}


def test_a_digest_that_is_not_the_one_that_was_tested_is_not_deployed(house: House) -> None:
    house.drivers["CodeDeployStop"].default = promoted(BAD)
    house.apply(pipeline(source(), with_promotion()))
    execution = house.execution(house.start())
    assert execution.status == "Failed"
    assert BAD in execution.reason and GOOD in execution.reason
    assert not house.drivers["CodeDeploy"].started


def test_a_copy_of_the_same_digest_is_deployed(house: House) -> None:
    house.drivers["CodeDeployStop"].default = promoted(GOOD)
    house.apply(pipeline(source(), with_promotion()))
    assert house.execution(house.start()).status == "Succeeded"


def test_the_first_declared_source_gives_the_execution_its_digest(house: House) -> None:
    sources = source()
    sources["actions"].append(action("Other", "S3", outputArtifacts=[{"name": "Extra"}]))
    house.drivers["S3"].scripts = {"Upload": late(source_of(GOOD)), "Other": source_of(BAD)}
    house.apply(pipeline(sources, deploying("Prod", watched=False)))
    execution = house.start()
    house.wait(10)
    assert (house.execution(execution).digest, house.rows()[0].status) == (GOOD, "Succeeded")


def built() -> dict[str, Any]:
    """A stage that builds Built of App."""
    made = [{"name": "Built"}]
    make = action("Make", "CodeBuild", inputArtifacts=[{"name": "App"}], outputArtifacts=made)
    return {"name": "Build", "actions": [make]}


def deploying_built(name: str) -> dict[str, Any]:
    stage = deploying(name, watched=False)
    return {**stage, "actions": [{**stage["actions"][0], "inputArtifacts": [{"name": "Built"}]}]}


BUILT = "sha256:" + "c" * 64


def test_what_was_built_for_the_first_deployment_is_what_an_execution_is_about(
    house: House,
) -> None:
    house.drivers["CodeBuild"].default = promoted(BUILT)
    house.apply(pipeline(source(), built(), deploying_built("Test"), deploying_built("Prod")))
    execution = house.execution(house.start())
    assert (execution.status, execution.digest) == ("Succeeded", BUILT)
    assert [task.inputs[0].digest for task in house.drivers["CodeDeploy"].started] == [BUILT] * 2


def test_a_bad_build_goes_back_and_its_digest_nowhere(house: House) -> None:
    house.apply(pipeline(source(), built(), deploying_built("Prod")))
    for digest, ends in ((BUILT, Outcome.SUCCEEDED), (BAD, Outcome.FAILED)):
        house.drivers["CodeBuild"].default = promoted(digest)
        house.drivers["CodeDeploy"].default = after(1, ends)
        house.start()
        house.wait(20)
    (restore,) = house.drivers["CodeDeployRestore"].started
    assert restore.configuration["RevisionDigest"] == BUILT
    with house.database.read() as connection:
        assert ledger.quarantined(connection) == {BAD}


def test_what_was_built_after_a_deployment_was_not_tested_there(house: House) -> None:
    house.drivers["CodeBuild"].default = promoted(BUILT)
    first = deploying("Test", watched=False)
    house.apply(pipeline(source(), first, built(), deploying_built("Prod")))
    execution = house.execution(house.start())
    assert (execution.status, execution.digest) == ("Failed", GOOD)
    assert BUILT in execution.reason


def test_a_variable_cannot_break_out_of_the_json_that_it_is_put_into(house: House) -> None:
    value = '"}, {"name": "ADMIN", "value": "yes"'
    house.drivers["NoOp"].default = naming(value)
    given = {"EnvironmentVariables": '[{"name": "GROUP", "value": "#{found.group}"}]'}
    make = action("Make", "CodeBuild", 2, configuration=given)
    find = action("Find", "NoOp", namespace="found")
    house.apply(pipeline(source(), {"name": "Build", "actions": [find, make]}))
    house.start()
    (task,) = house.drivers["CodeBuild"].started
    text = task.configuration["EnvironmentVariables"]
    assert json.loads(text) == [{"name": "GROUP", "value": value}]


def test_commands_get_variables_in_their_environment(house: House) -> None:
    house.drivers["NoOp"].default = naming("blue; rm -rf /")
    given = [{"name": "GROUP", "value": "#{found.group}"}]
    run = action("Run", "Commands", 2, commands=["make"], environmentVariables=given)
    find = action("Find", "NoOp", namespace="found")
    house.apply(pipeline(source(), {"name": "Build", "actions": [find, run]}))
    house.start()
    (task,) = house.drivers["Commands"].started
    assert task.shell is not None
    assert task.shell.commands == ("make",)
    assert task.shell.environment == (("GROUP", "blue; rm -rf /", "PLAINTEXT"),)


def late(script: Any) -> Any:
    return lambda task, asked: script(task, asked) if asked else after(1)(task, 0)


def variable_stage() -> dict[str, Any]:
    """A stage whose deployment group is told by an earlier action."""
    stage = deploying("Prod")
    where = {**stage["actions"][0]["configuration"], "DeploymentGroupName": "#{found.group}"}
    finder = action("Find", "NoOp", namespace="found")
    deploy = {**stage["actions"][0], "configuration": where, "runOrder": 2}
    return {**stage, "actions": [finder, deploy]}


def naming(group: str) -> Any:
    return lambda _task, _asked: Progress(Outcome.SUCCEEDED, handle="f", output={"group": group})


def test_the_way_back_resolves_variables_as_the_way_there_did(house: House) -> None:
    house.drivers["NoOp"].default = naming("blue")
    house.apply(pipeline(source(), variable_stage()))
    house.start()
    house.wait(20)
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["CodeDeploy"].default = after(1, Outcome.FAILED, "exit 1")
    house.start()
    house.wait(20)
    (restore,) = house.drivers["CodeDeployRestore"].started
    assert restore.configuration["DeploymentGroupName"] == "blue"
    assert house.rows()[0].rollback_state == "done"


def test_the_ledger_knows_the_target_that_was_meant(house: House) -> None:
    house.drivers["NoOp"].default = naming("blue")
    house.apply(pipeline(source(), variable_stage()))
    house.start()
    house.wait(20)
    with house.database.read() as connection:
        assert ledger.entries(connection, "prod//shop/blue")[0].digest == GOOD


def test_a_pipelines_own_variable_has_its_default(house: House) -> None:
    where = {"Account": "prod", "ApplicationName": "shop", "DeploymentGroupName": "#{variables.g}"}
    stage = deploying("Prod", watched=False)
    stage["actions"][0]["configuration"] = where
    declared = pipeline(source(), stage)
    given = declared.model_validate(
        {**declared.model_dump(), "variables": [{"name": "g", "defaultValue": "all"}]}
    )
    house.apply(given)
    assert house.execution(house.start()).status == "Succeeded"
    assert house.drivers["CodeDeploy"].started[0].configuration["DeploymentGroupName"] == "all"
