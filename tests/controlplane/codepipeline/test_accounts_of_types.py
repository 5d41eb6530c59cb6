"""Whose workers may do a type's jobs, and in whose pipelines it may stand: both are said by AWS account."""

from pathlib import Path
from typing import Any

import pytest

from controlplane.store import access_keys
from controlplane.store.roles import Role
from tests.controlplane.codepipeline.test_action_types import NONE, PARTY
from tests.controlplane.codepipeline.test_jobs import asked, structure
from tests.support.doors import SECRET, Doors
from tests.support.house import pipeline, source
from tests.support.wire import Wire

TOKEN = "the token of Acme"
OURS, THEIRS = "1" * 12, "9" * 12
ACT = {"name": "Act", "actionTypeId": PARTY, "configuration": {}}


def worker_type(wire: Wire, permissions: Any = None, **executor: Any) -> None:
    """Register the type, with what its executor says of workers."""
    worker = {"jobWorkerExecutorConfiguration": executor}
    given = {"id": PARTY, "inputArtifactDetails": NONE, "outputArtifactDetails": NONE}
    kind = {"type": "JobWorker", "configuration": worker}
    more = {"permissions": {"allowedAccounts": permissions}} if permissions else {}
    assert (
        asked(wire, "UpdateActionType", {"actionType": {**given, "executor": kind, **more}}) == {}
    )


def worker(doors: Doors, account: str) -> Wire:
    """Whoever works for a type by a key of that account."""
    wire = Wire(doors, Role.JOB_WORKER)
    now = doors.house.clock().timestamp()
    who = ("worker", Role.JOB_WORKER)
    with doors.house.database.begin() as connection:
        wire.made = access_keys.create(connection, who, now, None, SECRET, account)
    return wire


def polled(wire: Wire) -> Any:
    return asked(wire, "PollForThirdPartyJobs", {"actionTypeId": PARTY})


@pytest.mark.parametrize(
    ("executor", "account", "may"),
    [
        ({}, "", True),
        ({"pollingAccounts": [OURS]}, OURS, True),
        ({"pollingAccounts": [OURS]}, THEIRS, False),
        ({"pollingAccounts": [OURS]}, "", False),
        ({"pollingServicePrincipals": ["acme.amazonaws.com"]}, OURS, False),
    ],
)
def test_only_keys_of_the_polling_accounts_poll(
    wire: Wire, executor: Any, account: str, may: bool
) -> None:
    worker_type(wire, **executor)
    wire.doors.house.apply(pipeline(source(), {"name": "Test", "actions": [ACT]}))
    wire.doors.house.start()
    answer = polled(worker(wire.doors, account))
    assert len(answer.get("jobs", [])) == may
    if not may:
        assert answer["__type"] == "AccessDeniedException"
        assert "is not authorized to work for Test/ThirdParty/Acme/1" in answer["message"]


def test_a_job_is_taken_and_told_of_by_such_a_key_only(tmp_path: Path) -> None:
    wire = Wire(Doors(tmp_path, third_party_clients={"Acme": TOKEN}))
    worker_type(wire, pollingAccounts=[OURS])
    house = wire.doors.house
    house.apply(pipeline(source(), {"name": "Test", "actions": [ACT]}))
    execution = house.start()
    ours, theirs = worker(wire.doors, OURS), worker(wire.doors, THEIRS)
    (job,) = polled(ours)["jobs"]
    named = {"jobId": job["jobId"], "clientToken": TOKEN}
    nonce = asked(ours, "GetThirdPartyJobDetails", named)["jobDetails"]["nonce"]
    taken = {**named, "nonce": nonce}
    failure = {"failureDetails": {"type": "JobFailed", "message": "no"}}
    for operation, given in (
        ("GetThirdPartyJobDetails", named),
        ("AcknowledgeThirdPartyJob", taken),
        ("PutThirdPartyJobSuccessResult", named),
        ("PutThirdPartyJobFailureResult", {**named, **failure}),
    ):
        assert asked(theirs, operation, given)["__type"] == "AccessDeniedException", operation
    assert asked(ours, "AcknowledgeThirdPartyJob", taken)["status"] == "InProgress"
    assert asked(ours, "PutThirdPartyJobSuccessResult", named) == {}
    house.settle()
    assert house.stages(execution)["Test"] == "Succeeded"


@pytest.mark.parametrize(
    ("allowed", "account", "may"),
    [
        (["*"], "prod", True),
        ([THEIRS, "prod"], "prod", True),
        ([THEIRS], "prod", False),
        ([THEIRS], "", False),
    ],
)
def test_a_structure_may_use_a_type_in_the_accounts_that_it_allows(
    wire: Wire, allowed: list[str], account: str, may: bool
) -> None:
    prod = wire.doors.registry.get("prod").id
    worker_type(wire, [prod if one == "prod" else one for one in allowed])
    named = {"Account": account} if account else {}
    act = {**ACT, "configuration": named, **({"region": "eu-west-1"} if account else {})}
    declared = structure()
    declared["stages"][1]["actions"] = [act]
    answer = asked(wire, "CreatePipeline", {"pipeline": declared})
    assert ("pipeline" in answer) == may, answer
    if not may:
        assert answer["__type"] == "InvalidActionDeclarationException"
        assert "stages.Test.actions.Act.actionTypeId.provider" in answer["message"]
        assert f"allowedAccounts are {THEIRS}" in answer["message"]


def test_at_our_own_door_a_structure_is_held_to_it_as_well(wire: Wire) -> None:
    worker_type(wire, [THEIRS])
    declared = structure()
    del declared["roleArn"]
    declared["stages"][0]["actions"][0]["region"] = "eu-west-1"
    declared["stages"][1]["actions"] = [ACT]
    answer = wire.doors.client().put("/api/v1/pipelines/shop", json={"pipeline": declared})
    assert answer.status_code == 422
    assert "is not for an action that names no account" in answer.text
