"""Proofs: rules of onSuccess that are asked once, after the stage's last action."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.store import queries
from monitors.base import MonitorError, Outcome, Progress, Task, Verdict
from tests.support.house import ANNE, BAD, House, action, deploying, pipeline, rule, source

ASK = rule(
    "Users", "LambdaInvoke", configuration={"FunctionName": "may-it-stay", "Account": "prod"}
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.database.close()


def proven(
    *rules: dict[str, Any], watched: bool = False, result: str = "ROLLBACK"
) -> dict[str, Any]:
    """A stage that deploys, tests, and is proven by these."""
    stage = deploying("Prod", bake="5s", watched=watched)
    stage["actions"].append(action("Smoke", "NoOp", 2))
    signals = stage["onSuccess"]["conditions"][0]["rules"] if watched else []
    condition = {"result": result, "rules": [*signals, *(rules or (ASK,))]}
    return {**stage, "onSuccess": {"conditions": [condition]}}


def answering(verdict: Verdict, looks: int = 0) -> Any:
    """A function that answers after so many looks."""

    def script(task: Task, asked: int) -> Progress | Exception:
        if asked < looks:
            return Progress(Outcome.RUNNING, task.token, "is asked")
        found = judging(verdict)(task, asked)
        assert isinstance(found, Progress)
        return found

    return script


def second_release(house: House, stage: dict[str, Any], verdict: Any) -> str:
    """Release 1 is proven; release 2 meets this answer."""
    house.drivers["LambdaAtGate"].default = answering(Verdict.PASS)
    house.apply(pipeline(source(), stage))
    house.start()
    house.wait(30)
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["LambdaAtGate"].default = verdict
    return house.start()


def test_a_proof_is_asked_once_and_after_the_last_action(house: House) -> None:
    house.drivers["LambdaAtGate"].default = answering(Verdict.PASS)
    house.drivers["NoOp"].default = after(5, Outcome.SUCCEEDED)
    house.apply(pipeline(source(), proven()))
    execution = house.start()
    house.wait(3)
    assert house.drivers["LambdaAtGate"].started == []
    house.wait(30)
    assert house.execution(execution).status == "Succeeded"
    assert len(house.drivers["LambdaAtGate"].started) == 1
    kinds = house.kinds(execution)
    assert kinds.index("action.succeeded") < kinds.index("proof.started")
    assert kinds.index("proof.succeeded") < len(kinds) - 1 - kinds[::-1].index("stage.succeeded")


@pytest.mark.parametrize("watched", [False, True])
def test_a_proof_that_does_not_hold_rolls_the_release_back(house: House, watched: bool) -> None:
    execution = second_release(house, proven(watched=watched), answering(Verdict.FAIL))
    house.wait(60)
    assert house.execution(execution).status == "Failed"
    assert house.kinds(execution).count("digest.quarantined") == 1
    assert [row.rollback_state for row in house.rows() if row.type == "ROLLBACK"] == ["done"]


def test_with_the_result_fail_nothing_goes_back(house: House) -> None:
    stage = proven(result="FAIL")
    stage["onFailure"] = {"result": "FAIL"}
    execution = second_release(house, stage, answering(Verdict.FAIL))
    house.wait(60)
    assert house.execution(execution).status == "Failed"
    assert all(row.type == "STANDARD" for row in house.rows())


def test_the_bake_waits_for_a_slow_proof_and_the_proof_for_the_bake(house: House) -> None:
    execution = second_release(house, proven(watched=True), answering(Verdict.PASS, looks=4))
    house.wait(6)
    assert house.execution(execution).status == "InProgress"
    house.wait(60)
    assert house.execution(execution).status == "Succeeded"


def test_one_that_nobody_can_answer_holds_and_pages_and_a_person_may_judge(house: House) -> None:
    def away(_task: Task, _asked: int) -> Exception:
        return MonitorError("the function cannot be called")

    execution = second_release(house, proven(), away)
    house.wait(11 * 60)
    assert house.execution(execution).status == "InProgress"
    assert len(house.texts("stage.held", execution)) == 1
    assert len(house.texts("person.paged", execution)) == 1
    house.commands.judge(execution, "Prod", ANNE, passes=True, reason="I asked the users")
    house.wait(5)
    assert house.execution(execution).status == "Succeeded"


def test_a_person_who_stops_waits_for_no_proof(house: House) -> None:
    execution = second_release(house, proven(), answering(Verdict.PASS, looks=10_000))
    house.wait(10)
    house.commands.stop(execution, ANNE, abandon=False, reason="enough")
    house.wait(5)
    assert house.execution(execution).status == "Stopped"
    with house.database.read() as connection:
        rows = queries.actions_of_execution(connection, execution)
    assert [row.status for row in rows if row.kind == "proof"] == ["Abandoned"]


def test_a_stage_without_a_deployment_is_proven_too(house: House) -> None:
    house.drivers["LambdaAtGate"].default = answering(Verdict.FAIL)
    work = {"name": "Work", "actions": [action("Do", "NoOp")]}
    conditions = [{"result": "FAIL", "rules": [ASK]}]
    house.apply(pipeline(source(), {**work, "onSuccess": {"conditions": conditions}}))
    execution = house.start()
    house.wait(20)
    assert house.execution(execution).status == "Failed"
