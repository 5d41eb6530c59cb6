"""Several deployables in one execution: each action deploys its own, and each goes back to its own."""

from typing import Any

import pytest
from sqlalchemy import select

from controlplane.engine.approval_evidence import gather
from controlplane.engine.refusals import CommandError
from controlplane.engine.subject import built_for, subject_of
from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.store import ledger
from controlplane.store.tables import LedgerEntry, table
from monitors.base import Artifact, Outcome, Progress, Task, Verdict
from tests.support.doors import asks_a_person
from tests.support.house import ANNE, House, action, deploying, pipeline, source

WEB, WEB_2 = "sha256:" + "1" * 64, "sha256:" + "2" * 64
JOBS, JOBS_2 = "sha256:" + "3" * 64, "sha256:" + "4" * 64


@pytest.fixture
def house(empty: House) -> House:
    empty.drivers["S3"].scripts = {"Web": source_of(WEB), "Jobs": source_of(JOBS)}
    return empty


def sources() -> dict[str, Any]:
    """Two sources: Web and Jobs."""
    made = [action(name, "S3", outputArtifacts=[{"name": name}]) for name in ("Web", "Jobs")]
    return {"name": "Source", "actions": made}


def both(name: str, *, watched: bool = False, inputs: tuple[str, str] = ("Web", "Jobs")) -> Any:
    """A stage that deploys each of them to a group of its own."""
    stage = deploying(name, watched=watched)
    actions = []
    for called, taken in zip(("Web", "Jobs"), inputs, strict=True):
        where = {"Account": name.lower(), "ApplicationName": called, "DeploymentGroupName": "all"}
        given: dict[str, Any] = {"configuration": where, "inputArtifacts": [{"name": taken}]}
        actions.append(action(f"Deploy{called}", "CodeDeploy", **given))
    return {**stage, "actions": actions}


def release(house: House, web: str, jobs: str) -> str:
    house.drivers["S3"].scripts = {"Web": source_of(web), "Jobs": source_of(jobs)}
    execution = house.start()
    house.wait(20)
    return execution


def standing(house: House) -> dict[str, list[str]]:
    """Target -> the digests that were put there, in order."""
    found: dict[str, list[str]] = {}
    with house.database.read() as connection:
        for row in connection.execute(select(table(LedgerEntry)).order_by("id")):
            found.setdefault(row.target, []).append(row.digest)
    return found


def quarantined(house: House) -> frozenset[str]:
    with house.database.read() as connection:
        return ledger.quarantined(connection)


def test_each_source_is_deployed_by_the_action_that_takes_it(house: House) -> None:
    house.apply(pipeline(sources(), both("Test"), both("Prod")))
    execution = house.execution(house.start())
    assert (execution.status, execution.digest) == ("Succeeded", WEB), "the first is its own, still"
    assert standing(house) == {
        "test//Web/all": [WEB], "test//Jobs/all": [JOBS],
        "prod//Web/all": [WEB], "prod//Jobs/all": [JOBS],
    }  # fmt: skip


def test_what_two_builds_make_is_deployed_each_with_its_own_digest(house: House) -> None:
    def build(task: Task, _asked: int) -> Progress:
        digest = WEB_2 if task.action == "MakeWeb" else JOBS_2
        made = tuple(Artifact(name, digest, "s3://built/a.zip", "v1") for name in task.outputs)
        return Progress(Outcome.SUCCEEDED, handle="built", artifacts=made)

    house.drivers["CodeBuild"].default = build
    makes = [
        action(
            f"Make{name}", "CodeBuild",
            inputArtifacts=[{"name": name}], outputArtifacts=[{"name": f"Built{name}"}],
        )
        for name in ("Web", "Jobs")
    ]  # fmt: skip
    stage = both("Prod", inputs=("BuiltWeb", "BuiltJobs"))
    house.apply(pipeline(sources(), {"name": "Build", "actions": makes}, stage))
    assert house.execution(house.start()).status == "Succeeded"
    assert standing(house) == {"prod//Web/all": [WEB_2], "prod//Jobs/all": [JOBS_2]}


def test_a_bad_deployment_bans_what_it_deployed_and_each_target_goes_back_to_its_own(
    house: House,
) -> None:
    house.apply(pipeline(sources(), both("Prod")))
    release(house, WEB, JOBS)
    house.drivers["CodeDeploy"].scripts["DeployJobs"] = after(1, Outcome.FAILED, "exit 1")
    release(house, WEB_2, JOBS_2)
    assert quarantined(house) == {JOBS_2}
    assert "digest.quarantined" in house.kinds()
    restored = {
        task.configuration["ApplicationName"]: task.configuration["RevisionDigest"]
        for task in house.drivers["CodeDeployRestore"].started
    }
    assert restored == {"Web": WEB, "Jobs": JOBS}


def test_a_bad_signal_bans_what_is_new_and_not_what_stood_there_before(house: House) -> None:
    house.apply(pipeline(sources(), both("Prod", watched=True)))
    release(house, WEB, JOBS)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    release(house, WEB_2, JOBS)
    assert quarantined(house) == {WEB_2}
    assert house.rows()[0].rollback_state == "done"


def banned(house: House, digest: str) -> None:
    with house.database.begin() as connection:
        said = {"pipeline": "shop", "execution_id": "e", "reason": "bad", "at": 1.0}
        row = {"digest": digest, "lifted_by": "", "lift_reason": "", **said}
        assert ledger.put_in_quarantine(connection, row)


def test_a_ban_on_any_of_them_keeps_it_out_of_what_deploys_that_and_no_longer(house: House) -> None:
    jobs = both("Jobs")
    web = both("Web")
    jobs["actions"], web["actions"] = jobs["actions"][1:], web["actions"][:1]
    house.apply(pipeline(sources(), jobs, web))
    banned(house, JOBS)
    execution = house.execution(house.start())
    assert (execution.status, JOBS in execution.reason) == ("Failed", True)
    assert not house.drivers["CodeDeploy"].started
    house.commands.lift_quarantine(JOBS, ANNE, reason="it was another's fault")
    banned(house, WEB)
    execution = house.execution(house.start())
    assert (house.stages(execution.id)["Jobs"], WEB in execution.reason) == ("Cancelled", True)


def test_behind_the_last_stage_that_deploys_it_a_ban_holds_nobody(house: House) -> None:
    jobs = both("Jobs")
    web = both("Web")
    jobs["actions"], web["actions"] = jobs["actions"][1:], web["actions"][:1]
    gate = {"name": "Gate", "actions": [action("Ask", "Manual")]}
    house.apply(pipeline(sources(), jobs, gate, web))
    asks_a_person(house)
    execution = house.start()
    banned(house, JOBS)
    house.commands.decide_approval(execution, "Gate", "Ask", ANNE, approve=True, summary="")
    house.settle()
    assert house.execution(execution).status == "Succeeded"


def test_an_approval_is_bound_to_each_of_them(house: House) -> None:
    gate = {"name": "Gate", "actions": [action("Ask", "Manual")]}
    house.apply(pipeline(sources(), gate, both("Prod")))
    asks_a_person(house)

    def seen(execution: str) -> Any:
        with house.database.read() as connection:
            return gather(connection, house.structures, house.execution(execution), "Gate")

    first = seen(house.start())
    assert first.document["artifacts"] == {"Web": WEB, "Jobs": JOBS}
    assert first.document["digest"] == WEB
    with house.database.begin() as connection:
        other = {"name": "Jobs", "digest": JOBS_2, "location": "s3://source/a.zip"}
        ledger.keep_artifact(connection, house.rows()[0].id, other)
    assert seen(house.rows()[0].id).hash != first.hash


def test_a_copy_of_another_artifact_is_not_deployed_for_it(house: House) -> None:
    def swapped(task: Task, _asked: int) -> Progress:
        made = tuple(Artifact(name, JOBS, "s3://prod/a.zip", "v1") for name in task.outputs)
        return Progress(Outcome.SUCCEEDED, handle="copied", artifacts=made)

    house.drivers["CodeDeployStop"].default = swapped
    stage = both("Prod")
    copies = action("Copy", "CodeDeployStop", outputArtifacts=[{"name": "Copy"}])
    copies["inputArtifacts"] = [{"name": "Web"}]
    web = {**stage["actions"][0], "inputArtifacts": [{"name": "Copy"}], "runOrder": 2}
    house.apply(pipeline(sources(), {**stage, "actions": [copies, web, stage["actions"][1]]}))
    execution = house.execution(house.start())
    assert (execution.status, WEB in execution.reason) == ("Failed", True)
    assert [task.action for task in house.drivers["CodeDeploy"].started] == ["DeployJobs"]


def test_a_person_goes_back_to_what_each_target_had_then(house: House) -> None:
    house.apply(pipeline(sources(), both("Prod")))
    first = release(house, WEB, JOBS)
    release(house, WEB, JOBS_2)
    house.commands.rollback("shop", "Prod", ANNE, reason="jobs are slow", to=first)
    house.wait(20)
    restored = [
        task.configuration["RevisionDigest"] for task in house.drivers["CodeDeployRestore"].started
    ]
    assert sorted(restored) == sorted([WEB, JOBS])
    assert quarantined(house) == {JOBS_2}, "not what the target had before"


def test_nobody_goes_back_to_what_is_banned_on_any_target(house: House) -> None:
    house.apply(pipeline(sources(), both("Prod")))
    first = release(house, WEB, JOBS)
    release(house, WEB, JOBS_2)
    banned(house, JOBS)
    with pytest.raises(CommandError, match=f"{JOBS} is in quarantine"):
        house.commands.rollback("shop", "Prod", ANNE, reason="slow", to=first)


def test_what_a_stack_needs_is_deployed_before_what_is_built_after_it(house: House) -> None:
    """A template first, then the application that is built on it: two artifacts, and both are tested."""
    house.drivers["CodeBuild"].default = lambda task, _asked: Progress(
        Outcome.SUCCEEDED,
        handle="b",
        artifacts=tuple(Artifact(n, WEB_2, "s3://built/a.zip", "v1") for n in task.outputs),
    )
    where = {"Account": "prod", "StackName": "network"}
    stack = action("Stack", "CloudFormation", configuration=where)
    stack["inputArtifacts"] = [{"name": "App"}]
    make = action("Make", "CodeBuild", outputArtifacts=[{"name": "Built"}])
    make["inputArtifacts"] = [{"name": "App"}]
    prod = deploying("Prod", watched=False)
    prod["actions"][0]["inputArtifacts"] = [{"name": "Built"}]
    stages = (
        source(),
        {"name": "Infra", "actions": [stack]},
        {"name": "Build", "actions": [make]},
        prod,
    )
    house.apply(pipeline(*stages))
    assert house.execution(house.start()).status == "Succeeded"
    assert house.drivers["CodeDeploy"].started[0].inputs[0].digest == WEB_2


def test_the_subject_follows_copies_and_knows_what_each_stage_deploys() -> None:
    stage = both("Prod", inputs=("Copy", "Jobs"))
    copies = action("Copy", "CodeDeployStop", outputArtifacts=[{"name": "Copy"}])
    copies["inputArtifacts"] = [{"name": "Web"}]
    stages = pipeline(
        sources(), both("Test"), {**stage, "actions": [copies, *stage["actions"]]}
    ).stages
    subject = subject_of(stages)
    assert subject.origins["Copy"] == "Web"
    assert subject.by_stage == ((), ("Web", "Jobs"), ("Web", "Jobs"))
    assert (subject.names, subject.ahead(3)) == (("Web", "Jobs"), ())
    assert built_for(stages) is None, "the first is a source's"


def test_a_build_is_told_which_input_only_names_a_commit_and_no_deployment_takes_it(
    house: House,
) -> None:
    uploads = source()
    uploads["actions"][0]["configuration"] = {"OutputArtifactFormat": "CODEBUILD_CLONE_REF"}
    make = action("Make", "CodeBuild", inputArtifacts=[{"name": "App"}])
    house.apply(
        pipeline(uploads, {"name": "Build", "actions": [make]}, deploying("Prod", watched=False))
    )
    execution = house.execution(house.start())
    assert [task.references for task in house.drivers["CodeBuild"].started] == [("App",)]
    assert (execution.status, "App only names a commit" in execution.reason) == ("Failed", True)
    assert not house.drivers["CodeDeploy"].started
