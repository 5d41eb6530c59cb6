"""What is taken as a structure, and what is refused, where and why."""

import json
from pathlib import Path
from typing import Any

import pytest

from controlplane.codepipeline import inputs, pages
from controlplane.codepipeline.faults import WireError
from controlplane.codepipeline.shapes import operation
from controlplane.declarations.model import Notification
from controlplane.engine.structures import current
from tests.support.house import deploying, pipeline, source
from tests.support.wire import Wire

REAL = Path("../shared/data/codepipeline-json")
FARM = {"category": "Test", "owner": "AWS", "provider": "DeviceFarm", "version": "1"}
S3 = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}


def structure(**more: Any) -> dict[str, Any]:
    upload = {
        "name": "Upload",
        "actionTypeId": S3,
        "configuration": {"S3Bucket": "in", "S3ObjectKey": "a.zip", "Account": "dev"},
        "outputArtifacts": [{"name": "App"}],
    }
    build = {"name": "Make", "actionTypeId": FARM, "configuration": {}}
    role = "arn:aws:iam::999999999999:role/CodePipeline"
    stages = [{"name": "Source", "actions": [upload]}, {"name": "Build", "actions": [build]}]
    return {"name": "shop", "roleArn": role, "stages": stages, **more}


def test_a_provider_that_is_not_run_is_refused_by_its_path(wire: Wire) -> None:
    answer = wire.call("CreatePipeline", {"pipeline": structure()}).json()
    assert answer["__type"] == "InvalidStructureException"
    assert "stages.Build.actions.Make.actionTypeId.provider: no provider" in answer["message"]
    assert wire.refusal("GetPipeline", {"name": "shop"}) == "PipelineNotFoundException"


def test_an_account_that_is_not_registered_is_refused_with_the_mend(wire: Wire) -> None:
    given = structure()
    del given["stages"][0]["actions"][0]["configuration"]["Account"]
    answer = wire.call("CreatePipeline", {"pipeline": given}).json()
    assert "actions.Upload.account: is missing" in answer["message"]
    assert "or the pipeline a roleArn in the AWS account of one" in answer["message"]


def test_a_name_is_used_once(wire: Wire) -> None:
    wire.doors.house.apply(pipeline(source(), deploying("Prod")))
    given = {"pipeline": structure()}
    given["pipeline"]["stages"][1]["actions"][0]["actionTypeId"] = {
        "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"
    }  # fmt: skip
    assert wire.refusal("CreatePipeline", given) == "PipelineNameInUseException"
    assert wire.refusal("UpdatePipeline", given) == ""


def test_a_version_that_never_was_is_not_found(wire: Wire) -> None:
    wire.doors.house.apply(pipeline(source(), deploying("Prod")))
    asked = {"name": "shop", "version": 9}
    assert wire.refusal("GetPipeline", asked) == "PipelineVersionNotFoundException"


def test_what_runs_is_not_deleted(wire: Wire) -> None:
    wire.doors.waits_for_approval()
    assert wire.refusal("DeletePipeline", {"name": "shop"}) == "ConcurrentModificationException"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        (
            "GetPipeline",
            {},
            "Value null at 'name' failed to satisfy constraint: Member must not be",
        ),
        ("GetPipeline", {"name": "a b"}, "regular expression pattern"),
        ("GetPipeline", {"name": "a" * 101}, "length less than or equal to 100"),
        ("GetPipeline", {"name": 1}, "must be of type string"),
        ("GetPipeline", {"name": "a", "version": 0}, "greater than or equal to 1"),
        ("RetryStageExecution", {"retryMode": "SOME"}, "enum value set: [FAILED_ACTIONS, ALL_A"),
    ],
)
def test_what_the_model_does_not_allow_is_named(name: str, given: Any, said: str) -> None:
    with pytest.raises(WireError) as refused:
        inputs.check(operation(name).input_shape, given)
    assert refused.value.code == "ValidationException"
    assert said in str(refused.value)


@pytest.mark.parametrize("last", ["\ud800", "a\0", "x/²"])
def test_a_forged_token_is_refused(wire: Wire, last: str) -> None:
    wire.doors.house.apply(pipeline(source(), deploying("Prod")))
    forged = {"pipelineName": "shop", "nextToken": pages.token("actions/shop", last)}
    assert wire.refusal("ListActionExecutions", forged) == "InvalidNextTokenException"


def test_a_token_of_another_listing_is_refused(wire: Wire) -> None:
    for name in "abc":
        wire.doors.house.apply(pipeline(source(), deploying("Prod"), name=name))
    token = wire.call("ListPipelines", {"maxResults": 2}).json()["nextToken"]
    (last,) = wire.call("ListPipelines", {"nextToken": token}).json()["pipelines"]
    assert last["name"] == "c"
    asked = {"pipelineName": "a", "nextToken": token}
    assert wire.refusal("ListPipelineExecutions", asked) == "InvalidNextTokenException"


@pytest.mark.parametrize("path", sorted(REAL.glob("*.json")), ids=lambda path: path.stem[:40])
def test_every_real_structure_is_taken_or_refused_by_a_path(wire: Wire, path: Path) -> None:
    data = json.loads(path.read_text())
    tree = data.get("pipeline", data) if isinstance(data, dict) else {}
    answer = wire.call("CreatePipeline", {"pipeline": tree})
    refused = answer.json().get("__type", "")
    assert refused in ("", "InvalidStructureException", "ValidationException")
    assert not refused or "pipeline." in answer.json()["message"]


def test_the_real_structures_are_there() -> None:
    assert list(REAL.glob("*.json")), "../shared/data is missing"


def test_an_update_goes_on_telling_whom_it_told_before(wire: Wire) -> None:
    house, told = wire.doors.house, {"provider": "SNS", "configuration": {"TopicArn": "arn"}}
    before = pipeline(source(), deploying("Prod"))
    house.apply(before.model_copy(update={"notifications": (Notification.model_validate(told),)}))
    approval = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
    given = structure()
    given["stages"][1]["actions"][0]["actionTypeId"] = approval
    assert wire.refusal("UpdatePipeline", {"pipeline": given}) == ""
    with house.database.read() as connection:
        now = current(connection, house.structures, "shop")
    assert now is not None
    assert [stage.name for stage in now.stages] == ["Source", "Build"]
    assert [one.configuration for one in now.notifications] == [told["configuration"]]
