"""A failed stage tried again: what had succeeded is kept, with everything that hangs on it."""

from typing import Any

import pytest

from controlplane.sandbox.scripted import after, judging
from controlplane.store import ledger
from monitors.base import Outcome, Verdict
from tests.support.house import ANNE, GOOD, House, action, deploying, pipeline, source

PROD = "prod//shop/all"


@pytest.fixture
def house(empty: House) -> House:
    return empty


def checked() -> dict[str, Any]:
    """A stage that deploys, then checks, and only fails where the check does."""
    stage = deploying("Prod")
    stage["actions"].append(action("Smoke", "NoOp", 2))
    return {**stage, "onFailure": {"result": "FAIL"}}


def failed_check(house: House) -> str:
    """Deployed, then the check was red."""
    house.apply(pipeline(source(), checked()))
    house.drivers["NoOp"].scripts["Smoke"] = after(0, Outcome.FAILED, "red")
    execution = house.start()
    assert house.execution(execution).status == "Failed"
    house.drivers["NoOp"].scripts.clear()
    return execution


def test_a_retried_stage_is_watched_again_and_its_bake_ends(house: House) -> None:
    execution = failed_check(house)
    house.commands.retry(execution, "Prod", ANNE, all_actions=False)
    house.wait(30)
    assert house.execution(execution).status == "Succeeded"
    assert len(house.drivers["CodeDeploy"].started) == 1


def test_what_a_retry_made_good_is_the_last_known_good(house: House) -> None:
    execution = failed_check(house)
    house.commands.retry(execution, "Prod", ANNE, all_actions=False)
    house.wait(30)
    with house.database.read() as connection:
        (entry,) = ledger.entries(connection, PROD)
    assert (entry.digest, entry.status) == (GOOD, "GOOD")


def test_a_bad_signal_after_a_retry_still_rolls_back(house: House) -> None:
    execution = failed_check(house)
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    house.commands.retry(execution, "Prod", ANNE, all_actions=False)
    house.wait(10)
    assert "digest.quarantined" in house.kinds(execution)
    assert "person.paged" in house.kinds(execution), "there is nothing to go back to"


def test_a_retry_forgets_that_it_was_asked_to_stop(house: House) -> None:
    house.apply(pipeline(source(), {"name": "Test", "actions": [action("Slow", "NoOp")]}))
    house.drivers["NoOp"].scripts["Slow"] = after(2, Outcome.FAILED, "red")
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="wait")
    house.wait(20)
    assert house.execution(execution).status == "Failed"
    house.drivers["NoOp"].scripts.clear()
    house.commands.retry(execution, "Test", ANNE, all_actions=False)
    house.settle()
    assert house.execution(execution).status == "Succeeded"
