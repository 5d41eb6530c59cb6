"""A drill sets the alarm of a stage outside production, times what follows, and harms nobody."""

from pathlib import Path
from typing import Any

import pytest

from accounts.registry import StaticRegistry
from controlplane.engine.drill_runs import DrillRuns, seconds
from controlplane.engine.drills import Drills
from controlplane.engine.refusals import CommandError
from controlplane.sandbox.scripted import ScriptedAlarm, after, source_of
from controlplane.store import drills, executions, ledger, metrics, queries
from monitors.base import MonitorError, Outcome
from tests.support.doors import account
from tests.support.house import (
    ANNE,
    BAD,
    GOOD,
    House,
    action,
    deploying,
    gated,
    pipeline,
    rule,
    source,
)

REGISTRY = StaticRegistry([account("dev"), account("test"), account("prod")])


class Drilled:
    """A house whose stage Test can be drilled, and a step of the drill every second."""

    def __init__(self, folder: Path, alarm: ScriptedAlarm) -> None:
        self.house, self.alarm = House(folder), alarm
        self.house.apply(pipeline(source(), watched("Test"), watched("Prod")))
        self.house.start()
        self.house.wait(40)
        self.house.drivers["CloudWatchAlarm"].default = alarm.watched
        self.drills = Drills(self.house.database, self.house.structures, REGISTRY, self.house._now)
        self.runs = self.new_runs()

    def new_runs(self) -> DrillRuns:
        house = self.house
        return DrillRuns(house.database, house.structures, house.commands, self.alarm, house._now)

    def start(self, stage: str = "Test", **more: Any) -> str:
        return self.drills.start("shop", stage, ANNE, **more)

    def wait(self, most: int) -> Any:
        for _ in range(most):
            self.house.wait(1)
            self.runs.step()
        with self.house.database.read() as connection:
            return drills.of_pipeline(connection, "shop")[0]


def watched(name: str) -> dict[str, Any]:
    stage = deploying(name)
    (condition,) = stage["onSuccess"]["conditions"]
    condition["rules"][0]["configuration"]["Account"] = name.lower()
    return stage


@pytest.fixture
def drilled(tmp_path: Path) -> Drilled:
    return Drilled(tmp_path, ScriptedAlarm())


def test_a_drill_times_detection_stop_and_restoration(drilled: Drilled) -> None:
    drilled.house.drivers["CodeDeployRestore"].default = after(3)
    drilled.start()
    drill = drilled.wait(60)
    assert drill.state == "done", drill.note
    took = seconds(drill._mapping)
    assert 0 <= took["detected"] <= took["stopped"] < took["restored"]
    assert drilled.house.kinds().count("drill.finished") == 1


def test_the_good_release_stays_good_and_every_way_in_open(drilled: Drilled) -> None:
    drilled.start()
    drilled.wait(60)
    with drilled.house.database.read() as connection:
        assert queries.quarantines(connection) == []
        assert queries.transitions(connection, "shop") == []
        assert (
            executions.rolled_back(connection, "shop", "Test", 0, but="") == 0
        )  # no breaker trips
        stands = ledger.entries(connection, "test//shop/all")
    assert (stands[0].digest, stands[0].status) == (GOOD, "GOOD")
    assert not any(entry.status == "BAD" for entry in stands)


def test_it_is_restored_by_a_deployment_though_it_is_served_already(drilled: Drilled) -> None:
    drilled.start()
    drilled.wait(60)
    (restored,) = drilled.house.drivers["CodeDeployRestore"].started
    assert restored.configuration["EvenIfServed"] == "true"
    assert restored.configuration["RevisionDigest"] == GOOD


def test_only_that_stage_runs_and_no_source_is_asked(drilled: Drilled) -> None:
    sources = len(drilled.house.drivers["S3"].started)
    execution = drilled.start()
    drilled.wait(60)
    assert list(drilled.house.stages(execution)) == ["Test"]
    assert len(drilled.house.drivers["S3"].started) == sources


def test_production_is_never_drilled(drilled: Drilled) -> None:
    with pytest.raises(CommandError, match="environment is prod: drills are for stages outside"):
        drilled.start("Prod")
    assert "drill.started" not in drilled.house.kinds()


def test_an_alarm_that_cloudwatch_sets_back_is_set_again(tmp_path: Path) -> None:
    drilled = Drilled(tmp_path, ScriptedAlarm(setbacks=4))
    drilled.start()
    drill = drilled.wait(60)
    assert (drill.state, drill.sets) == ("done", 5)
    assert seconds(drill._mapping)["detected"] >= 4, "counted from the first time it was set"


def test_the_alarm_is_set_back_once_the_target_is_restored(drilled: Drilled) -> None:
    drilled.house.drivers["CloudWatchAlarmRecovered"].default = after(5)
    drilled.start()
    drilled.wait(60)
    assert drilled.alarm.set_to == ["ALARM", "OK"]


def test_an_alarm_that_goes_off_by_itself_is_left_alone(drilled: Drilled) -> None:
    drilled.start()
    drilled.wait(3)
    drilled.alarm.value, drilled.alarm.reason = "ALARM", "Threshold Crossed"
    drill = drilled.wait(60)
    assert "OK" not in drilled.alarm.set_to
    assert drill.ended_at is not None


def test_a_drill_that_nobody_notices_says_so_and_ends(drilled: Drilled) -> None:
    drilled.house.drivers["CloudWatchAlarm"].default = ScriptedAlarm().watched
    drilled.start()
    drill = drilled.wait(330)
    assert drill.state == "failed"
    assert "did not notice" in drill.note
    assert drilled.alarm.value == "OK"
    assert drilled.house.kinds().count("drill.failed") == 1


def test_a_drill_whose_deployment_fails_says_so(drilled: Drilled) -> None:
    drilled.house.drivers["CodeDeploy"].default = after(2, Outcome.FAILED, "no disk")
    drilled.start()
    drill = drilled.wait(30)
    assert drill.state == "failed" and "no disk" in drill.note
    assert drilled.alarm.set_to == []


def test_another_process_goes_on_from_the_rows_after_any_step(drilled: Drilled) -> None:
    drilled.start()
    for _ in range(60):
        drilled.runs = drilled.new_runs()
        drilled.wait(1)
    assert drilled.wait(1).state == "done"
    assert drilled.alarm.set_to.count("ALARM") == 1


def test_an_alarm_that_cannot_be_read_delays_and_does_not_end_a_drill(tmp_path: Path) -> None:
    drilled = Drilled(tmp_path, ScriptedAlarm(error=MonitorError("throttled")))
    drilled.start()
    assert drilled.wait(10).state == "alarmed"
    drilled.alarm.error = None
    assert drilled.wait(60).state == "done"


def test_a_second_drill_and_one_of_a_busy_stage_are_refused(drilled: Drilled) -> None:
    drilled.start()
    with pytest.raises(CommandError, match="an execution is in it"):
        drilled.start()
    drilled.wait(60)
    drilled.house.commands.disable_transition("shop", "Test", ANNE, reason="freeze")
    with pytest.raises(CommandError, match="the way into it is closed"):
        drilled.start()


def test_what_is_not_known_to_be_good_is_not_drilled(tmp_path: Path) -> None:
    drilled = Drilled(tmp_path, ScriptedAlarm())
    drilled.house.drivers["S3"].default = source_of(BAD)
    drilled.house.drivers["CodeDeploy"].default = after(2, Outcome.FAILED, "no disk")
    drilled.house.drivers["CodeDeployRestore"].default = after(2, Outcome.FAILED, "no disk")
    drilled.house.start()
    drilled.house.wait(30)
    with pytest.raises(CommandError):
        drilled.start()


def test_a_one_way_door_is_not_drilled(drilled: Drilled) -> None:
    stage = watched("Test")
    stage["actions"][0]["configuration"]["RollbackSafe"] = "false"
    drilled.house.apply(pipeline(source(), stage, watched("Prod")))
    with pytest.raises(CommandError, match="one-way door"):
        drilled.start()


def test_a_drill_is_no_rollback_of_what_stands_there(drilled: Drilled) -> None:
    first = drilled.house.rows()[0].id
    drilled.start()
    drilled.wait(60)
    with drilled.house.database.read() as connection:
        last = queries.last_in_stage(connection, "shop", "Test")
    assert last is not None and last.execution_id == first


@pytest.mark.parametrize("where", [{}, {"Stage": "Test"}])
def test_a_drill_says_nothing_to_who_waits_for_this_pipeline(
    drilled: Drilled, where: dict[str, str]
) -> None:
    drilled.start()
    drilled.wait(20)
    wanted = {"Pipeline": "shop", "State": "Succeeded", **where}
    waits = rule("Shop", "PipelineState", "Custom", configuration=wanted)
    work = {"name": "Work", "actions": [action("Do", "NoOp")]}
    drilled.house.apply(pipeline(source(), gated(work, waits), name="other"))
    execution = drilled.house.start("other")
    drilled.house.wait(6, step=2)
    assert drilled.house.execution(execution).status == "Succeeded"


def test_a_schedule_drills_once_a_period_and_says_once_what_it_cannot(drilled: Drilled) -> None:
    schedule = {"shop/Test": "7d", "shop/Prod": "7d"}
    drilled.drills.due(schedule)
    drilled.wait(60)
    drilled.drills.due(schedule)
    assert drilled.house.kinds().count("drill.started") == 1
    drilled.house.clock.advance(8 * 86_400)
    drilled.drills.due(schedule)
    assert drilled.house.kinds().count("drill.started") == 2
    assert "outside production" in drilled.drills._refused["shop/Prod"]


def test_the_metrics_have_the_times_and_count_no_failed_deployment(drilled: Drilled) -> None:
    drilled.start()
    drilled.wait(60)
    with drilled.house.database.read() as connection:
        found = {name: values for name, _, _, _, values in metrics.read(connection, 0.0)}
    assert found["towpath_drills"] == {("shop", "Test", "done"): 1.0}
    assert {part for _, _, part in found["towpath_drill_seconds"]} == {
        "detected", "stopped", "restored",
    }  # fmt: skip
    ended = found["towpath_deployments_ended"]
    assert ("shop", "Test", "Failed") not in ended
