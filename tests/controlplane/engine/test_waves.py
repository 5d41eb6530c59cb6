"""Waves through the real engine: who starts when, what stops them, and how they go back."""

from collections.abc import Mapping

import pytest

from controlplane.declarations.load import parse_text
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.refusals import CommandError
from controlplane.sandbox.scripted import Script, after, judging, source_of
from monitors.base import Outcome, Progress, Task, Verdict
from tests.support.house import ANNE, BAD, House
from tests.support.waved import waved

PIPELINE = waved()


def declared(text: str = PIPELINE) -> PipelineDeclaration:
    return parse_text(text)


@pytest.fixture
def house(empty: House) -> House:
    """Release 1 went through all waves."""
    empty.apply(declared())
    empty.start()
    empty.wait(300, step=5)
    assert empty.rows()[0].status == "Succeeded"
    for driver in empty.drivers.values():
        driver.started.clear()
    empty.drivers["S3"].default = source_of(BAD)
    return empty


def started(house: House, provider: str = "CodeDeploy") -> list[str]:
    """Targets in the order of their starts; those that started together by their names."""
    found = house.drivers[provider].started
    named = sorted((str(task.now), task.configuration["Target"]) for task in found)
    return [target for _, target in named]


def signals(house: House, says: Mapping[str, Script]) -> None:
    scripts = house.drivers["CloudWatchAlarm"].scripts
    scripts.update({f"Alarm-{target}": script for target, script in says.items()})


def test_the_one_box_goes_first_and_the_waves_follow_after_bake_and_pause(house: House) -> None:
    house.start()
    assert started(house) == ["box"]
    house.wait(85)
    assert started(house) == ["box"]
    house.wait(10)
    assert started(house) == ["box", "a", "b"]
    house.wait(95)
    assert started(house) == ["box", "a", "b", "c", "d"]
    house.wait(30)
    assert house.rows()[0].status == "Succeeded"


def test_a_rule_watches_from_the_start_of_the_deployment_to_its_own_target(house: House) -> None:
    house.start()
    house.wait(20)
    watching = {t.configuration["Target"]: t for t in house.drivers["CloudWatchAlarm"].started}
    assert set(watching) == {"box"}
    house.wait(90)
    watching |= {t.configuration["Target"]: t for t in house.drivers["CloudWatchAlarm"].started}
    assert set(watching) == {"box", "a", "b"}
    box, a = watching["box"].since, watching["a"].since
    assert box is not None and a is not None
    assert (a - box).total_seconds() >= 90


def test_the_first_fail_stops_everything_and_waves_go_back_in_reverse(house: House) -> None:
    house.drivers["CodeDeploy"].scripts["Deploy-b"] = after(10**6)
    signals(house, {"a": judging(Verdict.PASS, Verdict.FAIL)})
    house.start()
    house.wait(150)
    assert started(house) == ["box", "a", "b"], "the third wave never begins"
    assert sorted(started(house, "CodeDeployStop")) == ["a", "b", "box"]
    assert started(house, "CodeDeployRestore") == ["a", "b", "box"]
    assert house.rows()[0].rollback_state == "done"


def test_what_was_never_deployed_is_neither_restored_nor_verified(house: House) -> None:
    signals(house, {"box": judging(Verdict.PASS, Verdict.FAIL)})
    house.start()
    house.wait(60)
    assert started(house, "CodeDeployRestore") == ["box"]
    assert started(house, "CloudWatchAlarmRecovered") == ["box"]


def test_a_target_without_a_way_back_keeps_no_other_from_going_back(house: House) -> None:
    text = PIPELINE.replace("{name: a}, ", "{name: new}, {name: a}, ")
    house.apply(declared(text))
    signals(house, {"a": judging(Verdict.PASS, Verdict.FAIL)})
    house.start()
    house.wait(150)
    assert sorted(started(house)) == ["a", "box", "new"]
    assert started(house, "CodeDeployRestore") == ["a", "box"]
    assert "person.paged" in house.kinds()


def test_a_restore_that_fails_keeps_no_other_target_from_going_back(house: House) -> None:
    signals(house, {"a": judging(Verdict.PASS, Verdict.FAIL)})
    failed = after(1, Outcome.FAILED, "the hook said no")
    house.drivers["CodeDeployRestore"].scripts["Restore-Deploy-b"] = failed
    house.start()
    house.wait(150)
    assert started(house, "CodeDeployRestore") == ["a", "b", "box"]
    assert house.rows()[0].rollback_state == "failed"
    assert not house.drivers["CloudWatchAlarmRecovered"].started, "it is not called well"
    assert "person.paged" in house.kinds(house.rows()[0].id)


@pytest.mark.parametrize("verdict", [Verdict.NO_DATA, Verdict.UNREACHABLE, Verdict.INCONCLUSIVE])
def test_silence_never_lets_the_next_wave_begin(house: House, verdict: Verdict) -> None:
    signals(house, {"box": judging(Verdict.PASS, verdict)})
    house.start()
    house.wait(400, step=2)
    assert started(house) == ["box"]
    assert house.stages(house.rows()[0].id)["Prod"] == "InProgress"
    assert "stage.held" in house.kinds(house.rows()[0].id)


def test_a_signal_that_comes_back_lets_the_next_wave_begin(house: House) -> None:
    signals(house, {"box": judging(*[Verdict.NO_DATA] * 22, Verdict.PASS)})
    house.start()
    house.wait(100)
    assert started(house) == ["box"]
    house.wait(20)
    assert started(house) == ["box", "a", "b"]


def test_a_persons_word_lets_the_held_wave_begin_and_no_other(house: House) -> None:
    silent = judging(Verdict.PASS, Verdict.NO_DATA)
    signals(house, {"box": silent, "a": silent})
    execution = house.start()
    house.wait(60)
    with pytest.raises(CommandError, match="only a bake or a wave that is held"):
        house.commands.judge(execution, "Prod", ANNE, passes=True, reason="too early")
    house.wait(60)
    house.commands.judge(execution, "Prod", ANNE, passes=True, reason="the box is well")
    house.wait(120)
    assert started(house) == ["box", "a", "b"]
    assert house.texts("stage.judged") == ["anne (api) lets it pass: the box is well"]


def test_a_restart_in_the_pause_neither_skips_nor_repeats_it(house: House) -> None:
    house.start()
    house.wait(50)
    house.engine = house.new_engine()
    house.wait(35)
    assert started(house) == ["box"]
    house.engine = house.new_engine()
    house.wait(10)
    assert started(house) == ["box", "a", "b"]


def test_who_was_away_for_long_judges_anew_before_going_on(house: House) -> None:
    house.start()
    house.wait(50)
    signals(house, {"box": judging(Verdict.NO_DATA)})
    house.engine = house.new_engine()
    house.clock.advance(100_000)
    house.settle()
    house.wait(5)
    assert started(house) == ["box"], "what was seen a day ago does not count"
    assert house.stages(house.rows()[0].id)["Prod"] == "InProgress", "and nothing timed out"


def test_no_more_targets_are_under_way_than_declared(empty: House) -> None:
    text = PIPELINE.replace("oneBox: {name: box}", "maxInFlight: 2").replace("[2]", "[4]")
    empty.apply(declared(text))
    looks = {"a": 20, "b": 5, "c": 5, "d": 5}
    for target, seconds in looks.items():
        empty.drivers["CodeDeploy"].scripts[f"Deploy-{target}"] = after(seconds)
    empty.start()
    assert started(empty) == ["a", "b"]
    while len(started(empty)) < 3:
        empty.wait(1)
    assert started(empty) == ["a", "b", "c"], "as soon as one ends, another one starts"


def test_a_failed_deployment_fails_the_stage_at_once(house: House) -> None:
    house.drivers["CodeDeploy"].scripts["Deploy-a"] = after(1, Outcome.FAILED, "no")
    house.start()
    house.wait(120)
    assert started(house) == ["box", "a", "b"]
    assert sorted(started(house, "CodeDeployRestore")) == ["a", "b", "box"]


def test_a_stop_that_waits_does_not_wait_for_a_bake(house: House) -> None:
    execution = house.start()
    house.wait(10)
    house.commands.stop(execution, ANNE, abandon=False, reason="r")
    house.settle()
    assert house.rows()[0].status == "Stopped"


def test_what_was_stopped_is_watched_only_where_it_was_deployed(house: House) -> None:
    house.apply(declared(PIPELINE.replace("time: 10s", "time: 10m")))
    execution = house.start()
    house.wait(20)
    house.commands.stop(execution, ANNE, abandon=False, reason="enough")
    house.wait(5)
    signals(house, {"c": judging(Verdict.FAIL)})
    house.wait(120, step=5)
    assert house.rows()[0].id == execution and started(house) == ["box"]
    signals(house, {"box": judging(Verdict.FAIL)})
    house.wait(120, step=5)
    assert house.rows()[0].rolls_back == execution


def test_a_retry_bakes_the_wave_again_that_was_left_without_a_next(house: House) -> None:
    text = PIPELINE.replace("onFailure: rollback", "onFailure: fail").replace(
        "time: 10s", "{time: 10s, onFail: FAIL}"[1:-1].replace(", ", "\n      ")
    )
    house.apply(declared(text))
    signals(house, {"box": judging(*[Verdict.NO_DATA] * 22, Verdict.FAIL)})
    execution = house.start()
    house.wait(130)
    assert house.rows()[0].status == "Failed"
    signals(house, {"box": judging(Verdict.PASS)})
    house.drivers["CodeDeploy"].started.clear()
    house.commands.retry(execution, "Prod", ANNE, all_actions=False)
    house.wait(80)
    assert started(house) == []
    house.wait(20)
    assert started(house) == ["a", "b"]


def test_a_target_that_cannot_go_back_keeps_no_other_where_it_is(house: House) -> None:
    house.apply(declared(PIPELINE.replace("pause: 30s", "pause: 30s\n      maxInFlight: 1")))
    house.drivers["CodeDeployRestore"].default = lost("b")
    house.start()
    house.wait(192)
    signals(house, {"box": judging(Verdict.FAIL)})
    house.wait(60)
    back = house.rows()[0]
    assert (back.type, back.rollback_state) == ("ROLLBACK", "failed")
    assert started(house, "CodeDeployRestore") == [
        "d",
        "c",
        "b",
        "a",
        "box",
    ]


def lost(target: str) -> Script:
    def script(task: Task, asked: int) -> Progress:
        ended = Outcome.FAILED if task.configuration["Target"] == target else Outcome.SUCCEEDED
        return after(1, ended, "NO_INSTANCES")(task, asked)  # type: ignore[return-value]

    return script


def test_a_one_way_door_is_asked_for_once_before_the_first_wave(house: House) -> None:
    house.apply(declared(PIPELINE.replace("    waves:\n", "    rollbackSafe: false\n    waves:\n")))
    house.drivers["Manual"].default = after(1000)
    execution = house.start()
    house.wait(60, step=5)
    assert house.kinds(execution).count("approval.needed") == 1
    assert not house.drivers["CodeDeploy"].started
