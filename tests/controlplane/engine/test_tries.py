"""A stage that is tried again by itself: as often as declared, and never against what was learnt meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from controlplane.declarations.model import Result, StageDeclaration
from controlplane.engine import on_failure
from controlplane.engine.gate_commands import Scope
from controlplane.engine.view import StageView
from controlplane.ledger import Fared
from controlplane.sandbox.scripted import after, judging, source_of, succeed
from controlplane.states import StageStatus
from controlplane.store import ledger
from controlplane.store.tables import LedgerEntry, table
from monitors.base import MonitorError, Outcome, Progress, Task, Verdict
from tests.support.baking import Row
from tests.support.house import ANNE, BAD, GOOD, House, action, deploying, pipeline, rule, source

VARIABLE = {"Variable": "yes", "Operator": "EQ", "Value": "yes"}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[House]:
    """A house on SQLite, where the kind of the database does not matter."""
    house = House(tmp_path)
    yield house
    house.database.close()


def tried(times: str = "1", *, then: str = "FAIL", **more: Any) -> dict[str, Any]:
    """A stage that deploys, checks, and is tried again."""
    stage = deploying("Prod")
    stage["actions"][0]["configuration"] |= {"RetryAttempts": times, "AfterRetries": then}
    stage["actions"].append(action("Smoke", "NoOp", 2))
    return {**stage, "onFailure": {"result": "RETRY", **more}}


def red(times: int, looks: int = 0) -> Any:
    """A check that fails so often, and then is well; each after so many looks."""
    seen: dict[str, int] = {}

    def script(task: Task, asked: int) -> Progress:
        bad = seen.setdefault(task.token, len(seen)) < times
        end = Outcome.FAILED if bad else Outcome.SUCCEEDED
        return Progress(Outcome.RUNNING if asked < looks else end, task.token, "red")

    return script


def second_release(house: House, stage: dict[str, Any], check: Any) -> str:
    """Release 1 is good, release 2 meets this check."""
    house.apply(pipeline(source(), stage))
    house.start()
    house.wait(20)
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["NoOp"].default = check
    return house.start()


def test_what_failed_is_tried_again_and_what_had_succeeded_is_kept(empty: House) -> None:
    empty.apply(pipeline(source(), tried()))
    empty.drivers["NoOp"].default = red(1)
    execution = empty.start()
    empty.wait(30)
    assert empty.execution(execution).status == "Succeeded"
    assert len(empty.drivers["CodeDeploy"].started) == 1
    assert len(empty.drivers["NoOp"].started) == 2
    (said,) = empty.texts("stage.retried", execution)
    assert said == "by itself (1 of 1, what failed): Smoke: red"
    assert "execution.failed" not in empty.kinds(execution)


def test_all_actions_run_anew_where_that_is_the_mode(one: House) -> None:
    one.apply(pipeline(source(), tried(retryConfiguration={"retryMode": "ALL_ACTIONS"})))
    one.drivers["NoOp"].default = red(1)
    execution = one.start()
    one.wait(30)
    assert one.execution(execution).status == "Succeeded"
    assert len(one.drivers["CodeDeploy"].started) == 2


@pytest.mark.parametrize(("then", "backs"), [("FAIL", 0), ("ROLLBACK", 1)])
def test_tries_that_are_used_up_lead_to_what_is_declared(one: House, then: str, backs: int) -> None:
    execution = second_release(one, tried("3", then=then), red(99))
    one.wait(30)
    assert one.execution(execution).status == "Failed"
    assert one.kinds(execution).count("stage.retried") == 3
    assert len([row for row in one.rows() if row.type == "ROLLBACK"]) == backs


@pytest.mark.parametrize("shut", ["held before", "held while it waits", "frozen"])
def test_a_try_that_cannot_come_in_pages_for_what_the_failed_one_left(
    one: House, shut: str
) -> None:
    execution = second_release(one, tried(), red(99, looks=5))
    one.wait(2)
    if shut == "held before":
        one.commands.disable_transition("shop", "Prod", ANNE, reason="a fair")
    else:
        one.commands.freeze(Scope("shop", "Prod", "", None), ANNE, reason="a fair")
    one.wait(90)
    if shut == "held while it waits":
        before = len(one.texts("person.paged", execution))
        one.commands.disable_transition("shop", "Prod", ANNE, reason="more")
        assert len(one.texts("person.paged", execution)) == before + 1
    said = one.texts("person.paged", execution)[0]
    assert "what the failed try deployed stays there" in said and "a fair" in said


def test_what_an_earlier_try_deployed_goes_back_where_the_last_one_never_came_to_it(
    one: House,
) -> None:
    ready = [action("Ready", "NoOp", 0)]
    stage = tried(then="ROLLBACK", retryConfiguration={"retryMode": "ALL_ACTIONS"})
    stage["actions"] = [
        {**each, "runOrder": number}
        for number, each in enumerate([*ready, *stage["actions"]], start=1)
    ]
    asked: list[str] = []

    def twice(task: Task, _asked: int) -> Progress:
        asked.append(task.token)
        return Progress(Outcome.FAILED if len(asked) > 2 else Outcome.SUCCEEDED, task.token)

    one.drivers["NoOp"].scripts["Ready"] = twice
    execution = second_release(one, stage, red(99))
    one.wait(30)
    assert one.texts("stage.noted", execution) == [
        "Prod is not tried again: it was tried again 1 times"
    ]
    assert (one.rows()[0].rolls_back, one.rows()[0].rollback_state) == (execution, "done")
    (restored,) = one.drivers["CodeDeployRestore"].started
    assert restored.configuration["RevisionDigest"] == GOOD


def test_a_bad_verdict_is_rolled_back_and_not_tried_again(one: House) -> None:
    execution = second_release(one, tried("5"), after(8, Outcome.FAILED, "red"))
    one.drivers["CloudWatchAlarm"].default = judging(Verdict.FAIL)
    one.wait(60)
    assert "stage.retried" not in one.kinds(execution)
    assert (one.rows()[0].rolls_back, one.rows()[0].rollback_state) == (execution, "done")


def test_nothing_in_quarantine_is_tried_again(one: House) -> None:
    execution = second_release(one, tried("5"), after(20, Outcome.FAILED, "red"))
    other = deploying("Else")
    one.apply(pipeline(source(), other, name="other"))
    one.drivers["CloudWatchAlarm"].scripts["Alarm"] = judging(Verdict.PASS)
    bad = one.start("other")
    one.drivers["CloudWatchAlarm"].scripts.clear()
    one.wait(5)
    one.commands.rollback("other", "Else", ANNE, reason="customers call")
    one.wait(200, step=5)
    assert one.execution(bad).digest == one.execution(execution).digest == BAD
    assert "stage.retried" not in one.kinds(execution)
    assert any("quarantine" in said for said in one.texts("stage.noted", execution))


def test_a_person_who_stops_or_rolls_back_is_obeyed_in_the_middle_of_it(one: House) -> None:
    stage = tried("5", conditions=[asking("CloudWatchAlarm", {"AlarmName": "a"})])
    one.drivers["AlarmAtGate"].default = judging(Verdict.NO_DATA)
    execution = second_release(one, stage, red(99))
    assert one.stages(execution)["Prod"] == "Stopping", "its condition is asked first"
    one.commands.rollback("shop", "Prod", ANNE, reason="enough")
    one.wait(20)
    assert (one.rows()[0].rolls_back, one.rows()[0].rollback_state) == (execution, "done")


def test_a_closed_way_in_keeps_the_next_try_out(one: House) -> None:
    execution = second_release(one, tried(), after(2, Outcome.FAILED, "red"))
    one.commands.disable_transition("shop", "Prod", ANNE, reason="the fair")
    one.wait(20)
    assert one.stages(execution)["Prod"] == "Inbound"
    one.drivers["NoOp"].default = succeed
    one.commands.enable_transition("shop", "Prod", ANNE, reason="it is over")
    one.wait(20)
    assert one.execution(execution).status == "Succeeded"


@pytest.mark.parametrize(("mode", "first"), [("SUPERSEDED", "Superseded"), ("QUEUED", "Succeeded")])
def test_who_waits_in_front_meets_the_next_try_by_the_mode(
    one: House, mode: str, first: str
) -> None:
    one.apply(pipeline(source(), tried(), mode=mode))
    one.drivers["NoOp"].default = red(1, looks=3)
    older = one.start()
    newer = one.start()
    one.wait(90, step=3)
    assert one.execution(older).status == first
    assert one.execution(newer).status == "Succeeded"


# --- a try that never comes in --------------------------------------------------------------------


def waiting_try(house: House, mode: str = "all", **more: Any) -> str:
    """Release 2 stands in prod and failed there; its next try waits before a way in that is closed."""
    modes = {"all": "ALL_ACTIONS", "failed": "FAILED_ACTIONS"}
    retry = {"retryMode": modes[mode]}
    stage = tried(then="ROLLBACK", retryConfiguration=retry)
    execution = second_release(house, {**stage, **more}, after(2, Outcome.FAILED, "red"))
    house.commands.disable_transition("shop", "Prod", ANNE, reason="the fair")
    house.wait(20)
    assert house.stages(execution)["Prod"] == "Inbound"
    assert "rollback.requested" not in house.kinds(execution)
    return execution


def came_back(house: House, execution: str) -> bool:
    """Release 2 is off prod, by one rollback, and nothing is let in behind it."""
    backs = [row for row in house.rows() if row.type == "ROLLBACK"]
    digests = [one.configuration["RevisionDigest"] for one in
               house.drivers["CodeDeployRestore"].started]  # fmt: skip
    states = [(row.rolls_back, row.rollback_state) for row in backs]
    rows = table(LedgerEntry).c
    with house.database.read() as connection:
        fared = set(connection.execute(select(rows.status).where(rows.digest == BAD)).scalars())
    return (states, digests, fared) == ([(execution, "done")], [GOOD], {Fared.BAD})


@pytest.mark.parametrize("mode", ["all", "failed"])
def test_a_try_that_is_turned_away_by_a_quarantine_leaves_nothing_bad_behind(
    empty: House, mode: str
) -> None:
    execution = waiting_try(empty, mode)
    with empty.database.begin() as connection:
        why = {"pipeline": "other", "execution_id": "e", "reason": "customers call"}
        lifted = {"lifted_by": "", "lift_reason": ""}
        ledger.put_in_quarantine(connection, {"digest": BAD, **why, **lifted, "at": 0.0})
    empty.commands.enable_transition("shop", "Prod", ANNE, reason="it is over")
    empty.wait(20)
    assert empty.execution(execution).status == "Failed"
    assert came_back(empty, execution)


def test_a_try_that_a_person_stops_leaves_nothing_bad_behind(one: House) -> None:
    execution = waiting_try(one)
    one.commands.stop(execution, ANNE, abandon=True, reason="enough")
    one.wait(20)
    assert one.execution(execution).status == "Stopped"
    assert came_back(one, execution)


def test_a_newer_release_that_overtakes_a_try_waits_until_the_bad_one_is_off(one: House) -> None:
    execution = waiting_try(one)
    one.drivers["S3"].default = source_of("sha256:" + "c" * 64)
    newer = one.start()
    one.wait(20)
    assert one.execution(execution).status == "Superseded"
    assert came_back(one, execution)
    assert one.stages(newer)["Prod"] == "Inbound", "the way in is held for a person"


def test_who_waits_in_front_of_an_open_way_does_not_go_in_before_the_bad_one_is_off(
    empty: House,
) -> None:
    execution = second_release(empty, tried(then="ROLLBACK"), after(3, Outcome.FAILED, "red"))
    empty.drivers["S3"].default = source_of("sha256:" + "c" * 64)
    newer = empty.start()
    assert empty.stages(newer)["Prod"] == "Inbound"
    empty.wait(30)
    assert empty.execution(execution).status == "Superseded"
    assert came_back(empty, execution)
    assert empty.stages(newer)["Prod"] == "Inbound", "the way in is held for a person"


@pytest.mark.parametrize("result", ["FAIL", "SKIP"])
def test_a_gate_that_keeps_a_try_out_lets_nothing_bad_stand_behind_it(
    one: House, result: str
) -> None:
    gate = {"result": result, "rules": [rule("Quiet", "CloudWatchAlarm", timeoutInMinutes=5)]}
    execution = waiting_try(one, beforeEntry={"conditions": [gate]})
    one.drivers["AlarmAtGate"].default = judging(Verdict.FAIL)
    one.commands.enable_transition("shop", "Prod", ANNE, reason="it is over")
    one.wait(400, step=20)
    assert one.execution(execution).status == "Failed"
    assert came_back(one, execution)


def test_where_somebody_else_is_in_the_stage_a_person_is_called(one: House) -> None:
    execution = waiting_try(one)
    one.drivers["CodeDeployRestore"].default = after(50)
    one.commands.rollback("shop", "Prod", ANNE, reason="now")
    assert [row.type for row in one.rows()].count("ROLLBACK") == 1
    one.commands.stop(execution, ANNE, abandon=True, reason="enough")
    assert [row.type for row in one.rows()].count("ROLLBACK") == 1
    assert any("another is in Prod" in said for said in one.texts("person.paged", execution))


# --- conditions of onFailure ------------------------------------------------------------------


def asking(provider: str, configuration: dict[str, str], result: str = "ROLLBACK") -> Any:
    asked = rule("Asked", provider, configuration=configuration)
    return {"result": result, "rules": [asked]}


@pytest.mark.parametrize(
    ("value", "result", "backs"),
    [("yes", "ROLLBACK", 0), ("no", "ROLLBACK", 1), ("no", "FAIL", 0)],
)
def test_a_condition_that_is_not_met_says_what_follows(
    empty: House, value: str, result: str, backs: int
) -> None:
    given = {**VARIABLE, "Value": value}
    stage = {**tried(), "onFailure": {"conditions": [asking("VariableCheck", given, result)]}}
    del stage["actions"][0]["configuration"]["RetryAttempts"]
    execution = second_release(empty, stage, red(99))
    empty.wait(30)
    assert empty.execution(execution).status == "Failed"
    assert len([row for row in empty.rows() if row.type == "ROLLBACK"]) == backs


def test_a_rule_that_nobody_answers_rolls_nothing_back_and_pages(one: House) -> None:
    asked = asking("CloudWatchAlarm", {"AlarmName": "a"})
    one.drivers["AlarmAtGate"].default = lambda _task, _asked: MonitorError(
        "denied", permanent=True
    )
    execution = second_release(one, {**tried(), "onFailure": {"conditions": [asked]}}, red(99))
    one.wait(900, step=30)
    assert one.execution(execution).status == "Failed"
    assert all(row.type == "STANDARD" for row in one.rows())
    assert any("could not be told" in said for said in one.texts("person.paged", execution))


def test_each_condition_of_a_bake_has_its_own_result(one: House) -> None:
    stage = deploying("Prod")
    (first,) = stage["onSuccess"]["conditions"]
    (alarm,) = first["rules"]
    second = {"result": "ROLLBACK", "rules": [{**alarm, "name": "Other"}]}
    stage["onSuccess"]["conditions"] = [{**first, "result": "FAIL"}, second]
    one.drivers["CloudWatchAlarm"].scripts["Alarm"] = judging(Verdict.FAIL)
    house_of(one, stage)
    failed = one.start()
    one.wait(20)
    assert one.rows()[0].id == failed, "FAIL rolls nothing back"
    one.drivers["CloudWatchAlarm"].scripts = {"Other": judging(Verdict.FAIL)}
    bad = one.start()
    one.wait(20)
    assert one.rows()[0].rolls_back == bad


def house_of(house: House, stage: dict[str, Any]) -> None:
    """One good release, then another one comes."""
    house.apply(pipeline(source(), stage))
    scripts, house.drivers["CloudWatchAlarm"].scripts = house.drivers["CloudWatchAlarm"].scripts, {}
    house.start()
    house.wait(20)
    house.drivers["CloudWatchAlarm"].scripts = scripts
    house.drivers["S3"].default = source_of(BAD)


# --- deciding, whatever the rows say --------------------------------------------------------------

NAMES = ("First", "Second")
TRIED = StageDeclaration.model_validate(
    {
        **tried("2", then="ROLLBACK"),
        "onFailure": {
            "result": "RETRY",
            "conditions": [
                {"result": "ROLLBACK", "rules": [rule(NAMES[0], "CloudWatchAlarm")]},
                {"result": "RETRY", "rules": [rule(NAMES[1], "CloudWatchAlarm")]},
            ],
        },
    }
)
HELD, BROKEN = [("Succeeded", ""), ("InProgress", "PASS")], [("Failed", ""), ("InProgress", "FAIL")]
NOT_KNOWN = [
    ("Ready", ""),
    ("InProgress", ""),
    ("InProgress", "NO_DATA"),
    ("Abandoned", "UNREACHABLE"),
]
told = st.sampled_from(HELD) | st.sampled_from(BROKEN) | st.sampled_from(NOT_KNOWN)


@settings(max_examples=400)
@given(
    st.lists(told, min_size=1, max_size=2),
    st.sampled_from(["", "PASS", "FAIL"]),
    st.sampled_from(["", "", "wait", "rollback"]),
    st.integers(0, 3),
    st.sampled_from(["", "", "it is in quarantine"]),
)
def test_nothing_is_tried_again_against_what_is_known(
    rows: list[tuple[str, str]], signal: str, stop: str, retries: int, refused: str
) -> None:
    view = StageView(
        id="s", execution_id="e", status=StageStatus.STOPPING, stop=stop, since=1.0,
        baking_since=None, held="", declared=TRIED, actions=(), retries=retries, no_retry=refused,
    )  # fmt: skip
    by_name: dict[str, Any] = {
        name: Row(n, name, "failure", status=row[0], verdict=row[1])
        for n, (name, row) in enumerate(zip(NAMES, rows, strict=False))
    }
    by_name["Alarm"] = Row(9, "Alarm", verdict=signal)
    follows = on_failure.follows(view, by_name)
    if follows is not None and follows.result is Result.RETRY:
        assert not stop
        assert not refused
        assert retries < 2
        assert signal != Verdict.FAIL
    known = [row for row in rows if row[0] in ("Succeeded", "Failed") or row[1] in ("PASS", "FAIL")]
    if follows is not None and not stop and not known:
        assert follows.result is Result.FAIL, "silence is no evidence"
    assert follows is not None or not stop, "nobody who stops it waits for a rule"
