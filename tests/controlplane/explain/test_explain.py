"""An explanation tells what was deployed, measured, decided and done about it, in the order of time."""

from pathlib import Path
from typing import Any

import pytest

from controlplane.explain.steps import FIRST, NEWEST, bounded
from controlplane.sandbox.scripted import after, judging, measuring
from monitors.base import Outcome, Verdict
from tests.support.explained import AFTER, BEFORE, rolled_back, why
from tests.support.house import ANNE, BAD, GOOD, House, action, deploying, pipeline, source


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def prod(document: dict[str, Any]) -> dict[str, Any]:
    return next(stage for stage in document["stages"] if stage["stage"] == "Prod")


def said(stage: dict[str, Any]) -> list[str]:
    return [step["text"] for step in stage["steps"]]


def test_a_rollback_is_explained_in_one_sentence(house: House) -> None:
    document = why(house, rolled_back(house))
    assert document["outcome"].startswith(f"Prod was rolled back to {GOOD[:19]}")
    assert "p95 812 ms" in document["outcome"]
    (back,) = document["rollbacks"]
    assert (back["stage"], back["state"], back["digest"]) == ("Prod", "done", GOOD)
    assert back["seconds"] is not None


def test_the_verdict_is_told_with_what_followed_from_it(house: House) -> None:
    steps = said(prod(why(house, rolled_back(house))))
    (verdict,) = [step for step in steps if "FAIL" in step]
    assert verdict.startswith("Alarm FAIL at 09:00:") and verdict.endswith("→ roll back")
    order = ["Alarm FAIL", "Prod failed", "quarantined", "decided to roll back", "the rollback is"]
    places = [next(n for n, step in enumerate(steps) if step.startswith(one)) for one in order]
    assert places == sorted(places)


def test_it_says_what_was_deployed_where_and_how_it_fared(house: House) -> None:
    (deployed,) = prod(why(house, rolled_back(house)))["deployments"]
    assert (deployed["target"], deployed["digest"], deployed["fared"]) == (
        "prod//shop/all",
        BAD,
        "BAD",
    )


def test_the_decision_names_the_rule(house: House) -> None:
    decided = prod(why(house, rolled_back(house)))["decision"]
    assert (decided["cause"], decided["by"], decided["act"]) == (
        "bad signal",
        "Alarm",
        "roll back",
    )


def test_the_chart_has_the_points_of_the_verdict_on_both_sides(house: House) -> None:
    (rule,) = prod(why(house, rolled_back(house)))["rules"]
    chart = rule["chart"]
    assert [value for _, value in chart["before"]] == list(BEFORE)
    assert [value for _, value in chart["after"]] == list(AFTER)
    assert chart["before"][-1][0] < chart["deployedAt"] <= chart["after"][0][0]
    last = rule["runs"][-1]
    assert (last["verdict"], last["chance"], last["power"]) == ("FAIL", 0.001, 0.9)


def test_a_release_that_went_through_keeps_the_points_of_its_last_look(house: House) -> None:
    seen = [float(n) for n in range(10)]
    house.drivers["CloudWatchAlarm"].default = measuring(BEFORE, seen, Verdict.PASS)
    house.apply(pipeline(source(), deploying("Prod")))
    execution = house.start()
    assert why(house, execution)["outcome"] == "It bakes in Prod."
    house.wait(20)
    document = why(house, execution)
    assert document["outcome"] == "It went through Source, Prod."
    (rule,) = prod(document)["rules"]
    assert len(rule["chart"]["after"]) == rule["looks"] > 1
    assert prod(document)["decision"] is None


def test_a_hold_is_told_and_blames_nobody(house: House) -> None:
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.UNREACHABLE)
    house.apply(pipeline(source(), deploying("Prod")))
    execution = house.start()
    house.wait(30)
    document = why(house, execution)
    assert document["outcome"] == "It bakes in Prod, held: Alarm: UNREACHABLE."
    assert any(step.endswith("→ hold and page") for step in said(prod(document)))


def test_a_stage_that_declares_no_rollback_says_so(house: House) -> None:
    stage = deploying("Prod")
    stage["onSuccess"]["conditions"][0]["result"] = "FAIL"
    house.apply(pipeline(source(), stage))
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    execution = house.start()
    house.wait(20)
    steps = said(prod(why(house, execution)))
    assert any("→ the stage fails, nothing is rolled back" in step for step in steps)


def test_each_try_of_a_stage_has_its_own_steps(house: House) -> None:
    house.apply(pipeline(source(), {"name": "Prod", "actions": [action("Try", "NoOp")]}))
    house.drivers["NoOp"].default = after(0, Outcome.FAILED, "red")
    execution = house.start()
    house.wait(5)
    house.drivers["NoOp"].default = after(0)
    house.commands.retry(execution, "Prod", ANNE, all_actions=True)
    house.settle()
    stages = why(house, execution)["stages"]
    assert [stage["attempt"] for stage in stages] == [1, 1, 2]
    assert "Try failed: red" in said(stages[1])
    assert "Try succeeded" in said(stages[2])


def test_the_rollback_itself_is_explained_too(house: House) -> None:
    bad = rolled_back(house)
    document = why(house, house.rows()[0].id)
    assert document["rollsBack"] == bad
    assert document["outcome"].endswith("and is done.")
    assert "the rollback is done: shop is back" in said(prod(document))


def test_a_first_release_that_is_bad_says_that_a_person_was_paged(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    execution = house.start()
    house.wait(20)
    document = why(house, execution)
    assert prod(document)["decision"]["act"] == "roll back, and page" or (
        prod(document)["decision"]["act"] == "hold and page"
    )
    assert any(step.startswith("a person was paged") for step in said(prod(document)))


def test_a_signal_that_flaps_is_told_by_its_newest_changes(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", bake="300s")))
    flapping = judging(*[Verdict.PASS, Verdict.INCONCLUSIVE] * 40)
    house.drivers["CloudWatchAlarm"].default = flapping
    execution = house.start()
    house.wait(180, step=5)
    (rule,) = prod(why(house, execution))["rules"]
    assert len(rule["runs"]) == 20 and rule["leftOut"] > 0


def test_a_long_story_is_told_by_its_beginning_and_its_end() -> None:
    every = [{"text": str(n), "kind": "", "action": "", "verdict": ""} for n in range(2_000)]
    told = bounded(every)
    assert (told[0]["text"], told[-1]["text"]) == ("0", "1999")
    assert len(told) == FIRST + NEWEST + 1
    assert "left out" in told[FIRST]["text"]
