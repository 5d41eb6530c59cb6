"""Artifact stores: an action finds its inputs in the store of its region, and makes its outputs there."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import pytest

from controlplane.declarations.model import ArtifactStore, PipelineDeclaration
from controlplane.engine.jobs import Jobs
from controlplane.engine.stores import COPY, copied, stored
from controlplane.sandbox.scripted import Scripted, after
from controlplane.store import action_types, ledger
from monitors.base import Artifact, MonitorError, Outcome, Progress, Store, Task
from tests.support.house import BAD, GOOD, House, action, deploying, pipeline, source

WEST, CENTRAL = "eu-west-1", "eu-central-1"
KEY = "arn:aws:kms:eu-central-1:111111111111:key/k"
ROLE = "arn:aws:iam::111111111111:role/pipeline"


@pytest.fixture
def house(empty: House) -> House:
    empty.drivers["S3"].default = made_in("west-store")
    empty.others[COPY] = Scripted(brought)
    empty.engine = empty.new_engine()
    return empty


def made_in(bucket: str, digest: str = GOOD) -> Any:
    def script(task: Task, _asked: int) -> Progress:
        found = tuple(
            Artifact(name, digest, f"s3://{bucket}/a.zip", "v1", "tools") for name in task.outputs
        )
        return Progress(Outcome.SUCCEEDED, handle="source", artifacts=found)

    return script


def brought(task: Task, _asked: int) -> Progress:
    assert task.store is not None
    copies = tuple(
        Artifact(one.name, one.digest, f"s3://{task.store.bucket}/a.zip", "v2", "tools")
        for one in task.inputs
    )
    return Progress(Outcome.SUCCEEDED, summary="brought", artifacts=copies)


def in_stores(**more: Any) -> PipelineDeclaration:
    """A source in the west, a deployment in the middle, and a store in both."""
    upload, prod = source(), deploying("Prod", watched=False)
    upload["actions"][0]["region"] = WEST
    prod["actions"][0]["region"] = CENTRAL
    key = {"id": KEY, "type": "KMS"}
    stores = {
        WEST: ArtifactStore.model_validate({"location": "west-store"}),
        CENTRAL: ArtifactStore.model_validate({"location": "middle-store", "encryptionKey": key}),
    }
    given = {"artifact_stores": stores, "role_arn": ROLE, **more}
    return pipeline(upload, prod).model_copy(update=given)


def test_an_action_of_another_region_is_started_with_the_copy_in_its_own_store(
    house: House,
) -> None:
    house.apply(in_stores())
    execution = house.execution(house.start())
    assert execution.status == "Succeeded"
    (copying,), (deploy,) = house.others[COPY].started, house.drivers["CodeDeploy"].started
    assert copying.inputs[0].location == "s3://west-store/a.zip"
    assert deploy.store == copying.store == Store("middle-store", KEY, "111111111111")
    assert (deploy.inputs[0].name, deploy.inputs[0].location) == ("App", "s3://middle-store/a.zip")
    assert (deploy.inputs[0].digest, deploy.inputs[0].version) == (GOOD, "v2")
    assert house.drivers["S3"].started[0].store == Store("west-store", "", "111111111111")
    with house.database.read() as connection:
        (entry,) = ledger.entries(connection, f"prod/{CENTRAL}/shop/all")
    assert "middle-store" in entry.artifact, "the way back needs the copy of its own region"


def test_each_execution_has_copies_of_its_own(house: House) -> None:
    house.apply(in_stores())
    house.start()
    house.drivers["S3"].default = made_in("west-store", BAD)
    house.start()
    assert [task.inputs[0].digest for task in house.others[COPY].started] == [GOOD, BAD]


def test_a_copy_that_fails_fails_the_action_and_nothing_was_deployed(house: House) -> None:
    said = "May not copy: middle-store lets nobody in"
    answers = [MonitorError("busy"), MonitorError(said, permanent=True)]
    house.others[COPY].default = lambda _task, _asked: answers.pop(0)
    house.apply(in_stores())
    begun = house.start()
    house.wait(3)
    execution = house.execution(begun)
    assert (execution.status, said in execution.reason) == ("Failed", True)
    assert not house.drivers["CodeDeploy"].started
    with house.database.read() as connection:
        assert not ledger.entries(connection, f"prod/{CENTRAL}/shop/all")


def test_a_copy_takes_as_long_as_it_takes(house: House) -> None:
    house.others[COPY].default = hashing = Hashing()
    house.apply(in_stores())
    execution = house.start()
    assert not house.drivers["CodeDeploy"].started
    house.wait(3)
    assert (house.execution(execution).status, hashing.asked) == ("Succeeded", 3)


def test_a_first_start_that_is_refused_after_a_copy_has_deployed_nothing(house: House) -> None:
    house.apply(in_stores())
    house.drivers["CodeDeploy"].default = lambda *_: MonitorError("no such group", permanent=True)
    execution = house.start()
    assert house.execution(execution).status == "Failed"
    assert [task.again for task in house.drivers["CodeDeploy"].started] == [False]
    assert "digest.quarantined" not in house.kinds(execution)
    with house.database.read() as connection:
        assert not ledger.entries(connection, f"prod/{CENTRAL}/shop/all")


class Hashing:
    """Done at the third time."""

    asked = 0

    def __call__(self, task: Task, asked: int) -> Progress | MonitorError:
        self.asked += 1
        return after(3)(task, self.asked) if self.asked < 3 else brought(task, asked)


def test_a_region_without_a_store_is_named(house: House) -> None:
    only = {WEST: ArtifactStore(location="west-store")}
    house.apply(in_stores(artifact_stores=only))
    execution = house.execution(house.start())
    assert execution.status == "Failed"
    assert "names no store in eu-central-1 (it has eu-west-1): name a bucket" in execution.reason


def test_where_no_store_is_named_there_is_none(house: House) -> None:
    house.apply(in_stores(artifact_stores=None))
    assert house.execution(house.start()).status == "Succeeded"
    assert [task.store for task in house.drivers["CodeDeploy"].started] == [None]
    assert not house.others[COPY].started


def test_what_was_promoted_elsewhere_on_purpose_is_left_there(house: House) -> None:
    declared = in_stores()
    prod = deploying("Prod", watched=False)
    copies = action("Copy", "CodeDeployStop", outputArtifacts=[{"name": "Copy"}], region=CENTRAL)
    copies["inputArtifacts"] = [{"name": "App"}]
    deploy = {**prod["actions"][0], "runOrder": 2, "inputArtifacts": [{"name": "Copy"}]}
    stages = (source(), {**prod, "actions": [copies, {**deploy, "region": CENTRAL}]})
    house.drivers["CodeDeployStop"].default = made_in("bucket-of-prod")
    house.apply(declared.model_copy(update={"stages": pipeline(*stages).stages}))
    assert house.execution(house.start()).status == "Succeeded"
    (deployed,) = house.drivers["CodeDeploy"].started
    assert deployed.inputs[0].location == "s3://bucket-of-prod/a.zip"


APP = Artifact("App", GOOD, "s3://west-store/a.zip", "v1", "tools")
WHERE = (Store("middle-store"), frozenset({"west-store", "middle-store"}))


def row(status: str) -> Any:
    return SimpleNamespace(status=status, execution_id="e-1")


def kept(digest: str) -> dict[tuple[str, str], str]:
    copy = copied(replace(APP, digest=digest, location="s3://middle-store/a.zip", version="v2"))
    return {("e-1", copy.name): json.dumps(asdict(copy))}


def test_a_copy_counts_for_exactly_the_bytes_that_it_is_of() -> None:
    found = stored(row("Starting"), WHERE, [APP], kept(GOOD))
    assert [(one.name, one.version) for one in found.inputs] == [("App", "v2")]
    assert not found.missing
    other = stored(row("Starting"), WHERE, [APP], kept(BAD))
    assert other.missing == (APP,), "an action that ran again has made others since"


def test_what_has_begun_waits_for_no_copy() -> None:
    found = stored(row("InProgress"), WHERE, [APP], {})
    assert (found.inputs, found.missing) == ((APP,), ())


def test_a_worker_gets_its_job_once_its_inputs_lie_in_its_own_store(house: House) -> None:
    id_ = ("Test", "Custom", "Scan", "1")
    worker = {"executor": {"type": "JobWorker"}, "properties": [], "urls": {}}
    with house.database.begin() as connection:
        action_types.add(connection, id_, {**worker, "inputs": [0, 1], "outputs": [0, 0]}, 0.0)
    kind = dict(zip(("category", "owner", "provider", "version"), id_, strict=True))
    inputs = [{"name": "App"}]
    scan = {"name": "Scan", "actionTypeId": kind, "region": CENTRAL, "inputArtifacts": inputs}
    stages = pipeline(source(), {"name": "Test", "actions": [scan]}).stages
    house.apply(in_stores().model_copy(update={"stages": stages}))
    house.start()
    (one,) = Jobs(house.database, house.structures, house._now).poll("/".join(id_), 1, {})
    assert one.job.task.store == Store("middle-store", KEY, "111111111111")
    assert [made.location for made in one.job.task.inputs] == ["s3://middle-store/a.zip"]
