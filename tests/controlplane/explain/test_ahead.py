"""What comes next is told for every state in which an execution can be, with its time where that is known."""

from pathlib import Path
from typing import Any

import pytest

from controlplane.sandbox.scripted import after, judging
from monitors.base import Verdict
from tests.support.doors import asks_a_person
from tests.support.explained import rolled_back, why
from tests.support.house import ANNE, House, action, deploying, gated, pipeline, rule, source


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def ahead(house: House, execution: str) -> list[tuple[str | None, str]]:
    return [(step["at"], step["text"]) for step in why(house, execution)["ahead"]]


def test_a_bake_ends_at_its_time_and_then_comes_the_next_stage(house: House) -> None:
    house.apply(pipeline(source(), deploying("Test", bake="60s"), deploying("Prod")))
    told = ahead(house, house.start())
    assert told[0][0] == "2026-01-05T09:01:00.000Z" and "The bake of Test ends" in told[0][1]
    assert told[1:] == [(None, "Then Prod.")]


def test_an_approval_waits_for_a_person(house: House) -> None:
    asks_a_person(house)
    gate = {"name": "Gate", "actions": [action("Ask", "Manual"), action("Try", "NoOp", 2)]}
    house.apply(pipeline(source(), gate, deploying("Prod")))
    assert [text for _, text in ahead(house, house.start())] == [
        "A person approves or rejects Ask.",
        "Gate goes on with Try.",
        "Then Prod.",
    ]


def test_a_deployment_that_runs_is_followed_by_its_bake(house: House) -> None:
    house.drivers["CodeDeploy"].default = after(99)
    house.apply(pipeline(source(), deploying("Prod", bake="60s")))
    assert ahead(house, house.start()) == [
        (None, "Prod bakes for 60 s once all of that is done."),
    ]


def test_who_waits_at_a_gate_goes_in_by_itself_when_it_opens(house: House) -> None:
    window = {"Cron": "* * 12-13 ? * * *", "TimeZone": "UTC"}
    closed = rule("Noon", "DeploymentWindow", configuration=window)
    house.apply(pipeline(source(), gated(deploying("Prod"), closed)))
    execution = house.start()
    house.wait(5)
    (told, *_) = ahead(house, execution)
    assert told[0] is not None and told[0].startswith("2026-01-05T12:00:00")
    assert "goes into Prod by itself as soon as it may (waits at the gate: Noon" in told[1]


def test_a_bake_that_asked_a_person_waits_for_him(house: House) -> None:
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    house.apply(pipeline(source(), deploying("Prod", ExtendUpTo="5s")))
    execution = house.start()
    house.wait(20)
    assert ahead(house, execution) == [
        (None, "A person says whether Prod is well, or rolls it back.")
    ]


def test_what_has_ended_has_nothing_to_come_unless_it_is_watched(house: House) -> None:
    bad = rolled_back(house)
    assert ahead(house, bad) == ahead(house, house.rows()[0].id) == []
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.PASS)
    house.apply(pipeline(source(), deploying("Prod", Watch="1h"), name="watched"))
    house.commands.lift_quarantine(house.execution(bad).digest, ANNE, reason="so")
    execution = house.start("watched")
    house.wait(20)
    ((at, text),) = ahead(house, execution)
    assert at is not None and "until then a breach rolls it back" in text


def test_an_action_says_where_it_acted_and_where_to_look(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    document: dict[str, Any] = why(house, house.start())
    (prod,) = [stage for stage in document["stages"] if stage["stage"] == "Prod"]
    (deploy,) = prod["actions"]
    assert (deploy["name"], deploy["provider"], deploy["account"]) == (
        "Deploy",
        "CodeDeploy",
        "prod",
    )
    assert (deploy["status"], deploy["url"]) == ("Succeeded", "")
