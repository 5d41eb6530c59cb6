"""Plain boto3 against a running Towpath: the ways people go, one after the other."""

from typing import Any

import pytest

from tests.support.changed import changes_in_prod
from tests.support.doors import Doors
from tests.support.house import deploying, pipeline, source
from tests.support.wire import boto

ROLE = "arn:aws:iam::000000000319:role/CodePipeline"
"""In the account `dev` of the tests' registry."""


def shop(name: str = "shop") -> dict[str, Any]:
    """A structure as somebody has it at CodePipeline: no account and no region is said."""
    upload = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}
    ask = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
    return {
        "name": name,
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "pipelineType": "V2",
        "variables": [{"name": "Colour", "defaultValue": "blue"}],
        "stages": [
            {
                "name": "Source",
                "actions": [
                    {
                        "name": "Upload",
                        "actionTypeId": upload,
                        "runOrder": 1,
                        "configuration": {"S3Bucket": "in", "S3ObjectKey": "shop.zip"},
                        "outputArtifacts": [{"name": "App"}],
                        "inputArtifacts": [],
                    }
                ],
            },
            {"name": "Gate", "actions": [{"name": "Ask", "actionTypeId": ask, "runOrder": 1}]},
        ],
    }


def test_a_pipeline_is_created_got_changed_and_deleted(doors: Doors) -> None:
    with boto(doors) as client:
        made = client.create_pipeline(pipeline=shop(), tags=[{"key": "team", "value": "a"}])
        got = client.get_pipeline(name="shop")
        again = got["pipeline"] | {"executionMode": "QUEUED"}
        assert client.update_pipeline(pipeline=again)["pipeline"]["version"] == 2
        assert client.get_pipeline(name="shop", version=1)["pipeline"] == made["pipeline"]
        (listed,) = client.list_pipelines()["pipelines"]
        assert (listed["version"], listed["executionMode"]) == (2, "QUEUED")
        arn = got["metadata"]["pipelineArn"]
        assert client.list_tags_for_resource(resourceArn=arn)["tags"][0]["value"] == "a"
        client.delete_pipeline(name="shop")
        with pytest.raises(client.exceptions.PipelineNotFoundException):
            client.get_pipeline(name="shop")
        assert client.create_pipeline(pipeline=shop())["pipeline"]["version"] == 3


def test_what_was_sent_comes_back_with_the_region_and_no_account(doors: Doors) -> None:
    with boto(doors) as client:
        client.create_pipeline(pipeline=shop())
        got = client.get_pipeline(name="shop")["pipeline"]
    upload = got["stages"][0]["actions"][0]
    assert upload == shop()["stages"][0]["actions"][0] | {"region": "eu-west-1"}
    assert got["variables"] == shop()["variables"]
    assert got["artifactStore"] == shop()["artifactStore"]


def test_an_approval_is_found_in_the_state_and_given_once(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    with boto(doors) as client:
        gate = client.get_pipeline_state(name="shop")["stageStates"][1]
        said = {
            "pipelineName": "shop",
            "stageName": "Gate",
            "actionName": "Ask",
            "result": {"status": "Approved", "summary": "well"},
        }
        rejected = {"status": "Rejected", "summary": "too late"}
        token = gate["actionStates"][0]["latestExecution"]["token"]
        with pytest.raises(client.exceptions.InvalidApprovalTokenException):
            client.put_approval_result(**said, token="00000000-0000-0000-0000-000000000000")
        client.put_approval_result(**said, token=token)
        with pytest.raises(client.exceptions.ApprovalAlreadyCompletedException):
            client.put_approval_result(**said | {"result": rejected}, token=token)
        doors.house.settle()
        pages = client.get_paginator("list_action_executions").paginate(pipelineName="shop")
        found = [one["actionName"] for page in pages for one in page["actionExecutionDetails"]]
    assert found[-2:] == ["Ask", "Upload"]
    assert doors.house.stages(execution)["Gate"] == "Succeeded"


def test_a_token_of_what_has_changed_since_decides_nothing_and_is_on_record(doors: Doors) -> None:
    execution = doors.waits_for_approval()

    def token(client: Any) -> str:
        gate = client.get_pipeline_state(name="shop")["stageStates"][1]
        there: str = gate["actionStates"][0]["latestExecution"]["token"]
        listed = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"][0]
        outside = listed["output"]["executionResult"]["externalExecutionId"]
        assert (listed["actionName"], outside) == ("Ask", there)
        return there

    with boto(doors) as client:
        said = {"pipelineName": "shop", "stageName": "Gate", "actionName": "Ask"}
        result = {"status": "Approved", "summary": "well"}
        before = token(client)
        changes_in_prod(doors.house)
        with pytest.raises(client.exceptions.InvalidApprovalTokenException, match="has changed"):
            client.put_approval_result(**said, result=result, token=before)
        (kept,) = doors.house.texts("approval.refused")
        assert "was refused: what you saw has changed since" in kept
        now = token(client)
        assert now != before
        client.put_approval_result(**said, result=result, token=now)
    doors.house.settle()
    assert doors.house.stages(execution)["Gate"] == "Succeeded"


def test_an_execution_is_started_seen_and_stopped(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", bake="10m")))
    with boto(doors) as client:
        asked = {"name": "shop", "clientRequestToken": "once"}
        id_ = client.start_pipeline_execution(**asked)["pipelineExecutionId"]
        again = client.start_pipeline_execution(**asked, sourceRevisions=[])
        assert again["pipelineExecutionId"] == id_
        doors.house.settle()
        named = {"pipelineName": "shop", "pipelineExecutionId": id_}
        got = client.get_pipeline_execution(**named)["pipelineExecution"]
        assert got["status"] == "InProgress"
        assert got["artifactRevisions"][0]["name"] == "App"
        client.stop_pipeline_execution(**named, reason="enough")
        doors.house.settle()
        with pytest.raises(client.exceptions.PipelineExecutionNotStoppableException):
            client.stop_pipeline_execution(**named)
        (one,) = client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert (one["status"], one["stopTrigger"]["reason"]) == ("Stopped", "stop and wait")


def test_a_paginator_sees_each_execution_once(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", bake="1s")))
    started = [doors.house.start() for _ in range(5)]
    with boto(doors) as client:
        pages = client.get_paginator("list_pipeline_executions").paginate(
            pipelineName="shop", PaginationConfig={"PageSize": 2}
        )
        found = [
            one["pipelineExecutionId"]
            for page in pages
            for one in page["pipelineExecutionSummaries"]
        ]
    assert found == started[::-1]


def test_a_closed_way_in_is_in_the_state(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    with boto(doors) as client:
        way = {"pipelineName": "shop", "stageName": "Source", "transitionType": "Outbound"}
        client.disable_stage_transition(**way, reason="a fair")
        prod = client.get_pipeline_state(name="shop")["stageStates"][1]
        assert prod["inboundTransitionState"]["disabledReason"] == "a fair"
        client.enable_stage_transition(**way)
        prod = client.get_pipeline_state(name="shop")["stageStates"][1]
    assert prod["inboundTransitionState"]["enabled"]


def test_a_failed_stage_is_retried_and_no_other(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", watched=False)))
    with boto(doors) as client:
        execution = doors.house.start()
        asked = {
            "pipelineName": "shop",
            "stageName": "Prod",
            "pipelineExecutionId": execution,
            "retryMode": "FAILED_ACTIONS",
        }
        with pytest.raises(client.exceptions.StageNotRetryableException):
            client.retry_stage_execution(**asked)
        with pytest.raises(client.exceptions.StageNotFoundException):
            client.retry_stage_execution(**asked | {"stageName": "Nowhere"})
