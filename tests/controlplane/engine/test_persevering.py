"""A rollback of several targets brings back what it can, and says at once what it cannot."""

from typing import Any

import pytest

from controlplane.sandbox.scripted import Script, after, judging, source_of
from controlplane.store import ledger
from monitors.base import MonitorError, Task, Verdict
from tests.support.house import ANNE, BAD, GOOD, House, action, deploying, pipeline, source

NAMES = ("Deploy", "Other", "Third")


def three_targets() -> dict[str, Any]:
    stage = deploying("Prod", watched=True)
    for name in NAMES[1:]:
        where = {"Account": "prod", "ApplicationName": "shop", "DeploymentGroupName": name}
        more = action(name, "CodeDeploy", configuration=where, inputArtifacts=[{"name": "App"}])
        stage["actions"].append(more)
    return stage


@pytest.fixture
def house(empty: House) -> House:
    """Release 1 is good on three targets; release 2 has just gone bad on all."""
    house = empty
    house.apply(pipeline(source(), three_targets()))
    house.start()
    house.wait(20)
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    return house


def denied(*actions: str) -> Script:
    def script(task: Task, asked: int) -> Any:
        if task.action in actions:
            return MonitorError("access denied", permanent=True)
        return after(2)(task, asked)

    return script


def roll_back(house: House) -> Any:
    house.start()
    house.wait(120)
    return house.rows()[0]


def restored(house: House) -> list[str]:
    return [task.action for task in house.drivers["CodeDeployRestore"].started]


def standing(house: House, group: str) -> tuple[str, str]:
    with house.database.read() as connection:
        newest = ledger.entries(connection, f"prod//shop/{group}")[0]
    return newest.digest, newest.status


def test_a_restore_that_fails_keeps_no_other_from_going_back(house: House) -> None:
    house.drivers["CodeDeployRestore"].default = denied("Restore-Third")
    back = roll_back(house)
    assert (back.type, back.rollback_state) == ("ROLLBACK", "failed")
    assert restored(house) == ["Restore-Third", "Restore-Other", "Restore-Deploy"]
    assert "Restore-Third" in house.texts("person.paged", back.id)[0]
    assert standing(house, "Other") == (GOOD, "DEPLOYED")


def test_where_the_stop_failed_nothing_is_restored_and_elsewhere_all_is(house: House) -> None:
    house.drivers["CodeDeployStop"].default = denied("Stop-Other")
    back = roll_back(house)
    assert back.rollback_state == "failed"
    assert restored(house) == ["Restore-Third", "Restore-Deploy"]


def test_a_person_is_paged_once_while_the_rest_goes_on(house: House) -> None:
    house.drivers["CodeDeployStop"].default = denied("Stop-Other")
    house.drivers["CodeDeployRestore"].default = after(30)
    house.start()
    house.wait(8)
    back = house.rows()[0]
    assert back.status == "InProgress"
    (said,) = house.texts("person.paged", back.id)
    assert said.startswith("Stop-Other failed, the rest of the rollback goes on: access denied")


def test_what_is_not_wholly_back_is_not_verified(house: House) -> None:
    house.drivers["CodeDeployRestore"].default = denied("Restore-Deploy")
    roll_back(house)
    assert not house.drivers["CloudWatchAlarmRecovered"].started


def test_a_person_who_stops_it_is_heard(house: House) -> None:
    house.drivers["CodeDeployStop"].default = denied("Stop-Other")
    house.drivers["CodeDeployRestore"].default = after(1000)
    house.start()
    house.wait(8)
    back = house.rows()[0]
    house.commands.stop(back.id, ANNE, abandon=True, reason="by hand now")
    house.wait(5)
    assert house.execution(back.id).status == "Failed"


def test_an_ordinary_stage_ends_at_its_first_failure(house: House) -> None:
    house.drivers["CodeDeploy"].default = denied("Other")
    bad = house.start()
    house.wait(60)
    assert house.execution(bad).status == "Failed"
    assert house.rows()[0].rolls_back == bad
