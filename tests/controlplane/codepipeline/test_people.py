"""Rolling back, retrying, opening gates: what people do by CodePipeline's operations."""

from typing import Any

from controlplane.sandbox.scripted import after, judging, source_of
from controlplane.store.histories import BATCH
from controlplane.store.roles import Role
from monitors.base import Outcome, Verdict
from tests.support.house import BAD, action, deploying, gated, pipeline, rule, source
from tests.support.wire import Wire

NEVER = "00000000-0000-0000-0000-000000000000"
STAGE = {"pipelineName": "shop", "stageName": "Prod"}


def two_releases(wire: Wire) -> tuple[str, str]:
    """Both good, one after the other."""
    house = wire.doors.house
    house.apply(pipeline(source(), deploying("Prod")))
    first = house.start()
    house.wait(20)
    house.drivers["S3"].default = source_of(BAD)
    second = house.start()
    house.wait(20)
    assert house.stages(second)["Prod"] == "Succeeded"
    return first, second


def test_a_stage_goes_back_to_its_last_known_good(wire: Wire) -> None:
    first, second = two_releases(wire)
    answer = wire.call("RollbackStage", {**STAGE, "targetPipelineExecutionId": first}).json()
    got = {"pipelineName": "shop", "pipelineExecutionId": answer["pipelineExecutionId"]}
    back = wire.call("GetPipelineExecution", got).json()["pipelineExecution"]
    assert (back["executionType"], back["trigger"]["triggerType"]) == ("ROLLBACK", "ManualRollback")
    assert back["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    assert second != answer["pipelineExecutionId"]


def test_what_is_to_be_taken_away_or_never_was_is_not_gone_back_to(wire: Wire) -> None:
    _, second = two_releases(wire)
    refused = wire.call("RollbackStage", {**STAGE, "targetPipelineExecutionId": second}).json()
    assert refused["__type"] == "UnableToRollbackStageException"
    assert "to be taken away" in refused["message"]
    unknown = {**STAGE, "targetPipelineExecutionId": NEVER}
    assert wire.refusal("RollbackStage", unknown) == "PipelineExecutionNotFoundException"


def test_what_is_to_stop_in_no_pipeline_is_told_so(wire: Wire) -> None:
    asked = {"pipelineName": "nobody", "pipelineExecutionId": NEVER}
    assert wire.refusal("StopPipelineExecution", asked) == "PipelineNotFoundException"


def test_eligible_targets_are_listed(wire: Wire) -> None:
    first, second = two_releases(wire)
    asked = {"pipelineName": "shop", "filter": {"succeededInStage": {"stageName": "Prod"}}}
    listed = wire.call("ListPipelineExecutions", asked).json()["pipelineExecutionSummaries"]
    assert [one["pipelineExecutionId"] for one in listed] == [second, first]


def test_a_failed_stage_runs_again_in_the_same_execution(wire: Wire) -> None:
    house = wire.doors.house
    house.apply(pipeline(source(), {"name": "Test", "actions": [action("Try", "NoOp")]}))
    house.drivers["NoOp"].default = after(0, Outcome.FAILED, "red")
    execution = house.start()
    house.drivers["NoOp"].default = after(0)
    asked = {"pipelineName": "shop", "stageName": "Test", "pipelineExecutionId": execution}
    again = wire.call("RetryStageExecution", {**asked, "retryMode": "FAILED_ACTIONS"}).json()
    house.settle()
    state = wire.call("GetPipelineState", {"name": "shop"}).json()["stageStates"][1]
    assert again == {"pipelineExecutionId": execution}
    assert state["latestExecution"]["status"] == "Succeeded"
    assert state["retryStageMetadata"]["manualStageRetryAttempt"] == 1


def test_a_stage_that_tried_again_by_itself_says_so_and_what_its_conditions_saw(wire: Wire) -> None:
    house = wire.doors.house
    given = {"Variable": "a", "Operator": "EQ", "Value": "b"}
    asked = {"result": "RETRY", "rules": [rule("Asked", "VariableCheck", configuration=given)]}
    stage = {"name": "Test", "actions": [action("Try", "NoOp")]}
    house.apply(pipeline(source(), {**stage, "onFailure": {"conditions": [asked]}}))
    house.drivers["NoOp"].default = after(0, Outcome.FAILED, "red")
    house.start()
    state = wire.call("GetPipelineState", {"name": "shop"}).json()["stageStates"][1]
    assert state["retryStageMetadata"] == {
        "autoStageRetryAttempt": 1,
        "latestRetryTrigger": "AutomatedStageRetry",
    }
    assert state["latestExecution"]["status"] == "Failed"
    assert state["onFailureConditionState"]["latestExecution"]["status"] == "Failed"


def test_what_failed_says_why(wire: Wire) -> None:
    house = wire.doors.house
    house.apply(pipeline(source(), {"name": "Test", "actions": [action("Try", "NoOp")]}))
    house.drivers["NoOp"].default = after(0, Outcome.FAILED, "red")
    house.start()
    listed = wire.call("ListActionExecutions", {"pipelineName": "shop"}).json()
    (tried,) = [one for one in listed["actionExecutionDetails"] if one["actionName"] == "Try"]
    result: Any = tried["output"]["executionResult"]
    assert (tried["status"], result["errorDetails"]["code"]) == ("Failed", "JobFailed")
    assert "red" in result["errorDetails"]["message"]


def test_two_people_open_a_gate(wire: Wire) -> None:
    house = wire.doors.house
    house.drivers["AlarmAtGate"].default = judging(Verdict.FAIL)
    alarm = rule("Quiet", "CloudWatchAlarm", configuration={"AlarmName": "errors"})
    work = {"name": "Work", "actions": [action("Do", "NoOp")]}
    house.apply(pipeline(source(), gated(work, alarm)))
    execution = house.start()
    house.wait(6, step=2)
    asked = {"pipelineName": "shop", "stageName": "Work", "pipelineExecutionId": execution}
    asked["conditionType"] = "BEFORE_ENTRY"
    assert wire.refusal("OverrideStageCondition", asked) == ""
    assert house.stages(execution)["Work"] == "Inbound"
    assert Wire(wire.doors, Role.RELEASE_MANAGER).refusal("OverrideStageCondition", asked) == ""
    house.settle()
    assert house.stages(execution)["Work"] == "Succeeded"


def test_rules_are_listed_with_their_verdicts(wire: Wire) -> None:
    two_releases(wire)
    listed = wire.call("ListRuleExecutions", {"pipelineName": "shop"}).json()
    found = [(one["ruleName"], one["status"]) for one in listed["ruleExecutionDetails"]]
    assert found == [("Alarm", "Succeeded")] * 2


def test_a_deployments_targets_are_the_ledgers(wire: Wire) -> None:
    two_releases(wire)
    listed = wire.call("ListActionExecutions", {"pipelineName": "shop"}).json()
    newest = next(one for one in listed["actionExecutionDetails"] if one["actionName"] == "Deploy")
    asked = {"actionExecutionId": newest["actionExecutionId"]}
    (target,) = wire.call("ListDeployActionExecutionTargets", asked).json()["targets"]
    assert (target["targetId"], target["status"]) == ("prod//shop/all", "Succeeded")


def test_pages_of_actions_hold_each_once_and_go_on_behind_many_executions(wire: Wire) -> None:
    house = wire.doors.house
    house.apply(pipeline(source(), {"name": "Test", "actions": [action("Try", "NoOp")]}))
    for _ in range(BATCH + 2):
        house.start()
    found, asked = [], {"pipelineName": "shop", "maxResults": 75}
    while True:
        page = wire.call("ListActionExecutions", asked).json()
        found += [one["actionExecutionId"] for one in page["actionExecutionDetails"]]
        if "nextToken" not in page:
            break
        asked["nextToken"] = page["nextToken"]
    assert len(found) == len(set(found)) == 2 * (BATCH + 2)
