"""A person rolls back: what is finished, what failed to roll back, and what there is nothing of."""

import pytest

from controlplane.engine.refusals import CommandError
from controlplane.sandbox.scripted import after, source_of, succeed
from monitors.base import Outcome
from tests.support.house import ANNE, BAD, GOOD, House, action, deploying, pipeline, source


@pytest.fixture
def house(empty: House) -> House:
    """Release 1 is the last known good, release 2 went through after it."""
    house = empty
    house.apply(pipeline(source(), deploying("Prod")))
    house.start()
    house.wait(20)
    house.drivers["S3"].default = source_of(BAD)
    house.start()
    house.wait(20)
    return house


def ask(house: House) -> str:
    return house.commands.rollback("shop", "Prod", ANNE, reason="customers call")


def test_nobody_enters_a_stage_while_it_is_rolled_back(house: House) -> None:
    house.drivers["CodeDeployRestore"].default = after(1000)
    house.drivers["S3"].default = source_of("sha256:" + "c" * 64)
    ask(house)
    house.commands.enable_transition("shop", "Prod", ANNE, reason="too early")
    third = house.start()
    house.wait(20)
    assert house.stages(third)["Prod"] == "Inbound"


@pytest.mark.parametrize("part", ["CodeDeployStop", "CodeDeployRestore"])
def test_a_rollback_that_failed_can_be_asked_for_again(house: House, part: str) -> None:
    house.drivers[part].default = after(0, Outcome.FAILED, "NO_INSTANCES")
    bad = ask(house)
    house.wait(20)
    assert house.rows()[0].rollback_state == "failed"
    house.drivers[part].default = succeed
    assert ask(house) == bad
    house.wait(20)
    assert (house.rows()[0].rolls_back, house.rows()[0].rollback_state) == (bad, "done")


def test_a_rollback_that_is_done_is_not_rolled_back(house: House) -> None:
    ask(house)
    house.wait(20)
    with pytest.raises(CommandError, match="itself a rollback"):
        ask(house)


def test_a_rollback_under_way_is_not_asked_for_twice(house: House) -> None:
    house.drivers["CodeDeployRestore"].default = after(1000)
    ask(house)
    with pytest.raises(CommandError, match="already"):
        ask(house)


def test_a_stage_that_deploys_nothing_cannot_be_rolled_back(house: House) -> None:
    checks = {"name": "Prod", "actions": [action("Smoke", "NoOp")]}
    house.apply(pipeline(source(), checks, name="other"))
    house.start("other")
    with pytest.raises(CommandError, match="nothing was ever deployed"):
        house.commands.rollback("other", "Prod", ANNE, reason="r")


THIRD = "sha256:" + "c" * 64


def restored(house: House) -> list[str]:
    done = house.drivers["CodeDeployRestore"].started
    return [task.configuration["RevisionDigest"] for task in done]


def test_a_person_names_which_release_comes_back(house: House) -> None:
    _, first = (row.id for row in house.rows())
    changed = deploying("Prod", bake="20s")
    house.apply(
        pipeline(source(), changed)
    )  # another version of the structure keeps no way back closed
    house.drivers["S3"].default = source_of(THIRD)
    house.start()
    house.wait(30)
    bad = house.commands.rollback("shop", "Prod", ANNE, reason="both are bad", to=first)
    house.wait(20)
    assert restored(house) == [GOOD]
    assert (house.rows()[0].rolls_back, house.rows()[0].rollback_state) == (bad, "done")
    assert house.rows()[0].restores == f"Prod/{first}"


def test_a_name_holds_while_what_is_under_way_is_stopped(house: House) -> None:
    _, first = (row.id for row in house.rows())
    house.drivers["S3"].default = source_of(THIRD)
    house.drivers["CodeDeploy"].default = after(1000)
    house.start()
    house.commands.rollback("shop", "Prod", ANNE, reason="wrong", to=first)
    house.wait(20)
    assert restored(house) == [GOOD]


def test_what_cannot_come_back_is_refused_and_nothing_is_written(house: House) -> None:
    second, first = (row.id for row in house.rows())
    with pytest.raises(CommandError, match="taken away"):
        house.commands.rollback("shop", "Prod", ANNE, reason="r", to=second)
    with pytest.raises(CommandError, match="no execution"):
        house.commands.rollback("shop", "Prod", ANNE, reason="r", to="none")
    house.commands.rollback("shop", "Prod", ANNE, reason="r")
    house.wait(20)
    house.commands.enable_transition("shop", "Prod", ANNE, reason="on")
    house.drivers["S3"].default = source_of(THIRD)
    house.start()
    house.wait(20)
    with pytest.raises(CommandError, match="in quarantine"):
        house.commands.rollback("shop", "Prod", ANNE, reason="r", to=second)
    back = next(row.id for row in house.rows() if row.type == "ROLLBACK")
    with pytest.raises(CommandError, match="itself a rollback"):
        house.commands.rollback("shop", "Prod", ANNE, reason="r", to=back)
    assert house.execution(first).status == "Succeeded"
    assert len([row for row in house.rows() if row.type == "ROLLBACK"]) == 1
