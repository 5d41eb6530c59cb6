"""A stage that goes wrong starts nothing more, and forgets nothing that may have reached a vendor."""

from typing import Any

import pytest

from controlplane.sandbox.scripted import after, judging, source_of, succeed
from monitors.base import MonitorError, Outcome, Progress, Task, Verdict
from tests.support.house import ANNE, BAD, House, action, deploying, pipeline, source


@pytest.fixture
def house(empty: House) -> House:
    return empty


def two_targets() -> dict[str, Any]:
    """A stage that deploys to two groups side by side."""
    stage = deploying("Prod")
    where = {"Account": "prod", "ApplicationName": "shop", "DeploymentGroupName": "other"}
    other = action("Other", "CodeDeploy", configuration=where, inputArtifacts=[{"name": "App"}])
    return {**stage, "actions": [*stage["actions"], other]}


def bad_while_other_cannot_start(house: House) -> str:
    """Release 2 is under way on one target, and throttled on the other, when its alarm goes off."""
    house.apply(pipeline(source(), two_targets()))
    house.start()
    house.wait(40)
    house.drivers["S3"].default = source_of(BAD)
    deploying = house.drivers["CodeDeploy"]
    deploying.scripts = {
        "Deploy": after(1000),
        "Other": lambda _task, _asked: MonitorError("throttled"),
    }
    execution = house.start()
    house.wait(3)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    house.wait(6)
    return execution


def test_a_start_that_is_tried_again_does_not_hold_up_the_rollback(house: House) -> None:
    bad = bad_while_other_cannot_start(house)
    assert house.execution(bad).status == "Failed"
    assert house.rows()[0].rolls_back == bad


def test_a_stage_that_winds_down_tries_no_start_again(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", watched=False)))
    answers = iter([MonitorError("throttled")])
    house.drivers["CodeDeploy"].default = lambda task, asked: next(answers, succeed(task, asked))
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="wrong build")
    house.wait(60)
    assert house.execution(execution).status == "Stopped"
    assert not house.drivers["CodeDeploy"].asked, "nobody looked, for nothing was begun"
    assert [task.action for task in house.drivers["CodeDeploy"].stopped] == ["Deploy"]


def test_a_start_of_which_nobody_knows_how_it_went_is_undone(house: House) -> None:
    bad_while_other_cannot_start(house)
    house.wait(60)
    undone = {t.configuration["DeploymentToken"] for t in house.drivers["CodeDeployStop"].started}
    assert undone == {t.token for t in house.drivers["CodeDeploy"].started[-2:]}
    assert house.rows()[0].rollback_state == "done"


def test_a_start_that_failed_after_an_unknown_one_is_undone_too(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.start()
    house.wait(40)
    house.drivers["S3"].default = source_of(BAD)
    answers = iter([MonitorError("time-out")])
    refused = MonitorError("access denied", permanent=True)
    house.drivers["CodeDeploy"].default = lambda _task, _asked: next(answers, refused)
    house.start()
    house.wait(30)
    assert house.rows()[0].type == "ROLLBACK"


def test_a_start_that_was_refused_at_once_left_nothing_to_undo(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    refused = MonitorError("access denied", permanent=True)
    house.drivers["CodeDeploy"].default = lambda _task, _asked: refused
    execution = house.start()
    assert house.execution(execution).status == "Failed"
    assert "person.paged" not in house.kinds(execution)


def test_an_answer_that_came_in_time_counts_even_where_nobody_looked_until_later(
    house: House,
) -> None:
    approval = action("Gate", "Manual", timeoutInMinutes=5)
    house.apply(pipeline(source(), {"name": "Gate", "actions": [approval]}))
    house.drivers["Manual"].default = answered
    execution = house.start()
    house.commands.decide_approval(execution, "Gate", "Gate", ANNE, approve=True, summary="")
    house.clock.advance(400)
    house.settle()
    assert house.execution(execution).status == "Succeeded"


def answered(task: Task, _asked: int) -> Progress:
    """An approval, as the engine sees one: its handle is its token."""
    return Progress(Outcome.SUCCEEDED if task.answer else Outcome.RUNNING, handle=task.token)


def test_a_rollback_that_a_person_asks_for_is_not_lost_behind_a_failure(house: House) -> None:
    stage = two_targets()
    del stage["onFailure"]
    house.apply(pipeline(source(), stage))
    house.start()
    house.wait(40)
    house.drivers["S3"].default = source_of(BAD)
    failed = Progress(Outcome.FAILED, summary="no disk")
    house.drivers["CodeDeploy"].scripts = {"Deploy": lambda *_: failed, "Other": after(1000)}
    bad = house.start()
    house.wait(3)
    assert house.stages(bad)["Prod"] == "Stopping"  # Other is followed to its end
    house.commands.rollback("shop", "Prod", ANNE, reason="it will not get better")
    house.wait(20)
    assert house.rows()[0].rolls_back == bad
    assert [task.action for task in house.drivers["CodeDeployRestore"].started] == ["Restore-Other"]
