"""Release after release goes bad: each is rolled back, and then no other is let in."""

import pytest

from controlplane.sandbox.scripted import judging, source_of
from controlplane.store import ledger, queries
from monitors.base import Verdict
from tests.support.house import ANNE, House, deploying, pipeline, source

HOUR = 3600


def limited(**said: str) -> dict[str, object]:
    stage = deploying("Prod", bake="2s")
    stage["actions"][0]["configuration"] |= said
    return stage


@pytest.fixture
def house(empty: House) -> House:
    house = empty
    house.apply(pipeline(source(), deploying("Dev", bake="2s"), limited(MaxRollbacks="2")))
    house.start()
    house.wait(20)
    watching = house.drivers["CloudWatchAlarm"]
    watching.scripts["Alarm"] = lambda task, asked: judging(
        Verdict.FAIL if task.stage == "Prod" else Verdict.PASS
    )(task, asked)
    return house


def bad_release(house: House, letter: str) -> str:
    """It goes bad in Prod and is rolled back; then a person resumes Prod."""
    house.drivers["S3"].default = source_of("sha256:" + letter * 64)
    execution = house.start()
    house.wait(20)
    assert (house.rows()[0].rolls_back, house.rows()[0].rollback_state) == (execution, "done")
    house.commands.enable_transition("shop", "Prod", ANNE, reason="once more")
    return execution


def held(house: House) -> dict[str, str]:
    with house.database.read() as connection:
        return {row.stage: row.reason for row in queries.transitions(connection, "shop")}


def test_the_second_in_the_window_is_rolled_back_and_holds_the_way_in(house: House) -> None:
    bad_release(house, "c")
    assert held(house) == {}
    second = bad_release(house, "d")
    assert list(held(house)) == ["Dev"]
    assert "2 releases went bad here within 24 h" in held(house)["Dev"]
    assert any("the circuit breaker tripped" in s for s in house.texts("person.paged", second))


def test_the_next_release_waits_until_a_person_resumes_the_pipeline(house: House) -> None:
    bad_release(house, "c")
    bad_release(house, "d")
    house.drivers["S3"].default = source_of("sha256:" + "e" * 64)
    third = house.start()
    house.wait(5)
    assert house.stages(third)["Dev"] == "Inbound"
    house.commands.enable_transition("shop", "Dev", ANNE, reason="the cause is mended")
    house.wait(5)
    assert house.stages(third)["Dev"] != "Inbound"


def test_what_lies_before_the_window_does_not_count(house: House) -> None:
    bad_release(house, "c")
    house.wait(25 * HOUR, step=6 * HOUR)
    bad_release(house, "d")
    assert held(house) == {}


def test_a_reason_of_ours_gives_way_and_a_persons_stays(house: House) -> None:
    row = {"pipeline": "shop", "stage": "Dev", "disabled_at": 1.0}
    with house.database.begin() as connection:
        ledger.disable_transition(connection, {**row, "disabled_by": "anne", "reason": "freeze"})
        ledger.close_for_good(connection, {**row, "disabled_by": "towpath", "reason": "breaker"})
    assert held(house) == {"Dev": "freeze"}
