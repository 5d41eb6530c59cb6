"""Action types that are registered: what they take is checked, and their versions are never given again."""

from typing import Any

import pytest

from controlplane.codepipeline import third_parties
from controlplane.declarations.load import DeclarationError, load_text
from controlplane.declarations.registered import strangers
from controlplane.store.roles import Role
from tests.controlplane.codepipeline.test_jobs import TYPE, asked, create, prop, scan, structure
from tests.support.doors import Doors
from tests.support.house import pipeline, source
from tests.support.wire import Wire

WORDS = {"category": "Test", "provider": "Scan", "version": "1"}
NONE = {"minimumCount": 0, "maximumCount": 0}
PARTY = {"category": "Test", "owner": "ThirdParty", "provider": "Acme", "version": "1"}
WORKER = {"type": "JobWorker", "configuration": {"jobWorkerExecutorConfiguration": {}}}
FUNCTION = {
    "type": "Lambda",
    "configuration": {
        "lambdaExecutorConfiguration": {
            "lambdaFunctionArn": "arn:aws:lambda:eu-west-1:111111111111:function:acme"
        }
    },
    "jobTimeout": 60,
}


def declaration(**more: Any) -> dict[str, Any]:
    given = {"id": PARTY, "inputArtifactDetails": NONE, "outputArtifactDetails": NONE}
    return {"actionType": {**given, "executor": WORKER, **more}}


def listed(wire: Wire, **filters: str) -> list[str]:
    found = asked(wire, "ListActionTypes", filters)["actionTypes"]
    return [one["id"]["provider"] for one in found]


def test_a_type_is_listed_used_and_deleted_for_ever(wire: Wire) -> None:
    assert create(wire.call, tags=[{"key": "team", "value": "a"}]).json()["tags"]
    assert "Scan" in listed(wire, actionOwnerFilter="Custom")
    assert "Scan" not in listed(wire, actionOwnerFilter="AWS")
    assert listed(wire, regionFilter="ap-south-1") == []
    arn = "arn:aws:codepipeline:eu-west-1:000000000000:actiontype:Test/Custom/Scan/1"
    assert asked(wire, "ListTagsForResource", {"resourceArn": arn})["tags"][0]["value"] == "a"
    assert create(wire.call).json()["__type"] == "ValidationException"
    assert asked(wire, "DeleteCustomActionType", WORDS) == {}
    assert "Scan" not in listed(wire)
    assert create(wire.call).json()["__type"] == "ValidationException"
    polled = asked(wire, "PollForJobs", {"actionTypeId": TYPE})
    assert polled["__type"] == "ActionTypeNotFoundException"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"provider": "CodeDeploy"}, "another name"),
        ({"provider": "CloudWatchAlarmRecovered"}, "another name"),
        ({"inputArtifactDetails": {"minimumCount": 2, "maximumCount": 1}}, "minimumCount"),
        ({"settings": {"executionUrlTemplate": "javascript:alert(1)"}}, "https://"),
        ({"configurationProperties": [prop("A"), prop("A")]}, "name of its own"),
        ({"configurationProperties": [prop("A", queryable=True)]}, "must be required"),
    ],
)
def test_a_type_that_cannot_be(wire: Wire, wrong: Any, why: str) -> None:
    refused = create(wire.call, **wrong).json()
    assert refused["__type"] == "ValidationException" and why in refused["message"]


@pytest.mark.parametrize(
    ("configuration", "why"),
    [
        ({"Depth": "deep"}, "Depth: 'deep' is no number"),
        ({"Colour": "red"}, "Scan has no key 'Colour'"),
        ({"Password": "****"}, "write the secret"),
        ({"Password": "sealed:nonsense"}, "write the secret anew"),
    ],
)
def test_an_action_is_held_to_its_type(wire: Wire, configuration: Any, why: str) -> None:
    create(wire.call)
    refused = asked(wire, "CreatePipeline", {"pipeline": structure(**configuration)})
    assert refused["__type"] == "InvalidStructureException" and why in refused["message"]


def test_a_type_that_nobody_registered_is_refused_where_it_would_run_and_named_elsewhere(
    wire: Wire,
) -> None:
    refused = asked(wire, "CreatePipeline", {"pipeline": structure()})
    assert "Test/Custom/Scan/1 is registered" in refused["message"]
    declared = pipeline(source(), {"name": "Test", "actions": [scan()]})
    assert strangers(declared) == ["Test/Custom/Scan/1"]
    with pytest.raises(DeclarationError, match="no provider 'Scan' is run"):
        load_text("pipeline: p\nstages: [{name: A, actions: [{provider: Scan}]}]")


def test_an_execution_whose_type_is_gone_says_so(wire: Wire) -> None:
    create(wire.call)
    house = wire.doors.house
    house.apply(pipeline(source(), {"name": "Test", "actions": [scan()]}))
    asked(wire, "DeleteCustomActionType", WORDS)
    execution = house.start()
    assert house.stages(execution)["Test"] == "Failed"
    assert "not registered any more" in house.texts("action.failed", execution)[0]


def test_a_third_partys_type_is_what_was_put(wire: Wire) -> None:
    described = {"description": "of Acme", "urls": {"configurationUrl": "https://acme.example"}}
    asked(wire, "UpdateActionType", declaration())
    asked(wire, "UpdateActionType", declaration(executor=FUNCTION, **described))
    got = asked(wire, "GetActionType", PARTY)["actionType"]
    assert got == {**declaration(executor=FUNCTION, **described)["actionType"], "properties": []}
    mixed = {**FUNCTION, "type": "JobWorker"}
    refused = asked(wire, "UpdateActionType", declaration(executor=mixed))
    assert refused["__type"] == "ValidationException"
    ours = {**PARTY, "owner": "AWS", "category": "Deploy", "provider": "CodeDeploy"}
    assert "itself" in asked(wire, "GetActionType", ours)["message"]


def test_a_third_partys_worker_shows_its_clients_token(tmp_path: Any) -> None:
    wire = Wire(Doors(tmp_path, third_party_clients={"Acme": "the token of Acme"}))
    asked(wire, "UpdateActionType", declaration())
    action = {"name": "Scan", "actionTypeId": PARTY, "configuration": {}}
    wire.doors.house.apply(pipeline(source(), {"name": "Test", "actions": [action]}))
    execution = wire.doors.house.start()
    (job,) = asked(wire, "PollForThirdPartyJobs", {"actionTypeId": PARTY})["jobs"]
    assert job["clientId"] == third_parties.client_id("Acme")
    given = {"jobId": job["jobId"], "clientToken": "another"}
    refused = asked(wire, "GetThirdPartyJobDetails", given)
    assert refused["__type"] == "InvalidClientTokenException"
    bare = {"jobId": job["jobId"]}
    for operation in ("GetJobDetails", "PutJobSuccessResult"):  # there is no way round the token
        assert asked(wire, operation, bare)["__type"] == "JobNotFoundException"
    given["clientToken"] = "the token of Acme"
    nonce = asked(wire, "GetThirdPartyJobDetails", given)["jobDetails"]["nonce"]
    assert (
        asked(wire, "AcknowledgeThirdPartyJob", {**given, "nonce": nonce})["status"] == "InProgress"
    )
    assert asked(wire, "PutThirdPartyJobSuccessResult", given) == {}
    wire.doors.house.settle()
    assert wire.doors.house.stages(execution)["Test"] == "Succeeded"


def test_a_workers_key_may_work_and_nothing_else(doors: Doors) -> None:
    create(Wire(doors).call)
    worker = Wire(doors, Role.JOB_WORKER)
    given = {"actionTypeId": TYPE, "queryParam": {"Project": "shop"}}
    assert asked(worker, "PollForJobs", given) == {"jobs": []}
    assert asked(worker, "ListPipelines", {})["__type"] == "AccessDeniedException"
    viewer = Wire(doors, Role.RELEASE_MANAGER)
    assert asked(viewer, "PollForJobs", given)["__type"] == "AccessDeniedException"
