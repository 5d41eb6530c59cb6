"""The fleet says of each stage what a person needs to know of it, at the cost of one page whatever is on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from controlplane.engine.gate_commands import Scope
from controlplane.sandbox.scripted import after, judging
from controlplane.store.roles import Role
from monitors.base import Verdict
from tests.support.doors import Doors, asks_a_person
from tests.support.house import ANNE, House, action, deploying, gated, pipeline, rule, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def asks(house: House) -> None:
    asks_a_person(house)
    house.apply(pipeline(source(), {"name": "Prod", "actions": [action("Ask", "Manual")]}))
    house.start()


def deploys(house: House) -> None:
    house.drivers["CodeDeploy"].default = after(99)
    house.apply(pipeline(source(), deploying("Prod")))
    house.start()


def bakes(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", bake="60s")))
    house.start()


def is_held(house: House) -> None:
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.NO_DATA)
    bakes(house)
    house.wait(70)


def asks_whether_it_is_well(house: House) -> None:
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    house.apply(pipeline(source(), deploying("Prod", ExtendUpTo="5s")))
    house.start()
    house.wait(20)


def is_frozen(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.commands.freeze(Scope("shop", "Prod"), ANNE, reason="the <b>fair</b>")
    house.start()


def has_one_at_its_gate(house: House) -> None:
    noon = rule(
        "Noon",
        "DeploymentWindow",
        configuration={"Cron": "* * 12-13 ? * * *", "TimeZone": "UTC"},
    )
    house.apply(pipeline(source(), gated(deploying("Prod"), noon)))
    house.start()
    house.wait(5)


@pytest.mark.parametrize(
    ("made", "said", "glance"),
    [
        (asks, "Waits for approval", {"waitsFor": "approval"}),
        (deploys, "In progress", {}),
        (bakes, "Baking", {}),
        (is_held, "Bake held", {"held": "Alarm: NO_DATA"}),
        (
            asks_whether_it_is_well,
            "Asks: is it well?",
            {"waitsFor": "judgement", "held": "Alarm: INCONCLUSIVE"},
        ),
        (is_frozen, "frozen", {"frozen": "anne: the <b>fair</b>"}),
        (has_one_at_its_gate, "one waits at its gate", {}),
    ],
)
def test_a_stage_says_what_it_waits_for(
    doors: Doors, made: Callable[[House], None], said: str, glance: dict[str, str]
) -> None:
    made(doors.house)
    page = doors.browser(Role.VIEWER).get("/").text
    assert said in page and "<b>fair" not in page
    if made in (asks, is_held, bakes):
        whole = doors.browser(Role.VIEWER).get(f"/executions/{doors.house.rows()[0].id}").text
        assert f">{said}</p>" in whole
    [found] = doors.client(Role.VIEWER).get("/api/v1/pipelines").json()
    stage = found["stages"][1]
    told = {key: stage[key] for key in ("waitsFor", "held", "frozen")}
    assert told == {"waitsFor": "", "held": "", "frozen": "", **glance}
    assert stage["heldInFront"].startswith("waits at the gate") == (
        made in (is_frozen, has_one_at_its_gate)
    )


def test_what_is_over_says_nothing_of_it_any_more(doors: Doors) -> None:
    asks(doors.house)
    doors.house.commands.decide_approval(
        doors.house.rows()[0].id, "Prod", "Ask", ANNE, approve=True, summary=""
    )
    doors.house.settle()
    assert "Waits for approval" not in doors.browser().get("/").text


def test_a_page_of_many_costs_as_many_questions_as_a_page_of_one(doors: Doors) -> None:
    def questions() -> int:
        said: list[Any] = []

        def count(*_: object) -> None:
            said.append(1)

        engine = doors.house.database.engine
        event.listen(engine, "before_cursor_execute", count)
        assert browser.get("/").status_code == 200
        event.remove(engine, "before_cursor_execute", count)
        return len(said)

    browser = doors.browser()
    bakes(doors.house)
    browser.get("/")  # structures are parsed once
    one = questions()
    for name in ("till", "stock", "mail"):
        doors.house.apply(pipeline(source(), deploying("Test"), deploying("Prod"), name=name))
    browser.get("/")
    assert questions() == one
