"""An execution waits at the gate of a stage until every rule holds. On both kinds of database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from controlplane.engine.gate_commands import Scope
from controlplane.engine.refusals import CommandError, Person
from controlplane.sandbox.scripted import Script, after, judging, source_of, succeed
from controlplane.store import actions, executions, gates, queries
from controlplane.store.actions import Claim
from monitors.base import MonitorError, Outcome, Progress, Task, Verdict
from tests.support.house import BAD, GOOD, House, action, deploying, gated, pipeline, rule, source

BORIS = Person("boris", "api")
ANNE = Person("anne", "api")
ALARM = rule("Quiet", "CloudWatchAlarm", configuration={"AlarmName": "errors"})
WORK = {"name": "Work", "actions": [action("Do", "NoOp")]}
FAIL, PASS = Verdict.FAIL, Verdict.PASS


def told(house: House, execution: str, kind: str) -> list[str]:
    with house.database.read() as connection:
        found = queries.events_after(connection, 0, execution=execution, limit=5000)
    return [str(event.text) for event in found if event.kind == kind]


def held(house: House, execution: str) -> str:
    with house.database.read() as connection:
        return str(executions.of_execution(connection, execution)[-1].held)


def rows(house: House, execution: str) -> list[Any]:
    with house.database.read() as connection:
        stage = executions.of_execution(connection, execution)[-1]
        return list(gates.rules(connection, stage.id))


def start(house: House, name: str = "shop") -> str:
    """Start an execution, and let every rule be looked at once."""
    execution = house.start(name)
    house.wait(6, step=2)
    return execution


def waiting(house: House, *rules: dict[str, Any], mode: str = "SUPERSEDED") -> str:
    """Start an execution that comes to a gate of these rules."""
    house.apply(pipeline(source(), gated(WORK, *(rules or (ALARM,))), mode=mode))
    return start(house)


def test_every_rule_holds_and_it_goes_in_at_once(empty: House) -> None:
    execution = waiting(empty)
    assert empty.stages(execution) == {"Source": "Succeeded", "Work": "Succeeded"}
    assert [row.status for row in rows(empty, execution)] == ["Succeeded"]
    assert "gate.closed" not in empty.kinds(execution)


def test_a_rule_that_does_not_hold_keeps_it_waiting_with_the_reason(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    execution = waiting(empty)
    assert empty.stages(execution)["Work"] == "Inbound"
    assert held(empty, execution) == "waits at the gate: Quiet: said FAIL"
    assert empty.drivers["NoOp"].started == []


@pytest.mark.parametrize("verdict", [Verdict.NO_DATA, Verdict.UNREACHABLE, Verdict.INCONCLUSIVE])
def test_silence_and_a_monitoring_that_is_away_open_nothing(empty: House, verdict: Verdict) -> None:
    empty.drivers["AlarmAtGate"].default = judging(verdict)
    execution = waiting(empty)
    empty.wait(120, step=20)
    assert empty.stages(execution)["Work"] == "Inbound"


def test_a_driver_that_raises_keeps_the_gate_closed(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = lambda _task, _asked: MonitorError("no", permanent=True)
    execution = waiting(empty)
    empty.wait(60, step=20)
    assert empty.stages(execution)["Work"] == "Inbound"
    assert execution in [row.id for row in empty.rows() if row.status == "InProgress"]


def test_it_goes_in_once_the_rule_holds(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL, FAIL, PASS)
    execution = waiting(empty)
    empty.wait(60, step=5)
    assert empty.stages(execution)["Work"] == "Succeeded"
    assert held(empty, execution) == ""
    assert {"gate.closed", "gate.opened"} <= set(empty.kinds(execution))


def test_people_hear_once_that_it_waits_however_long_it_does(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    execution = waiting(empty)
    empty.wait(600, step=30)
    assert len(told(empty, execution, "gate.closed")) == 1


def test_what_held_before_the_other_rule_did_is_looked_at_again(empty: House) -> None:
    """CodePipeline asks an alarm once, and goes in on it when the window opens hours later."""
    at = empty.clock() + timedelta(minutes=5)
    cron = {"Cron": f"* {at.minute} {at.hour} ? * * *"}
    window = rule("Window", "DeploymentWindow", configuration=cron)
    empty.drivers["AlarmAtGate"].default = seldom(PASS, FAIL)
    execution = waiting(empty, ALARM, window)
    assert "Window" in held(empty, execution)
    empty.wait(320, step=10)
    assert empty.stages(execution)["Work"] == "Inbound"
    assert "Quiet: said FAIL" in held(empty, execution)


def seldom(*verdicts: Verdict) -> Script:
    """A signal that nobody has to look at for long."""

    def script(task: Task, asked: int) -> Progress:
        found = judging(*verdicts)(task, asked)
        assert isinstance(found, Progress)
        return replace(found, look_after=timedelta(hours=2 if asked else 0, seconds=1))

    return script


def test_a_newer_execution_takes_the_place_of_one_that_waits_at_the_gate(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    first = waiting(empty)
    second = start(empty)
    assert empty.stages(first)["Work"] == "Cancelled"
    assert [row.status for row in rows(empty, first)] == ["Abandoned"]
    assert held(empty, second).startswith("waits at the gate: Quiet")


def test_in_a_queue_the_first_stands_at_the_gate_and_the_next_behind_it(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    first = waiting(empty, mode="QUEUED")
    second = start(empty)
    assert rows(empty, first) and rows(empty, second) == []
    empty.commands.stop(first, ANNE, abandon=False, reason="no")
    empty.wait(6, step=2)
    assert held(empty, second).startswith("waits at the gate: Quiet")


def test_in_parallel_each_stands_at_a_gate_of_its_own(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    first = waiting(empty, mode="PARALLEL")
    second = start(empty)
    assert len(rows(empty, first)) == len(rows(empty, second)) == 1


def test_in_parallel_one_goes_in_while_the_other_waits_on(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    first = waiting(empty, mode="PARALLEL")
    empty.drivers["AlarmAtGate"].default = lambda task, asked: judging(
        FAIL if task.execution == first else PASS
    )(task, asked)
    second = start(empty)
    assert (empty.stages(first)["Work"], empty.stages(second)["Work"]) == ("Inbound", "Succeeded")
    empty.drivers["AlarmAtGate"].default = judging(PASS)
    empty.wait(30, step=5)
    assert empty.stages(first)["Work"] == "Succeeded"


def test_a_rule_that_times_out_brings_the_declared_result(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    execution = waiting(empty, {**ALARM, "timeoutInMinutes": 5})
    empty.wait(310, step=10)
    row = empty.execution(execution)
    assert row.status == "Failed" and "Quiet keeps the gate closed: timed out" in row.reason
    assert empty.stages(execution)["Work"] == "Failed"


def test_a_stage_that_failed_at_its_gate_can_be_retried(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    execution = waiting(empty, {**ALARM, "timeoutInMinutes": 5})
    empty.wait(310, step=10)
    empty.drivers["AlarmAtGate"].default = judging(PASS)
    empty.commands.retry(execution, "Work", ANNE, all_actions=False)
    empty.wait(6, step=2)
    assert empty.execution(execution).status == "Succeeded"


def test_a_variable_that_does_not_match_skips_the_stage_at_once(empty: House) -> None:
    compare = {"Variable": "no", "Operator": "EQ", "Value": "yes"}
    check = rule("Ask", "VariableCheck", configuration=compare)
    last = {"name": "Last", "actions": [action("End", "NoOp")]}
    empty.apply(pipeline(source(), gated(WORK, check, result="SKIP"), last))
    execution = start(empty)
    assert empty.stages(execution) == {
        "Source": "Succeeded",
        "Work": "Skipped",
        "Last": "Succeeded",
    }
    assert [task.action for task in empty.drivers["NoOp"].started] == ["End"]


def test_a_skipped_last_stage_ends_the_execution_well(empty: House) -> None:
    compare = {"Variable": "no", "Operator": "EQ", "Value": "yes"}
    check = rule("Ask", "VariableCheck", configuration=compare)
    empty.apply(pipeline(source(), gated(WORK, check, result="SKIP")))
    assert empty.execution(start(empty)).status == "Succeeded"


def test_a_variable_without_a_value_keeps_the_gate_closed(empty: House) -> None:
    compare = {"Variable": "#{Build.Tag}", "Operator": "NE", "Value": "bad"}
    execution = waiting(empty, rule("Tag", "VariableCheck", configuration=compare))
    empty.wait(60, step=20)
    assert "has no value" in held(empty, execution)


def test_a_variable_without_a_value_times_out_as_any_rule_does(empty: House) -> None:
    compare = {"Variable": "#{Build.Tag}", "Operator": "NE", "Value": "bad"}
    check = rule("Tag", "VariableCheck", configuration=compare, timeoutInMinutes=5)
    execution = waiting(empty, check)
    empty.wait(320, step=20)
    assert empty.execution(execution).status == "Failed"


def test_a_function_that_succeeds_lets_in_and_one_that_fails_does_not(empty: House) -> None:
    ask = rule("Ask", "LambdaInvoke", configuration={"FunctionName": "may-we"})
    empty.drivers["LambdaAtGate"].default = succeed
    assert empty.execution(waiting(empty, ask)).status == "Succeeded"
    empty.drivers["LambdaAtGate"].default = after(0, Outcome.FAILED, "no")
    assert empty.execution(start(empty)).status == "Failed"


def test_an_expression_reads_the_execution(empty: House) -> None:
    text = {
        "Expression": f'digest == "{GOOD}" && trigger.by == "anne" && execution.type == "STANDARD"'
    }
    execution = waiting(empty, rule("Ours", "Expression", "Custom", configuration=text))
    assert empty.execution(execution).status == "Succeeded"


def test_an_expression_knows_who_approved(empty: House) -> None:
    text = {"Expression": 'approver == "boris" && "boris" in approvers'}
    ask = {"name": "Ask", "actions": [action("Approve", "Manual")]}
    empty.drivers["Manual"].default = approved
    boris = rule("Boris", "Expression", "Custom", configuration=text)
    empty.apply(pipeline(source(), ask, gated(WORK, boris)))
    assert empty.execution(start(empty)).status == "Succeeded"


def test_an_action_that_is_no_approval_cannot_say_who_approved(empty: House) -> None:
    text = {"Expression": 'approver == "boris"'}
    empty.drivers["NoOp"].scripts["Forge"] = approved
    forge = {"name": "Ask", "actions": [action("Forge", "NoOp")]}
    boris = rule("Boris", "Expression", "Custom", configuration=text)
    empty.apply(pipeline(source(), forge, gated(WORK, boris)))
    assert held(empty, start(empty)).endswith("is false")


def approved(task: Task, _asked: int) -> Progress:
    output = {"Status": "Approved", "ApprovedBy": "boris"}
    return Progress(Outcome.SUCCEEDED, task.token, output=output)


def test_another_pipelines_state_keeps_it_out_and_lets_it_in(empty: House) -> None:
    empty.apply(pipeline(source(), WORK, name="other"))
    other = {"Pipeline": "other", "Stage": "Work", "State": "Succeeded"}
    check = rule("Other", "PipelineState", "Custom", configuration=other)
    execution = waiting(empty, check)
    assert "nothing has gone through other/Work yet" in held(empty, execution)
    start(empty, "other")
    empty.wait(60, step=10)
    assert empty.execution(execution).status == "Succeeded"


@pytest.mark.parametrize(
    ("state", "holds"),
    [("Idle", True), ("NotHeld", False), ("SameDigest", True), ("Succeeded", True)],
)
def test_each_state_that_another_pipeline_may_be_asked_for(
    empty: House, state: str, holds: bool
) -> None:
    empty.apply(pipeline(source(), WORK, name="other"))
    start(empty, "other")
    empty.commands.disable_transition("other", "Work", ANNE, reason="not today")
    other = {"Pipeline": "other", "Stage": "Work", "State": state}
    execution = waiting(empty, rule("Other", "PipelineState", "Custom", configuration=other))
    assert (empty.execution(execution).status == "Succeeded") is holds


def test_a_pipeline_is_not_idle_however_much_has_ended_since_what_runs_began(empty: House) -> None:
    empty.apply(pipeline(source(), WORK, name="other", mode="PARALLEL"))
    empty.drivers["NoOp"].scripts["Do"] = after(1000)
    runs = empty.start("other")
    newer = {**empty.execution(runs)._mapping, "status": "Succeeded", "dedupe": None}
    with empty.database.begin() as connection:
        for n in range(60):
            ended = {**newer, "id": f"{runs[:-3]}f{n:02}", "ended_at": newer["started_at"]}
            executions.add(connection, {**ended, "id": f"f{ended['id'][1:]}"})
    wanted = {"Pipeline": "other", "State": "Idle"}
    execution = waiting(empty, rule("Other", "PipelineState", "Custom", configuration=wanted))
    assert f"execution {runs} is in pipeline other" in held(empty, execution)


def test_another_digest_in_the_other_pipeline_is_not_the_same(empty: House) -> None:
    empty.drivers["S3"].default = source_of(BAD)
    empty.apply(pipeline(source(), WORK, name="other"))
    start(empty, "other")
    empty.drivers["S3"].default = source_of(GOOD)
    other = {"Pipeline": "other", "State": "SameDigest"}
    execution = waiting(empty, rule("Other", "PipelineState", "Custom", configuration=other))
    assert "not sha256:aaaa" in held(empty, execution)


# --- Freezes ------------------------------------------------------------------------------------


def test_a_freeze_closes_stages_that_declare_no_gate(empty: House) -> None:
    empty.apply(pipeline(source(), WORK))
    empty.commands.freeze(Scope("shop", "Work"), ANNE, reason="the fair")
    execution = start(empty)
    assert held(empty, execution) == "waits at the gate: Freeze: frozen by anne: the fair"


def test_lifting_the_freeze_lets_in_who_waits(empty: House) -> None:
    empty.apply(pipeline(source(), WORK))
    freeze = empty.commands.freeze(Scope("shop", "Work"), ANNE, reason="the fair")
    execution = start(empty)
    empty.commands.unfreeze(freeze, ANNE, reason="it is over")
    empty.settle()
    assert empty.execution(execution).status == "Succeeded"


def test_a_freeze_ends_by_itself(empty: House) -> None:
    empty.apply(pipeline(source(), WORK))
    until = empty.clock().timestamp() + 100
    empty.commands.freeze(Scope(until=until), ANNE, reason="the fair")
    execution = start(empty)
    assert "; next opens " in held(empty, execution)
    empty.wait(85, step=5)
    assert empty.execution(execution).status == "InProgress"
    empty.wait(10, step=1)
    assert empty.execution(execution).status == "Succeeded"


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (Scope(), True),
        (Scope("shop"), True),
        (Scope(stage="Prod"), True),
        (Scope(account="prod"), True),
        (Scope(account="dev"), False),
        (Scope("shop", "Work"), False),
        (Scope(stage="Work"), False),
    ],
)
def test_what_a_freeze_covers(empty: House, scope: Scope, covered: bool) -> None:
    empty.apply(pipeline(source(), deploying("Prod"), WORK))
    execution = empty.commands.start("shop", ANNE)
    empty.settle(3)
    empty.commands.stop(execution, ANNE, abandon=True, reason="only the gate is asked")
    empty.settle()
    empty.commands.freeze(scope, ANNE, reason="r")
    second = start(empty)
    assert held(empty, second).startswith("waits at the gate: Freeze") is covered


def test_a_freeze_never_blocks_a_rollback(empty: House) -> None:
    stage = gated(deploying("Prod"), ALARM)
    empty.apply(pipeline(source(), stage))
    start(empty)
    empty.wait(15)
    empty.drivers["S3"].default = source_of(BAD)
    empty.drivers["CloudWatchAlarm"].default = judging(PASS, PASS, FAIL)
    bad = start(empty)
    empty.commands.freeze(Scope(), ANNE, reason="everything stands still")
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    empty.wait(30)
    newest = empty.rows()[0]
    assert (newest.type, newest.rolls_back) == ("ROLLBACK", bad)
    assert (newest.status, newest.rollback_state) == ("Succeeded", "done")


def test_a_freeze_does_not_block_a_rollback_that_a_person_asks_for_later(empty: House) -> None:
    empty.apply(pipeline(source(), deploying("Prod")))
    start(empty)
    empty.wait(15)
    empty.drivers["S3"].default = source_of(BAD)
    start(empty)
    empty.wait(15)
    empty.commands.freeze(Scope("shop"), ANNE, reason="everything stands still")
    empty.commands.rollback("shop", "Prod", ANNE, reason="it is bad")
    empty.wait(30)
    assert (empty.rows()[0].type, empty.rows()[0].status) == ("ROLLBACK", "Succeeded")


@pytest.mark.parametrize(
    ("scope", "reason", "said"),
    [
        (Scope("nobody"), "r", "there is no pipeline 'nobody'"),
        (Scope("shop", "Nowhere"), "r", "has no stage 'Nowhere'"),
        (Scope("shop"), " ", "needs a reason"),
        (Scope("shop", until=1.0), "r", "in the past"),
    ],
)
def test_a_freeze_of_nothing_is_refused(empty: House, scope: Scope, reason: str, said: str) -> None:
    empty.apply(pipeline(source(), WORK))
    with pytest.raises(CommandError, match=said):
        empty.commands.freeze(scope, ANNE, reason=reason)


# --- Break-glass --------------------------------------------------------------------------------


def shut(house: House) -> str:
    house.drivers["AlarmAtGate"].default = judging(FAIL)
    return waiting(house)


def test_two_people_open_a_closed_gate(empty: House) -> None:
    execution = shut(empty)
    empty.commands.override(execution, "Work", ANNE, reason="the alarm is wrong")
    assert empty.stages(execution)["Work"] == "Inbound"
    empty.commands.override(execution, "Work", BORIS, reason="it is")
    empty.settle()
    assert empty.execution(execution).status == "Succeeded"
    assert told(empty, execution, "gate.opened") == [
        "opened by anne (the alarm is wrong) and boris (it is)"
    ]


def test_one_person_alone_opens_nothing(empty: House) -> None:
    execution = shut(empty)
    empty.commands.override(execution, "Work", ANNE, reason="now")
    with pytest.raises(CommandError, match="another person must confirm"):
        empty.commands.override(execution, "Work", ANNE, reason="now!")


def test_what_was_asked_for_expires_before_the_second_person_comes(empty: House) -> None:
    execution = shut(empty)
    empty.commands.override(execution, "Work", ANNE, reason="now")
    empty.wait(3700, step=100)
    empty.commands.override(execution, "Work", BORIS, reason="I ask anew")
    empty.settle()
    assert empty.stages(execution)["Work"] == "Inbound"


def test_an_override_passes_a_freeze(empty: House) -> None:
    empty.apply(pipeline(source(), WORK))
    empty.commands.freeze(Scope("shop", "Work"), ANNE, reason="the fair")
    execution = start(empty)
    for person in (ANNE, BORIS):
        empty.commands.override(execution, "Work", person, reason="a security fix")
    empty.settle()
    assert empty.execution(execution).status == "Succeeded"


def test_an_override_does_not_open_a_way_that_is_disabled(empty: House) -> None:
    execution = shut(empty)
    empty.commands.disable_transition("shop", "Work", ANNE, reason="hold")
    for person in (ANNE, BORIS):
        empty.commands.override(execution, "Work", person, reason="now")
    empty.settle()
    assert empty.stages(execution)["Work"] == "Inbound"


def test_an_override_past_a_rule_that_timed_out_fails_nothing_behind_the_gate(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    execution = waiting(empty, {**ALARM, "timeoutInMinutes": 5})
    empty.commands.disable_transition("shop", "Work", ANNE, reason="hold")
    for person in (ANNE, BORIS):
        empty.commands.override(execution, "Work", person, reason="the alarm is wrong")
    empty.wait(310, step=10)
    assert [row.status for row in rows(empty, execution)] == ["Failed"]
    empty.commands.enable_transition("shop", "Work", ANNE, reason="go on")
    empty.settle()
    assert empty.execution(execution).status == "Succeeded"


def test_without_a_closed_gate_there_is_nothing_to_override(empty: House) -> None:
    execution = waiting(empty)
    with pytest.raises(CommandError, match="does not wait in front of Work"):
        empty.commands.override(execution, "Work", ANNE, reason="now")


# --- Incidents ----------------------------------------------------------------------------------


def incident(key: str, *, resolved: bool = False) -> dict[str, Any]:
    labels = {"alertname": key, "severity": "critical"}
    return {"key": key, "name": key, "labels": labels, "since": 0.0, "resolved": resolved}


def test_an_incident_is_open_until_it_is_said_to_be_resolved(empty: House) -> None:
    assert empty.commands.take_incidents([incident("a"), incident("b")], BORIS) == 2
    assert empty.commands.take_incidents([incident("a")], BORIS) == 0
    assert empty.commands.take_incidents([incident("a", resolved=True)], BORIS) == 1
    with empty.database.read() as connection:
        assert [row.key for row in gates.incidents(connection)] == ["b"]


def test_a_rule_that_is_being_looked_at_hears_of_an_incident_too(empty: House) -> None:
    empty.drivers["AlarmAtGate"].default = judging(FAIL)
    execution = waiting(empty)
    (row,) = rows(empty, execution)
    with empty.database.begin() as connection:
        taken = actions.claim(connection, Claim("another", row.due_at, row.due_at + 30, (9, 9)))
    assert [one.id for one in taken] == [row.id]
    empty.commands.take_incidents([incident("a")], BORIS)
    (held_by,) = rows(empty, execution)
    assert held_by.wake > row.wake and held_by.due_at == row.due_at + 30  # the lease stays


def test_however_many_are_open_the_newest_incident_closes_its_gate_and_can_be_resolved(
    empty: House,
) -> None:
    row = {"labels": "{}", "told_by": "boris", "since": 1.0, "seen_at": 1.0, "name": "another"}
    many = [{**row, "key": f"k{n}"} for n in range(gates.MOST_INCIDENTS - 1)]
    with empty.database.begin() as connection:
        connection.execute(insert(gates.INCIDENT), many)
    empty.commands.take_incidents([{**incident("Late"), "since": 2.0}], BORIS)
    wanted = {"Matchers": 'alertname="Late"'}
    execution = waiting(empty, rule("Incidents", "OpenIncident", "Custom", configuration=wanted))
    assert empty.stages(execution)["Work"] == "Inbound"
    assert empty.commands.take_incidents([incident("Late", resolved=True)], BORIS) == 1
    empty.wait(6, step=2)
    assert empty.execution(execution).status == "Succeeded"


def test_a_person_can_resolve_what_the_monitoring_has_forgotten(empty: House) -> None:
    empty.commands.take_incidents([incident("a")], BORIS)
    empty.commands.resolve_incident("a", ANNE, reason="it was mended")
    with empty.database.read() as connection:
        assert gates.incidents(connection) == []
