"""A stage that is done goes on being watched: it goes back by itself, until something newer was deployed."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from controlplane.engine.refusals import CommandError
from controlplane.engine.view import Moves
from controlplane.engine.watch import Where, decide_watch
from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.states import StageStatus
from controlplane.store import executions, ledger, measurements, queries
from controlplane.store.tables import ActionExecution, table
from monitors.base import Judgement, Outcome, Progress, Verdict
from tests.support.baking import Bake
from tests.support.house import ANNE, BAD, GOOD, House, deploying, pipeline, source

V = Verdict
ACTION = table(ActionExecution)


@pytest.fixture
def house(empty: House) -> House:
    return empty


def watched(extend: str = "10m") -> dict[str, Any]:
    """A stage that is watched for an hour after its bake."""
    return deploying("Prod", Watch="1h", ExtendUpTo=extend)


def releases(house: House, *digests: str, stage: dict[str, Any] | None = None) -> list[str]:
    """One after the other they go through, and fare well."""
    house.apply(pipeline(source(), stage or watched()))
    started = []
    for digest in digests:
        house.drivers["S3"].default = source_of(digest)
        started.append(house.start())
        house.wait(20)
    return started


def says(house: House, verdict: Verdict) -> None:
    house.drivers["CloudWatchAlarm"].default = judging(verdict)


def watches(house: House, execution: str) -> Sequence[Any]:
    with house.database.read() as connection:
        mine = ACTION.c.execution_id == execution, ACTION.c.kind == "watch"
        return connection.execute(select(ACTION).where(*mine)).all()


def of(house: House, execution: str) -> Any:
    with house.database.read() as connection:
        return executions.of_execution(connection, execution)[-1]


def decided(where: Where, verdict: Verdict = V.FAIL, held: str = "") -> Moves:
    """What an hour's watch does five minutes after the stage was done."""
    marks = {"watch": "automatic", "ended_at": 0.0, "held": held}
    bake = Bake({"Alarm": {"Watch": "1h"}}, StageStatus.SUCCEEDED, marks)
    bake.look(100, {"Alarm": verdict})
    return decide_watch(bake.view(), bake.rows, where, 300)


@pytest.mark.parametrize(
    ("where", "told", "marks"),
    [
        (Where(), [], {"watch": "over", "held": ""}),
        (Where(free=False), ["watch.advised"], {"held": "Alarm: FAIL"}),
        (Where(rolls_back=False), ["watch.advised"], {"held": "Alarm: FAIL"}),
        (
            Where(newer=True),
            ["watch.advises", "watch.advised"],
            {"watch": "advice", "held": "Alarm: FAIL"},
        ),
        (Where(newer=True, replaced=True), ["watch.ended"], {"watch": "over", "held": ""}),
    ],
)
def test_what_a_breach_leads_to_depends_on_what_stands_there(
    where: Where, told: list[str], marks: dict[str, str]
) -> None:
    moves = decided(where)
    assert (moves.cause is not None) == (where == Where())
    assert ([said.kind for said in moves.says], moves.mark) == (told, marks)
    assert any(said.page for said in moves.says) == (where == Where(free=False))


@pytest.mark.parametrize("verdict", [V.UNREACHABLE, V.NO_DATA, V.INCONCLUSIVE])
def test_no_all_clear_without_a_pass(verdict: Verdict) -> None:
    told = [said.kind for said in decided(Where(free=False), verdict, "Alarm: FAIL").says]
    assert "watch.recovered" not in told
    assert decided(Where(), V.PASS, "Alarm: FAIL").says[0].kind == "watch.recovered"


TWO = {"Errors": {"Quorum": "2", "Watch": "1h"}, "Latency": {"Quorum": "2", "Watch": "1h"}}


def two(verdicts: dict[str, Verdict], rules: Any = TWO) -> Moves:
    """What the watch of two signals, of which two must FAIL, does; who says nothing watches no longer."""
    bake = Bake(rules, StageStatus.SUCCEEDED, {"watch": "automatic", "ended_at": 0.0})
    bake.look(100, verdicts)
    open_ = {name: row for name, row in bake.rows.items() if name in verdicts}
    return decide_watch(bake.view(), open_, Where(), 300)


@pytest.mark.parametrize(
    ("verdicts", "back", "page"),
    [
        ({"Errors": V.FAIL, "Latency": V.FAIL}, True, False),
        ({"Errors": V.FAIL, "Latency": V.PASS}, False, False),
        ({"Errors": V.FAIL, "Latency": V.INCONCLUSIVE}, False, False),
        ({"Errors": V.FAIL, "Latency": V.NO_DATA}, False, True),
        ({"Errors": V.FAIL, "Latency": V.UNREACHABLE}, False, True),
        ({"Errors": V.FAIL}, False, True),
    ],
)
def test_the_declared_quorum_stays_whoever_has_ceased_to_watch(
    verdicts: dict[str, Verdict], back: bool, page: bool
) -> None:
    moves = two(verdicts)
    assert (moves.cause is not None, any(said.page for said in moves.says)) == (back, page)
    assert page == any("Latency cannot be read, and 2 must FAIL" in s.text for s in moves.says)


def test_a_critical_signal_needs_no_quorum_in_the_watch() -> None:
    critical = {**TWO, "Errors": {"Critical": "true", "Watch": "1h"}}
    assert two({"Errors": V.FAIL}, critical).cause is not None


def test_who_is_told_that_one_fails_is_told_again_once_the_other_goes_dark() -> None:
    bake = Bake(TWO, StageStatus.SUCCEEDED, {"watch": "automatic", "ended_at": 0.0})
    bake.look(100, {"Errors": V.FAIL, "Latency": V.PASS})
    first = decide_watch(bake.view(), bake.rows, Where(), 110)
    bake.marks |= first.mark
    bake.look(120, {"Errors": V.FAIL, "Latency": V.NO_DATA})
    soon = decide_watch(bake.view(), bake.rows, Where(), 130)
    late = decide_watch(bake.view(), bake.rows, Where(), 300)
    told = [[(said.kind, said.page) for said in one.says] for one in (first, soon, late)]
    assert told == [[("watch.advised", False)], [], [("watch.advised", True)]]


@pytest.mark.parametrize(("unproven", "told"), [(False, ["watch.recovered"]), (True, [])])
def test_what_ceased_to_watch_without_a_pass_keeps_from_the_all_clear(
    unproven: bool, told: list[str]
) -> None:
    moves = decided(Where(unproven=unproven), V.PASS, "Alarm: FAIL")
    assert [said.kind for said in moves.says] == told


def test_a_breach_after_the_stage_is_done_rolls_it_back(house: House) -> None:
    _, second = releases(house, GOOD, BAD)
    assert house.execution(second).status == "Succeeded", "a watch keeps no execution open"
    says(house, V.FAIL)
    house.wait(90, step=10)
    back = house.rows()[0]
    assert (back.type, back.rolls_back, back.digest) == ("ROLLBACK", second, GOOD)
    with house.database.read() as connection:
        assert ledger.quarantined(connection) == {BAD}
    assert of(house, second).watch == "over"


def test_after_a_newer_deployment_has_begun_a_breach_is_only_told(house: House) -> None:
    releases(house, GOOD, GOOD)
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["CodeDeploy"].default = after(1000)
    first, third = house.rows()[0].id, house.start()
    house.wait(90, step=10)
    assert of(house, first).watch == "advice"
    watched_rule = watches(house, first)[0].token
    house.drivers["CloudWatchAlarm"].default = lambda task, asked: judging(
        V.FAIL if task.token == watched_rule else V.PASS
    )(task, asked)
    house.wait(150, step=10)
    assert house.kinds(first).count("watch.advised") == 1
    assert house.execution(third).status == "InProgress"
    assert {row.type for row in house.rows()} == {"STANDARD"}


def test_a_watch_ends_when_the_newer_release_is_good(house: House) -> None:
    first, second = releases(house, GOOD, BAD)
    house.wait(70, step=10)
    assert (of(house, first).watch, of(house, second).watch) == ("over", "automatic")
    assert {row.due_at for row in watches(house, first)} == {None}


def test_a_watch_ends_with_its_time_and_looks_once_a_minute(house: House) -> None:
    (only,) = releases(house, GOOD)
    house.wait(3700, step=20)
    assert house.drivers["CloudWatchAlarm"].started[-1].configuration["Interval"] == "1m"
    assert (of(house, only).watch, watches(house, only)[0].status) == ("over", "Succeeded")


def test_another_replica_goes_on_watching(house: House) -> None:
    _, second = releases(house, GOOD, BAD)
    house.engine = house.new_engine()
    says(house, V.FAIL)
    house.wait(120, step=10)
    assert house.rows()[0].rolls_back == second


def test_an_outage_in_the_watch_pages_once_and_is_told_when_it_is_over(house: House) -> None:
    (only,) = releases(house, GOOD)
    says(house, V.UNREACHABLE)
    house.wait(100, step=10)
    assert "person.paged" not in house.kinds(only), "one failed look is no news"
    house.wait(400, step=10)
    assert house.kinds(only).count("person.paged") == 1
    says(house, V.PASS)
    house.wait(90, step=10)
    assert "watch.recovered" in house.kinds(only)
    assert of(house, only).watch == "automatic"


def test_the_next_release_waits_for_no_watch(house: House) -> None:
    first, second = releases(house, GOOD, BAD)
    assert [house.stages(one)["Prod"] for one in (first, second)] == ["Succeeded", "Succeeded"]


def test_with_somebody_in_the_stage_a_person_decides(house: House) -> None:
    """Who is inside has deployed nothing yet; once it is gone, the watch acts again."""
    _, second = releases(house, GOOD, BAD)
    waiting = {**watched(), "actions": [*watched()["actions"]]}
    asks = {"name": "Ask", "actionTypeId": {"category": "Approval", "provider": "Manual"}}
    waiting["actions"][0] = {**waiting["actions"][0], "runOrder": 2}
    waiting["actions"].insert(0, asks)
    house.apply(pipeline(source(), waiting))
    house.drivers["Manual"].default = after(1000)
    third = house.start()
    says(house, V.FAIL)
    house.wait(90, step=10)
    assert "watch.advised" in house.kinds(second)
    house.commands.stop(third, ANNE, abandon=True, reason="make room")
    house.wait(90, step=10)
    assert house.rows()[0].rolls_back == second


def test_a_deployment_that_a_person_abandoned_is_watched(house: House) -> None:
    releases(house, GOOD, stage=deploying("Prod", bake="2m"))
    house.wait(140, step=10)
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["CodeDeploy"].default = after(1000)
    bad = house.start()
    house.wait(5)
    house.commands.stop(bad, ANNE, abandon=True, reason="let it be")
    assert house.execution(bad).status == "Stopped"
    says(house, V.FAIL)
    house.wait(90, step=10)
    assert house.rows()[0].rolls_back == bad


def test_a_bake_ends_early_once_its_judge_has_seen_enough(house: House) -> None:
    """The judgement's power goes by the row into deciding, and stays with the measurement."""
    sure = Judgement(V.PASS, "far from it", samples=40, chance=0.6, power=0.995)
    house.drivers["CloudWatchAlarm"].default = lambda _task, asked: Progress(
        Outcome.RUNNING, handle="watching", judgement=sure if asked else None
    )
    house.apply(pipeline(source(), deploying("Prod", bake="40s", EndEarly="true")))
    execution = house.start()
    house.wait(8)
    assert house.stages(execution)["Prod"] == "Baking"
    house.wait(8)
    assert house.stages(execution)["Prod"] == "Succeeded"
    with house.database.read() as connection:
        rule = queries.actions_of_execution(connection, execution)[-1]
        last = measurements.of_action(connection, rule.id)[-1]
    assert (rule.power, last.chance, last.power) == (0.995, 0.6, 0.995)


def test_a_bake_that_asks_is_judged_by_a_person(house: House) -> None:
    says(house, V.INCONCLUSIVE)
    (asking,) = releases(house, GOOD, stage=watched("10s"))
    house.wait(10)
    assert "judgement.needed" in house.kinds(asking)
    house.commands.judge(asking, "Prod", ANNE, passes=True, reason="I looked myself")
    assert house.stages(asking)["Prod"] == "Succeeded"
    with house.database.read() as connection:
        where = "prod//shop/all"
        assert [one.status for one in ledger.entries(connection, where)] == ["GOOD"]


def test_a_person_rolls_back_what_asks(house: House) -> None:
    releases(house, GOOD, stage=watched("10s"))
    house.drivers["S3"].default = source_of(BAD)
    says(house, V.INCONCLUSIVE)
    asking = house.start()
    house.wait(30)
    house.commands.judge(asking, "Prod", ANNE, passes=False, reason="customers call")
    house.wait(30)
    assert house.rows()[0].rolls_back == asking


@pytest.mark.parametrize(
    ("seconds", "verdict", "reason", "why"),
    [
        (5, V.NO_DATA, "well", "goes on until"),
        (30, V.NO_DATA, " ", "needs a reason"),
        (30, V.PASS, "well", "it is Succeeded"),
        (30, V.INCONCLUSIVE, "well", "nothing holds its bake"),
    ],
)
def test_what_needs_no_judging_is_not_judged(
    house: House, seconds: int, verdict: Verdict, reason: str, why: str
) -> None:
    says(house, verdict)
    house.apply(pipeline(source(), watched()))
    execution = house.start()
    house.wait(seconds)
    with pytest.raises(CommandError, match=why):
        house.commands.judge(execution, "Prod", ANNE, passes=True, reason=reason)
