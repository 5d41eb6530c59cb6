"""A person has a bake, or a watch, last longer: never shorter, within bounds, and its rules go on judging."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.api.documents import Documents
from controlplane.engine.bake import ends, why_not_judged
from controlplane.engine.extending import LONGEST, Extension, mark
from controlplane.engine.refusals import CommandError, Problem
from controlplane.sandbox.scripted import after, judging
from controlplane.states import StageStatus as S
from controlplane.store import audit, executions
from monitors.base import Judgement, Outcome, Progress, Verdict
from tests.support.baking import LENGTH, Bake
from tests.support.explained import why
from tests.support.house import ANNE, House, deploying, pipeline, source

V = Verdict


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def baking(house: House, **said: Any) -> str:
    """An execution whose bake of a minute in Test has begun; Prod comes behind."""
    house.apply(pipeline(source(), deploying("Test", bake="60s", **said), deploying("Prod")))
    return house.start()


def row(house: House, execution: str, stage: str = "Test") -> Any:
    with house.database.read() as connection:
        rows = executions.of_execution(connection, execution)
    return [one for one in rows if one.stage == stage][-1]


def extend(
    house: House, execution: str, minutes: int = 5, reason: str = "odd", seen: str = ""
) -> float:
    asked = Extension(minutes, reason, seen)
    return house.commands.extend_bake(execution, "Test", ANNE, asked)


def refused(asks: Callable[[], Any]) -> tuple[Problem, str]:
    with pytest.raises(CommandError) as caught:
        asks()
    return caught.value.problem, str(caught.value)


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_a_bake_ends_at_the_later_of_its_own_time_and_a_persons(asked: float, at: float) -> None:
    bake = Bake({"Alarm": {}})
    bake.marks["bake_until"] = asked
    assert ends(bake.view(), 0) == max(LENGTH, asked)
    assert (bake.look(at, {"Alarm": V.PASS}) is S.SUCCEEDED) == (at >= max(LENGTH, asked))


def test_a_bake_that_was_extended_ends_early_no_more_and_may_be_judged_no_sooner() -> None:
    bake = Bake({"Alarm": {"EndEarly": "true"}})
    bake.marks |= {"bake_until": 300.0, "held": "Alarm: NO_DATA"}
    assert bake.look(200, {"Alarm": V.PASS}, power=1.0) is S.BAKING
    assert "goes on until" in why_not_judged(bake.view(), 200)


def test_what_is_short_of_samples_at_the_new_end_is_extended_from_there() -> None:
    bake = Bake({"Alarm": {"ExtendUpTo": "50s"}})
    bake.marks["bake_until"] = 300.0
    bake.look(301, {"Alarm": V.INCONCLUSIVE})
    assert bake.marks["extended_until"] == 350


def test_it_bakes_for_so_much_longer_and_then_ends_by_itself(house: House) -> None:
    execution = baking(house)
    began = row(house, execution).baking_since
    assert extend(house, execution) == began + 360
    house.wait(350, step=10)
    assert house.stages(execution) == {"Source": "Succeeded", "Test": "Baking"}
    step = why(house, execution)["ahead"][0]
    assert step["at"] == "2026-01-05T09:06:00.000Z"
    house.wait(30)
    assert house.stages(execution)["Test"] == "Succeeded"


def test_a_breach_acts_in_the_extension_as_before(house: House) -> None:
    execution = baking(house)
    extend(house, execution)
    house.wait(100, step=10)
    house.drivers["CloudWatchAlarm"].default = judging(V.FAIL)
    house.wait(10)
    assert house.stages(execution)["Test"] == "Failed"


def test_it_is_told_and_on_record_who_extended_it_and_why(house: House) -> None:
    execution = baking(house)
    extend(house, execution, 30, "the load test comes at nine")
    [text] = house.texts("bake.extended")
    assert text == (
        "Test bakes 30 min longer, until 2026-01-05 09:31 UTC, by anne (api): the load test comes at nine"
    )
    with house.database.read() as connection:
        kept = [one for one in audit.newest(connection) if one["kind"] == "bake.extended"]
    assert [(one["who"], one["door"], one["text"]) for one in kept] == [("anne", "api", text)]


def test_a_held_bake_that_is_extended_holds_nobody_and_is_asked_anew(house: House) -> None:
    house.drivers["CloudWatchAlarm"].default = judging(V.NO_DATA)
    execution = baking(house)
    house.wait(70)
    assert row(house, execution).held
    assert extend(house, execution) == house._now() + 300, "from now, for its time was over"
    assert row(house, execution).held == ""
    house.wait(310, step=10)
    assert row(house, execution).held == "Alarm: NO_DATA"


def test_a_bake_that_asked_a_person_asks_again_at_the_new_end(house: House) -> None:
    house.drivers["CloudWatchAlarm"].default = judging(V.INCONCLUSIVE)
    execution = baking(house, ExtendUpTo="5s")
    house.wait(70)
    assert house.kinds(execution).count("judgement.needed") == 1
    extend(house, execution, 1)
    house.wait(80)
    assert house.kinds(execution).count("judgement.needed") == 2


def test_a_watch_lasts_for_longer_too(house: House) -> None:
    house.apply(pipeline(source(), deploying("Test", Watch="10m")))
    execution = house.start()
    house.wait(20)
    ends_at = row(house, execution).watch_until
    assert extend(house, execution, 20) == ends_at + 1200
    house.wait(1100, step=20)
    assert row(house, execution).watch == "automatic"
    house.wait(800, step=20)
    assert row(house, execution).watch == "over"


def bake_told(house: House, execution: str) -> Any:
    with house.database.read() as connection:
        told = Documents(house.structures).execution(connection, execution)
    return told["stages"][-1]["bake"]


def test_a_bake_that_is_over_lasted_as_long_as_it_did_whatever_its_watch_does(house: House) -> None:
    house.apply(pipeline(source(), deploying("Test", Watch="10m")))
    execution = house.start()
    house.wait(20)
    before = bake_told(house, execution)
    extend(house, execution, 20)
    assert before["seconds"] == 10
    assert bake_told(house, execution) == before


def test_two_who_saw_the_same_extend_it_once(house: House) -> None:
    execution = baking(house)
    seen = mark(row(house, execution))
    extend(house, execution, seen=seen)
    problem, text = refused(lambda: extend(house, execution, seen=seen))
    assert (problem, "extended already, and goes on until 2026-01-05 09:06 UTC" in text) == (
        Problem.CONFLICT,
        True,
    )


@pytest.mark.parametrize(
    ("minutes", "reason", "told"),
    [
        (0, "so", "by 1 to 1440 minutes at a time, not by 0"),
        (-5, "so", "not by -5"),
        (1441, "so", "not by 1441"),
        (5, "  ", "needs a reason"),
    ],
)
def test_what_is_asked_within_no_bounds_changes_nothing(
    house: House, minutes: int, reason: str, told: str
) -> None:
    execution = baking(house)
    problem, text = refused(lambda: extend(house, execution, minutes, reason))
    assert (problem, told in text) == (Problem.INVALID, True)
    assert row(house, execution).bake_until is None


def test_it_is_extended_by_a_week_in_all_at_the_most(house: House) -> None:
    execution = baking(house)
    until = max([extend(house, execution, 1440) for _ in range(7)])
    assert until == row(house, execution).baking_since + 60 + LONGEST
    assert "seven days" in refused(lambda: extend(house, execution, 1))[1]
    assert row(house, execution).bake_until == until


def test_only_what_runs_is_extended(house: House) -> None:
    house.drivers["CodeDeploy"].default = after(5)
    execution = baking(house)
    assert "it is InProgress" in refused(lambda: extend(house, execution))[1]
    house.wait(120, step=5)
    assert house.stages(execution)["Test"] == "Succeeded"
    assert "it is Succeeded" in refused(lambda: extend(house, execution))[1]
    other = refused(lambda: house.commands.extend_bake(execution, "Nope", ANNE, Extension(1, "r")))
    assert other == (Problem.UNKNOWN, f"{execution} was never in a stage 'Nope'")


def test_a_bake_that_ended_early_is_not_brought_back(house: House) -> None:
    sure = Judgement(V.PASS, "far from it", samples=40, chance=0.6, power=0.995)
    house.drivers["CloudWatchAlarm"].default = lambda _task, asked: Progress(
        Outcome.RUNNING, handle="watching", judgement=sure if asked else None
    )
    execution = baking(house, EndEarly="true")
    house.wait(30)
    assert house.stages(execution)["Test"] == "Succeeded"
    assert refused(lambda: extend(house, execution))[0] is Problem.CONFLICT
