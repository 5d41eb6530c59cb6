"""A one-way door asks before it is gone through, and nobody but a person goes back through it."""

from typing import Any

import pytest

from controlplane.declarations.model import StageDeclaration
from controlplane.engine.one_way import NAME, guarded
from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.store import ledger
from monitors.base import Outcome, Verdict
from tests.support.house import ANNE, BAD, House, action, deploying, pipeline, source


@pytest.fixture
def house(empty: House) -> House:
    """Release 1 is good in Prod, release 2 waits in front of the door."""
    house = empty
    house.apply(pipeline(source(), deploying("Prod")))
    house.start()
    house.wait(20)
    house.apply(pipeline(source(), door()))
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["Manual"].default = answered
    return house


def answered(task: Any, _asked: int) -> Any:
    ended = Outcome.SUCCEEDED if task.answer else Outcome.RUNNING
    return after(0, ended, task.configuration["CustomData"])(task, 0)


def door(*others: dict[str, Any]) -> dict[str, Any]:
    stage = deploying("Prod")
    stage["actions"][0]["configuration"]["RollbackSafe"] = "false"
    return {**stage, "actions": [*others, *stage["actions"]]}


def through(house: House) -> str:
    execution = house.start()
    house.drivers["Manual"].default = after(0)
    house.wait(2)
    return execution


def test_a_person_is_asked_before_anything_is_deployed_and_told_why(house: House) -> None:
    begun = len(house.drivers["CodeDeploy"].started)
    execution = house.start()
    (asked,) = house.texts("approval.needed", execution)
    assert "Prod is a one-way door (rollbackSafe: false, " in asked
    assert len(house.drivers["CodeDeploy"].started) == begun


def test_what_comes_before_the_deployment_goes_on_before_the_question() -> None:
    stage = StageDeclaration.model_validate(door(action("Promote", "NoOp")))
    later = stage.actions[1].model_copy(update={"run_order": 2})
    (made,) = guarded([stage.model_copy(update={"actions": (stage.actions[0], later)})])
    assert [(a.name, a.run_order) for a in made.actions] == [
        ("Promote", 1),
        (NAME, 2),
        ("Deploy", 3),
    ]


def test_a_door_is_named_apart_from_what_is_there_and_other_stages_stay() -> None:
    stage = StageDeclaration.model_validate(door(action(NAME, "NoOp")))
    plain = StageDeclaration.model_validate(deploying("Dev"))
    made, same = guarded([stage, plain])
    assert [a.name for a in made.run_orders[0]] == [f"{NAME}1"]
    assert same is plain


def test_a_bad_verdict_behind_it_holds_and_pages_and_rolls_nothing_back(house: House) -> None:
    bad = through(house)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    house.wait(20)
    assert house.execution(bad).status == "Failed"
    assert house.rows()[0].id == bad, "no ROLLBACK execution follows"
    assert any("one-way door" in said for said in house.texts("person.paged", bad))
    with house.database.read() as connection:
        assert ledger.transition(connection, "shop", "Prod") is not None
        assert ledger.quarantined(connection) == {BAD}


def test_who_is_paged_does_not_wait_for_what_is_under_way(house: House) -> None:
    house.drivers["CodeDeploy"].default = after(30)
    bad = through(house)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    house.wait(6)
    assert house.stages(bad)["Prod"] == "Stopping"
    assert "followed to its end" in house.texts("person.paged", bad)[0]
    house.wait(300, step=5)
    assert house.stages(bad)["Prod"] == "Failed"


def test_a_person_may_go_back_all_the_same(house: House) -> None:
    bad = through(house)
    house.wait(20)
    assert house.commands.rollback("shop", "Prod", ANNE, reason="customers call") == bad
    house.wait(20)
    assert (house.rows()[0].type, house.rows()[0].rollback_state) == ("ROLLBACK", "done")


def test_a_release_may_be_a_one_way_door_in_a_pipeline_that_has_none(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    begun = len(house.drivers["CodeDeploy"].started)
    house.drivers["Manual"].default = after(2)
    bad = house.commands.start("shop", ANNE, one_way=True)
    house.settle()
    assert len(house.drivers["CodeDeploy"].started) == begun
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    house.wait(60)
    assert (house.execution(bad).status, house.rows()[0].id) == ("Failed", bad)
    assert any("one-way door" in said for said in house.texts("person.paged", bad))


def test_the_next_release_is_no_door_any_more(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.drivers["Manual"].default = after(0)
    house.commands.start("shop", ANNE, one_way=True)
    house.wait(20)
    assert "approval.needed" not in house.kinds(house.start())
