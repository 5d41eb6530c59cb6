"""What a person abandoned goes on outside: it is followed to its end, and nothing else of it goes on."""

from typing import Any

import pytest

from controlplane.engine.calls import PATIENCE
from controlplane.engine.extending import Extension
from controlplane.engine.rows import DAY, LONGEST_LEFT
from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.store import archive, executions, queries, tally
from monitors.base import MonitorError, Outcome, Progress, Verdict
from tests.support.house import ANNE, BAD, House, action, deploying, pipeline, source


@pytest.fixture
def house(empty: House) -> House:
    return empty


def unwatched() -> dict[str, Any]:
    """A stage without rules."""
    return deploying("Prod", watched=False)


def abandoned(house: House, script: Any, stage: dict[str, Any] | None = None) -> str:
    """An execution whose deployment runs by this script, and is abandoned."""
    house.apply(pipeline(source(), stage or unwatched()))
    house.drivers["CodeDeploy"].default = script
    execution = house.start()
    house.wait(2)
    house.commands.stop(execution, ANNE, abandon=True, reason="let it be")
    assert house.execution(execution).status == "Stopped"
    return execution


def left(house: House, execution: str) -> list[str]:
    """How what was left stands."""
    with house.database.read() as connection:
        rows = queries.actions_of_execution(connection, execution)
    return [row.status for row in rows if row.kind == "abandoned"]


@pytest.mark.parametrize(
    ("end", "kind", "pages"),
    [(Outcome.SUCCEEDED, "abandoned.succeeded", 0), (Outcome.FAILED, "abandoned.failed", 1)],
)
def test_a_deployment_without_rules_is_followed_to_its_end(
    house: House, end: Outcome, kind: str, pages: int
) -> None:
    execution = abandoned(house, after(6, end, "as it went"))
    assert left(house, execution) == ["InProgress"]
    house.wait(90)
    assert house.texts(kind, execution) == ["as it went"]
    assert house.kinds(execution).count("person.paged") == pages
    assert len(house.drivers["CodeDeploy"].started) == 1
    assert house.drivers["CodeDeploy"].stopped == []


@pytest.mark.parametrize("platform", ["CloudFormation", "CodeDeploy"])
def test_every_deployment_of_a_stage_is_followed(house: House, platform: str) -> None:
    where = {
        "Account": "prod",
        "StackName": "net",
        "ApplicationName": "a",
        "DeploymentGroupName": "b",
    }
    other = action("Other", platform, configuration=where, inputArtifacts=[{"name": "App"}])
    stage = unwatched()
    house.drivers["CloudFormation"].default = after(9)
    execution = abandoned(house, after(6), {**stage, "actions": [*stage["actions"], other]})
    house.wait(120)
    assert left(house, execution) == ["Succeeded", "Succeeded"]


def test_nothing_of_the_execution_goes_on_behind_it(house: House) -> None:
    stage = unwatched()
    later = action("Later", "NoOp", order=2)
    build = action("Build", "CodeBuild")
    stage["actions"] = [*stage["actions"], build, later]
    house.drivers["CodeBuild"].default = after(1000)
    execution = abandoned(house, after(6), stage)
    house.wait(90)
    assert left(house, execution) == ["Succeeded"]
    assert house.drivers["NoOp"].started == []
    assert house.execution(execution).status == "Stopped"
    assert house.stages(execution) == {"Source": "Succeeded", "Prod": "Stopped"}


def test_what_was_told_to_wait_may_be_abandoned_and_is_followed(house: House) -> None:
    house.apply(pipeline(source(), unwatched()))
    house.drivers["CodeDeploy"].default = after(20)
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="wait")
    house.wait(5)
    assert left(house, execution) == []
    house.commands.stop(execution, ANNE, abandon=True, reason="too long")
    house.wait(120)
    assert left(house, execution) == ["Succeeded"]


def test_no_error_ends_it_and_a_person_hears_once_that_it_cannot_be_read(house: House) -> None:
    refused = MonitorError("access denied", permanent=True)

    def script(task: Any, asked: int) -> Progress | MonitorError:
        return refused if 1 < asked < PATIENCE + 9 else after(PATIENCE + 9)(task, asked)

    execution = abandoned(house, script)
    house.wait(600, step=5)
    assert house.kinds(execution).count("person.paged") == 1
    assert left(house, execution) == ["Succeeded"]


def test_calls_that_are_held_back_after_that_page_nobody_anew(house: House) -> None:
    def script(task: Any, asked: int) -> Progress | MonitorError:
        if asked <= PATIENCE:
            return MonitorError("time-out") if asked else after(1)(task, asked)
        if asked < PATIENCE + 9:
            return MonitorError("the circuit is open", postponed=True)
        return after(PATIENCE)(task, asked)

    execution = abandoned(house, script)
    house.wait(600, step=5)
    assert house.kinds(execution).count("person.paged") == 1
    assert left(house, execution) == ["Succeeded"]


def test_what_never_ends_is_followed_no_longer_and_stopped_by_nobody(house: House) -> None:
    execution = abandoned(house, after(10**6))
    house.wait(LONGEST_LEFT + DAY, step=DAY / 2)
    assert left(house, execution) == ["Failed"]
    assert house.drivers["CodeDeploy"].stopped == []
    assert house.kinds(execution).count("person.paged") == 1


def test_what_was_given_up_before_the_last_start_was_answered_is_watched(house: House) -> None:
    """The stage ends a while after the deployment was abandoned: it waits for another's first call."""
    stage = deploying("Prod", bake="10m")
    where = {"Account": "prod", "StackName": "net"}
    other = action("Other", "CloudFormation", configuration=where, inputArtifacts=[{"name": "App"}])
    house.apply(pipeline(source(), {**stage, "actions": [*stage["actions"], other]}))
    house.drivers["CodeDeploy"].default = after(1000)
    house.drivers["CloudFormation"].default = lambda *_: MonitorError("time-out")
    house.drivers["CloudFormation"].stop = lambda task: None  # type: ignore[method-assign] # noqa: ARG005
    execution = house.start()
    house.wait(2)
    house.commands.stop(execution, ANNE, abandon=True, reason="let it be")
    assert house.execution(execution).status == "InProgress"
    house.wait(120, step=5)
    assert "watch.begun" in house.kinds(execution)


def test_its_watch_ends_no_sooner_than_a_person_asked_for(house: House) -> None:
    def watched() -> float:
        with house.database.read() as connection:
            return float(executions.of_execution(connection, slow)[-1].watch_until)

    slow = abandoned(house, after(20), deploying("Prod", bake="1m"))
    asked = house.commands.extend_bake(slow, "Prod", ANNE, Extension(600, "odd"))
    house.wait(240, step=5)
    assert (left(house, slow), watched()) == (["Succeeded"], asked)
    later = house.commands.extend_bake(slow, "Prod", ANNE, Extension(1, "odder"))
    assert later == watched() == asked + 60


def test_what_was_rolled_back_since_pages_nobody(house: House) -> None:
    house.apply(pipeline(source(), unwatched()))
    house.start()
    house.wait(5)
    house.drivers["S3"].default = source_of(BAD)
    execution = abandoned(house, after(20, Outcome.FAILED))
    house.commands.rollback("shop", "Prod", ANNE, reason="take it away")
    house.wait(120)
    assert left(house, execution) == ["Failed"]
    assert "person.paged" not in house.kinds(execution)


def test_its_watch_lasts_until_it_has_ended_and_its_bake_after_it(house: House) -> None:
    slow = abandoned(house, after(60), deploying("Prod", bake="1m"))
    house.wait(240, step=5)
    assert left(house, slow) == ["InProgress"]
    assert "watch.ended" not in house.kinds(slow)
    house.wait(120, step=5)
    assert left(house, slow) == ["Succeeded"]
    house.wait(180, step=5)
    assert "watch.ended" in house.kinds(slow)


def test_what_goes_bad_long_after_it_was_abandoned_is_rolled_back(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", bake="1m")))
    house.start()
    house.wait(90, step=5)
    house.drivers["S3"].default = source_of(BAD)
    slow = abandoned(house, after(60), deploying("Prod", bake="1m"))
    house.wait(240, step=5)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    house.wait(90, step=5)
    assert house.rows()[0].rolls_back == slow


def test_it_is_not_archived_while_it_goes_on(house: House) -> None:
    house.in_step_with_ids()  # what is archived is looked for by them
    slow = abandoned(house, after(1000))
    house.drivers["CodeDeploy"].default = lambda task, asked: after(
        1000 if task.execution == slow else 1
    )(task, asked)
    house.start()
    house.wait(30, step=10)
    far = house.clock().timestamp() + 1000

    def may_go() -> list[str]:
        with house.database.begin() as connection:
            tally.fold(connection)
            return archive.finished(connection, far, "", 10)

    assert slow not in may_go()
    house.drivers["CodeDeploy"].default = after(1)
    house.wait(60, step=10)
    assert left(house, slow) == ["Succeeded"]
    house.start()  # who holds the highest numbers stays, too
    assert slow in may_go()


@pytest.mark.parametrize(("refusals", "pages"), [(3, 0), (1000, 1)])
def test_a_start_that_may_have_gone_out_is_undone_however_often_that_must_be_tried(
    house: House, refusals: int, pages: int
) -> None:
    house.apply(pipeline(source(), unwatched()))
    driver = house.drivers["CodeDeploy"]
    driver.default = lambda *_: MonitorError("time-out")
    tried: list[str] = []

    def stop(task: Any) -> None:
        tried.append(task.token)
        if len(tried) <= refusals:
            raise MonitorError("throttled")

    driver.stop = stop  # type: ignore[method-assign]
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=True, reason="let it be")
    house.wait(600, step=5)
    assert house.execution(execution).status == "Stopped"
    assert len(tried) == min(refusals + 1, PATIENCE)
    assert house.kinds(execution).count("person.paged") == pages


def test_a_stop_that_only_waits_for_its_turn_is_not_given_up(house: House) -> None:
    """The lease ran out before it was sent, or we held our own calls back: nobody was asked."""
    house.apply(pipeline(source(), unwatched()))
    driver = house.drivers["CodeDeploy"]
    driver.default = lambda *_: MonitorError("time-out")
    tried: list[str] = []

    def stop(task: Any) -> None:
        tried.append(task.token)
        if len(tried) == 1:
            raise MonitorError("not yet", postponed=True)

    driver.stop = stop  # type: ignore[method-assign]
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="wait")
    house.wait(60, step=5)
    assert (house.execution(execution).status, len(tried)) == ("Stopped", 2)
