"""Executions through the real engine on SQLite, with scripted vendors and a clock that moves when told."""

from datetime import timedelta

import pytest

from controlplane.engine.refusals import CommandError
from controlplane.sandbox.scripted import Script, after, judging, source_of
from controlplane.store import ledger, queries
from monitors.base import MonitorError, Outcome, Progress, Task, Verdict
from tests.support.house import ANNE, BAD, GOOD, House, action, deploying, pipeline, source

PROD = "prod//shop/all"


@pytest.fixture
def house(empty: House) -> House:
    return empty


def released(house: House) -> House:
    """Release 1 went through and is the last known good."""
    house.apply(pipeline(source(), deploying("Dev"), deploying("Prod")))
    house.start()
    house.wait(40)
    house.drivers["S3"].default = source_of(BAD)
    return house


def bad_in_prod(house: House) -> str:
    """Release 2 deploys slowly and its alarm goes off in Prod, in flight."""
    watching = house.drivers["CloudWatchAlarm"]
    watching.scripts["Alarm"] = lambda task, asked: judging(
        Verdict.PASS, Verdict.FAIL if task.stage == "Prod" else Verdict.PASS
    )(task, asked)
    house.drivers["CodeDeploy"].default = after(20)
    return house.start()


def test_a_build_goes_through_every_stage_and_becomes_the_last_known_good(house: House) -> None:
    released(house)
    with house.database.read() as connection:
        entry = ledger.entries(connection, PROD)[0]
    assert (entry.digest, entry.status) == (GOOD, "GOOD")
    assert house.rows()[0].status == "Succeeded"


def test_the_bake_watches_from_the_deployments_start(house: House) -> None:
    released(house)
    bad_in_prod(house)
    house.wait(8)
    started = [task.stage for task in house.drivers["CloudWatchAlarm"].started]
    assert started.count("Dev") == 2, "the rule watches while CodeDeploy is still deploying"


def test_a_bad_signal_stops_what_is_in_flight_and_restores_the_last_known_good(
    house: House,
) -> None:
    released(house)
    bad = bad_in_prod(house)
    house.wait(240)
    back = house.rows()[0]
    assert (back.type, back.rolls_back, back.rollback_state) == ("ROLLBACK", bad, "done")
    (stop,) = house.drivers["CodeDeployStop"].started
    (restore,) = house.drivers["CodeDeployRestore"].started
    assert stop.configuration["DeploymentToken"] == house.drivers["CodeDeploy"].started[-1].token
    assert restore.configuration["RevisionDigest"] == GOOD


def test_a_rolled_back_digest_is_quarantined_and_the_way_in_is_held(house: House) -> None:
    released(house)
    bad_in_prod(house)
    house.wait(240)
    with house.database.read() as connection:
        assert ledger.quarantined(connection) == {BAD}
        held = ledger.transition(connection, "shop", "Prod")
        assert held is not None and "said FAIL" in held.reason


def test_a_quarantined_digest_enters_no_stage_until_it_is_lifted_with_a_reason(
    house: House,
) -> None:
    released(house)
    bad_in_prod(house)
    house.wait(240)
    again = house.start()
    assert house.execution(again).status == "Failed"
    assert "in quarantine" in house.execution(again).reason
    with pytest.raises(CommandError, match="reason"):
        house.commands.lift_quarantine(BAD, ANNE, reason=" ")
    house.commands.lift_quarantine(BAD, ANNE, reason="the alarm was wrong")
    assert house.execution(house.start()).status == "InProgress"


def test_without_a_last_known_good_it_holds_and_pages(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.drivers["CodeDeploy"].default = after(1, Outcome.FAILED, "ScriptFailed: exit 1")
    first = house.start()
    house.wait(10)
    assert house.execution(first).status == "Failed"
    assert "person.paged" in house.kinds(first)
    assert not house.drivers["CodeDeployRestore"].started
    with house.database.read() as connection:
        held = ledger.transition(connection, "shop", "Prod")
    assert held is not None and "no last known good" in held.reason


def test_a_rollback_that_fails_pages_a_person_and_is_not_rolled_back(house: House) -> None:
    released(house)
    house.drivers["CodeDeployRestore"].default = after(1, Outcome.FAILED, "NO_INSTANCES")
    bad_in_prod(house)
    house.wait(240)
    back = house.rows()[0]
    assert (back.type, back.status, back.rollback_state) == ("ROLLBACK", "Failed", "failed")
    assert {"person.paged", "rollback.failed"} <= set(house.kinds(back.id))


@pytest.mark.parametrize(("seconds", "ends"), [(200, "Succeeded"), (600, "Failed")])
def test_a_rollback_that_is_refused_asks_for_five_minutes(
    house: House, seconds: int, ends: str
) -> None:
    released(house)
    until = house.clock() + timedelta(seconds=seconds)

    def refused(task: Task, asked: int) -> Progress | MonitorError:
        if house.clock() < until:
            return MonitorError("May not", permanent=True, refused=True)
        return after(0)(task, asked)

    house.drivers["CodeDeployRestore"].default = refused
    bad_in_prod(house)
    house.wait(seconds + 100, step=5)
    assert house.rows()[0].status == ends


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (Verdict.NO_DATA, "stage.held"),
        (Verdict.UNREACHABLE, "stage.held"),
        (Verdict.INCONCLUSIVE, "stage.extended"),
    ],
)
def test_silence_neither_passes_nor_rolls_back(house: House, verdict: Verdict, told: str) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.PASS, verdict)
    silent = house.start()
    house.wait(120)
    assert house.stages(silent)["Prod"] == "Baking"
    assert told in house.kinds(silent)
    assert ("person.paged" in house.kinds(silent)) == (verdict is Verdict.UNREACHABLE)


def held_back(passes: int) -> Script:
    """A signal that passes so often, and then our own throttle holds its looks back."""

    def script(task: Task, asked: int) -> Progress | MonitorError:
        if asked > passes:
            return MonitorError("called often enough", retry_after=1.0, postponed=True)
        return judging(Verdict.PASS)(task, asked)

    return script


def test_a_look_that_we_put_off_pages_nobody_and_lets_no_bake_end(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.drivers["CloudWatchAlarm"].default = held_back(passes=1)
    waits = house.start()
    house.wait(60)
    assert house.stages(waits)["Prod"] == "Baking"
    assert not {"stage.held", "person.paged"} & set(house.kinds(waits))
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.PASS)
    house.wait(2)
    assert house.stages(waits)["Prod"] == "Succeeded"


def test_a_bake_ends_only_on_a_verdict_after_its_end(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", bake="30s")))
    execution = house.start()
    house.wait(29)
    assert house.stages(execution)["Prod"] == "Baking"
    house.wait(10)
    assert house.stages(execution)["Prod"] == "Succeeded"


def test_rules_of_a_stage_that_deploys_nothing_watch_from_its_last_action(house: House) -> None:
    stage = {**deploying("Prod"), "actions": [action("Smoke", "NoOp")]}
    house.apply(pipeline(source(), stage))
    execution = house.start()
    house.wait(5)
    assert house.stages(execution)["Prod"] == "Baking"
    assert house.drivers["CloudWatchAlarm"].started[0].since is not None
    house.wait(20)
    assert house.execution(execution).status == "Succeeded"


def test_the_way_back_is_found_behind_any_number_of_bad_releases(house: House) -> None:
    released(house)
    with house.database.begin() as connection:
        good = ledger.entries(connection, PROD)[0]
        row = {"pipeline": "shop", "stage": "Prod", "target": PROD, "artifact": good.artifact}
        told = {"execution_id": "e", "action": "Deploy", "token": "t", "status": "BAD", "at": 1.0}
        for number in range(1000, 1300):
            ledger.put(connection, {**row, **told, "digest": BAD, "action_id": number})
    bad_in_prod(house)
    house.wait(240)
    assert house.drivers["CodeDeployRestore"].started[0].configuration["RevisionDigest"] == GOOD


def test_one_execution_at_a_time_and_the_newest_overtakes_the_one_that_waits(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", bake="60s")))
    first, second, third = (house.start() for _ in range(3))
    assert house.stages(first)["Prod"] == "Baking"
    assert house.execution(second).status == "Superseded"
    assert house.stages(third)["Prod"] == "Inbound"
    house.wait(80)
    assert house.execution(first).status == "Succeeded"
    assert house.stages(third)["Prod"] == "Baking"


def test_a_pipeline_that_ran_in_parallel_takes_turns_once_it_is_told_to(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", bake="60s"), mode="PARALLEL"))
    first = house.start()
    house.apply(pipeline(source(), deploying("Prod", bake="60s"), mode="SUPERSEDED"))
    second = house.start()
    assert [house.stages(one)["Prod"] for one in (first, second)] == ["Baking", "Inbound"]
    house.wait(80)
    assert house.stages(second)["Prod"] == "Baking"


def test_queued_executions_keep_their_order(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", bake="10s"), mode="QUEUED"))
    first, second, third = (house.start() for _ in range(3))
    house.wait(15)
    assert house.execution(first).status == "Succeeded"
    assert house.stages(second)["Prod"] == "Baking"
    assert house.stages(third)["Prod"] == "Inbound"


def test_a_disabled_transition_keeps_everybody_out_until_it_is_enabled(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.commands.disable_transition("shop", "Prod", ANNE, reason="freeze")
    execution = house.start()
    house.wait(30)
    assert house.stages(execution)["Prod"] == "Inbound"
    house.commands.enable_transition("shop", "Prod", ANNE, reason="over")
    house.settle()
    assert house.stages(execution)["Prod"] == "Baking"


def test_the_way_into_a_stage_that_was_renamed_since_can_still_be_opened(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.commands.disable_transition("shop", "Prod", ANNE, reason="freeze")
    execution = house.start()
    house.apply(pipeline(source(), deploying("Live")))
    house.commands.enable_transition("shop", "Prod", ANNE, reason="over")
    house.settle()
    assert house.stages(execution)["Prod"] == "Baking"
    with pytest.raises(CommandError, match="no stage 'Prod'"):
        house.commands.enable_transition("shop", "Prod", ANNE, reason="again")


def test_who_waits_in_front_of_a_stage_can_be_stopped(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.commands.disable_transition("shop", "Prod", ANNE, reason="freeze")
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="not this one")
    assert house.execution(execution).status == "Stopped"
    assert house.stages(execution)["Prod"] == "Cancelled"
    assert house.kinds(execution)[-2:] == ["stage.cancelled", "execution.stopped"]


def test_an_error_that_may_pass_is_tried_again_under_the_same_token(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", watched=False)))
    answers = iter([MonitorError("throttled"), MonitorError("throttled")])
    house.drivers["CodeDeploy"].default = lambda task, asked: next(answers, after(0)(task, asked))
    execution = house.start()
    house.wait(10)
    assert house.execution(execution).status == "Succeeded"
    assert len(house.drivers["CodeDeploy"].started) == 1


def test_an_error_that_cannot_pass_fails_the_stage_with_its_sentence(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.drivers["CodeDeploy"].default = lambda _task, _asked: MonitorError(
        "there is no application shop", permanent=True
    )
    execution = house.start()
    assert house.execution(execution).status == "Failed"
    assert "there is no application shop" in house.execution(execution).reason


def test_a_time_out_stops_the_work_and_fails_it(house: House) -> None:
    slow = action("Slow", "NoOp", timeoutInMinutes=5)
    house.apply(pipeline(source(), {"name": "Test", "actions": [slow]}))
    house.drivers["NoOp"].default = after(10_000)
    execution = house.start()
    house.wait(330, step=5)
    assert house.execution(execution).status == "Failed"
    assert [task.action for task in house.drivers["NoOp"].stopped] == ["Slow"]


def test_a_failed_stage_is_retried_without_repeating_what_succeeded(house: House) -> None:
    both = [action("First", "NoOp"), action("Second", "NoOp", 2)]
    house.apply(pipeline(source(), {"name": "Test", "actions": both}))
    house.drivers["NoOp"].scripts["Second"] = after(0, Outcome.FAILED, "red")
    execution = house.start()
    house.drivers["NoOp"].scripts.clear()
    house.commands.retry(execution, "Test", ANNE, all_actions=False)
    house.settle()
    assert house.execution(execution).status == "Succeeded"
    assert [t.action for t in house.drivers["NoOp"].started] == ["First", "Second", "Second"]


def test_stop_and_wait_lets_a_deployment_end_and_starts_nothing_more(house: House) -> None:
    house.apply(pipeline(source(), deploying("Dev"), deploying("Prod")))
    house.drivers["CodeDeploy"].default = after(2)
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="wrong build")
    assert house.stages(execution)["Dev"] == "Stopping"
    house.wait(30)
    assert house.execution(execution).status == "Stopped"
    assert "Prod" not in house.stages(execution)


def test_a_person_rolls_back_what_is_finished(house: House) -> None:
    released(house)
    house.start()
    house.wait(60)
    house.commands.rollback("shop", "Prod", ANNE, reason="customers call")
    house.wait(30)
    assert house.rows()[0].rollback_state == "done"
    assert house.drivers["CodeDeployRestore"].started[0].configuration["RevisionDigest"] == GOOD


def test_every_move_has_its_event(house: House) -> None:
    released(house)
    with house.database.read() as connection:
        execution = house.rows()[0].id
        rows = queries.actions_of_execution(connection, execution)
    ended = [kind for kind in house.kinds(execution) if kind.endswith(".succeeded")]
    assert len([k for k in ended if k.startswith(("action.", "rule."))]) == len(rows)


def test_a_revision_pinned_to_no_source_is_refused(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    with pytest.raises(CommandError, match="has no source action 'Uplod'; it has Upload"):
        house.commands.start("shop", ANNE, revisions={"Uplod": "v1"})
    assert not house.rows()


def test_stop_and_wait_does_not_wait_for_an_approval(house: House) -> None:
    house.apply(pipeline(source(), {"name": "Gate", "actions": [action("Ask", "Manual")]}))
    house.drivers["Manual"].default = after(10_000)
    execution = house.start()
    house.commands.stop(execution, ANNE, abandon=False, reason="wrong build")
    assert house.execution(execution).status == "Stopped"


def test_a_rollback_by_hand_with_no_way_back_is_refused_and_changes_nothing(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.start()
    house.wait(20)
    with pytest.raises(CommandError, match="no last known good to go back to"):
        house.commands.rollback("shop", "Prod", ANNE, reason="just trying")
    with house.database.read() as connection:
        assert ledger.quarantined(connection) == frozenset()
        assert ledger.transition(connection, "shop", "Prod") is None
        assert ledger.entries(connection, PROD)[0].status == "GOOD"
