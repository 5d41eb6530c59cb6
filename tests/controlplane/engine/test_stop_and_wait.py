"""Who stops and waits leaves nobody alone with what is under way: the rules watch it until it has ended."""

from typing import Any

import pytest

from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.store import queries
from monitors.base import MonitorError, Outcome, Verdict
from tests.support.house import ANNE, BAD, House, action, deploying, pipeline, source

V = Verdict


@pytest.fixture
def house(empty: House) -> House:
    return empty


def stopped(house: House, looks: int = 1000, seconds: float = 3, **said: Any) -> str:
    """A bad release whose deployment lasts that many looks, stopped after a while."""
    house.apply(pipeline(source(), deploying("Prod", **said)))
    house.start()
    house.wait(40)
    house.drivers["S3"].default = source_of(BAD)
    house.drivers["CodeDeploy"].default = after(looks)
    execution = house.start()
    house.wait(seconds)
    house.commands.stop(execution, ANNE, abandon=False, reason="wait")
    house.settle()
    return execution


def rules(house: House, execution: str, kind: str = "rule") -> list[str]:
    with house.database.read() as connection:
        rows = queries.actions_of_execution(connection, execution)
    return [row.status for row in rows if row.kind == kind]


def test_the_rules_watch_until_the_deployment_has_ended_and_the_watch_after_it(
    house: House,
) -> None:
    execution = stopped(house, looks=8)
    assert house.stages(execution)["Prod"] == "Stopping"
    assert rules(house, execution) == ["InProgress"]
    house.wait(60)
    assert house.execution(execution).status == "Stopped"
    assert rules(house, execution) == ["Abandoned"]
    assert "watch.begun" in house.kinds(execution)


def test_a_breach_rolls_back_what_is_waited_for(house: House) -> None:
    execution = stopped(house)
    house.drivers["CloudWatchAlarm"].default = judging(V.FAIL)
    house.wait(10)
    assert house.rows()[0].rolls_back == execution
    assert house.execution(execution).status == "Failed"
    house.wait(30)
    assert house.rows()[0].rollback_state == "done"


def test_one_of_two_deployments_that_fails_rolls_back_the_other(house: House) -> None:
    where = {"Account": "prod", "ApplicationName": "shop", "DeploymentGroupName": "other"}
    other = action("Other", "CodeDeploy", configuration=where, inputArtifacts=[{"name": "App"}])
    stage = deploying("Prod", watched=False)
    house.apply(pipeline(source(), {**stage, "actions": [*stage["actions"], other]}))
    house.start()
    house.wait(10)
    scripts = {"Deploy": after(1000), "Other": after(5, Outcome.FAILED)}
    house.drivers["CodeDeploy"].scripts = scripts
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="wait")
    house.wait(60)
    assert house.rows()[0].rolls_back == execution


@pytest.mark.parametrize("verdict", [V.NO_DATA, V.UNREACHABLE, V.INCONCLUSIVE])
def test_silence_rolls_nothing_back(house: House, verdict: Verdict) -> None:
    execution = stopped(house, looks=6)
    house.drivers["CloudWatchAlarm"].default = judging(verdict)
    house.wait(60)
    assert house.execution(execution).status == "Stopped"
    assert house.rows()[0].id == execution


def test_a_fail_that_only_pages_pages_while_it_is_waited_for(house: House) -> None:
    execution = stopped(house, WhenFail="page")
    house.drivers["CloudWatchAlarm"].default = judging(V.FAIL)
    house.wait(10)
    assert house.kinds(execution).count("person.paged") == 1
    assert house.stages(execution)["Prod"] == "Stopping"


@pytest.mark.parametrize("abandon", [False, True])
def test_a_start_that_is_answered_after_the_stop_is_watched_all_the_same(
    house: House, abandon: bool
) -> None:
    """Its stage winds down already when the vendor says that the deployment runs."""
    house.apply(pipeline(source(), deploying("Prod")))

    def stops_meanwhile(task: object, asked: int) -> object:
        if not asked:
            (execution,) = (row.id for row in house.rows())
            house.commands.stop(execution, ANNE, abandon=abandon, reason="r")
        return after(6)(task, asked)  # type: ignore[arg-type]

    house.drivers["CodeDeploy"].default = stops_meanwhile  # type: ignore[assignment]
    execution = house.start()
    assert rules(house, execution) == ([] if abandon else ["InProgress"])
    house.wait(40)
    assert house.execution(execution).status == "Stopped"
    assert "watch.begun" in house.kinds(execution)
    with house.database.read() as connection:
        assert queries.last_in_stage(connection, "shop", "Prod") is not None


def test_what_only_a_start_was_tried_of_is_given_up(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.drivers["CodeDeploy"].default = lambda *_: MonitorError("throttled")
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="r")
    house.wait(10)
    assert house.execution(execution).status == "Stopped"
    assert rules(house, execution) == []
