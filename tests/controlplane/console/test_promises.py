"""What a form says that its button will do is what happens once it is pressed."""

from pathlib import Path

import pytest

from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.store import queries
from monitors.base import Outcome, Verdict
from tests.support.doors import Doors
from tests.support.house import ANNE, BAD, action, deploying, pipeline, source

PAGE = "/pipelines/shop"


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def text_of(doors: Doors) -> str:
    return " ".join(doors.browser().get(PAGE).text.split())


def test_a_rollback_puts_back_quarantines_and_closes_the_way_in(doors: Doors) -> None:
    house = doors.house
    house.apply(pipeline(source(), deploying("Prod")))
    house.start()
    house.wait(20)
    house.drivers["S3"].default = source_of(BAD)
    house.start()
    house.wait(20)
    said = text_of(doors)
    assert f"put back and verified on prod//shop/all (now {BAD[7:19]})" in said
    assert "is in quarantine then, and the way into Prod closed, until a person says" in said
    house.commands.rollback("shop", "Prod", ANNE, reason="customers call")
    house.wait(30)
    with house.database.read() as connection:
        held = [row.digest for row in queries.quarantines_of(connection, "shop")]
        closed = [row.stage for row in queries.transitions(connection, "shop")]
    assert (house.rows()[0].rollback_state, held, closed) == ("done", [BAD], ["Prod"])


def test_a_bake_that_a_person_ends_makes_its_digest_known_good_and_goes_on(doors: Doors) -> None:
    house = doors.house
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    last = {"name": "Last", "actions": [action("Try", "NoOp")]}
    house.apply(pipeline(source(), deploying("Prod", ExtendUpTo="5s"), last))
    execution = house.start()
    house.wait(20)
    assert "counts as known good in Prod, and goes on to what comes behind it" in text_of(doors)
    house.commands.judge(execution, "Prod", ANNE, passes=True, reason="so")
    house.wait(5)
    assert "known good" in text_of(doors).split("What stands here")[1]
    assert house.stages(execution)["Last"] == "Succeeded"


def test_a_retry_runs_what_failed_and_nothing_twice(doors: Doors) -> None:
    house = doors.house
    actions = [action("Copy", "CodeBuild"), action("Try", "NoOp", 2)]
    house.apply(pipeline(source(), {"name": "Build", "actions": actions}))
    house.drivers["NoOp"].default = after(0, Outcome.FAILED, "no")
    execution = house.start()
    assert "Try runs again in Build for" in text_of(doors)
    house.drivers["NoOp"].default = after(0)
    house.commands.retry(execution, "Build", ANNE, all_actions=False)
    house.settle()
    assert house.stages(execution)["Build"] == "Succeeded"
    assert len(house.drivers["CodeBuild"].started) == 1


def test_who_waits_in_front_is_named_where_the_way_in_is_opened(doors: Doors) -> None:
    house = doors.house
    house.apply(pipeline(source(), deploying("Prod")))
    house.commands.disable_transition("shop", "Prod", ANNE, reason="a look")
    execution = house.start()
    assert "waits in front and goes in at once, if its gate lets it" in text_of(doors)
    house.commands.enable_transition("shop", "Prod", ANNE, reason="done")
    house.settle()
    assert house.stages(execution)["Prod"] == "Baking"
