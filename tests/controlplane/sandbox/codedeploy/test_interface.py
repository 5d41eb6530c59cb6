import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from tests.controlplane.sandbox.codedeploy.lab import ACCOUNT, REGION, Lab

SHOP: dict[str, Any] = {"applicationName": "shop", "deploymentGroupName": "prod"}


@pytest.mark.parametrize(
    ("call", "arguments", "code"),
    [
        ("get_deployment", {"deploymentId": "d-0"}, "DeploymentDoesNotExistException"),
        ("stop_deployment", {"deploymentId": "d-0"}, "DeploymentDoesNotExistException"),
        ("continue_deployment", {"deploymentId": "d-0"}, "DeploymentDoesNotExistException"),
        ("get_deployment_group", SHOP | {"applicationName": "x"}, "ApplicationDoesNotExist"),
        ("get_deployment_group", SHOP | {"deploymentGroupName": "x"}, "DeploymentGroupDoesNotE"),
        ("list_deployments", SHOP | {"applicationName": "x"}, "ApplicationDoesNotExistExcept"),
        ("list_deployments", {"applicationName": "shop"}, "DeploymentGroupNameRequired"),
        ("list_deployments", {"includeOnlyStatuses": ["Odd"]}, "InvalidDeploymentStatus"),
        ("list_deployments", {"nextToken": "odd"}, "InvalidNextToken"),
        ("create_deployment", SHOP, "RevisionRequiredException"),
        ("get_deployment_config", {"deploymentConfigName": "x"}, "DeploymentConfigDoesNotExist"),
        ("batch_get_deployments", {"deploymentIds": ["d-0"] * 26}, "BatchLimitExceeded"),
    ],
)
def test_what_codedeploy_refuses_is_refused_by_its_name(
    lab: Lab, call: str, arguments: dict[str, Any], code: str
) -> None:
    lab.group()
    with pytest.raises(ClientError, match=code):
        getattr(lab.codedeploy, call)(**arguments)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"description": "x" * 257}, "DescriptionTooLong"),
        ({"deploymentConfigName": "x"}, "DeploymentConfigDoesNotExist"),
        ({"autoRollbackConfiguration": {"enabled": True}}, "InvalidAutoRollbackConfig"),
        ({"overrideAlarmConfiguration": {"enabled": True}}, "InvalidAlarmConfig"),
        (
            {"overrideAlarmConfiguration": {"alarms": [{"name": str(n)} for n in range(11)]}},
            "AlarmsLimitExceeded",
        ),
        ({"fileExistsBehavior": "ODD"}, "InvalidFileExistsBehavior"),
    ],
)
def test_a_wrong_deployment_is_refused_and_not_begun(
    lab: Lab, settings: dict[str, Any], code: str
) -> None:
    lab.group()
    with pytest.raises(ClientError, match=code):
        lab.start(lab.upload(), **settings)
    assert lab.codedeploy.list_deployments()["deployments"] == []


def test_what_is_not_emulated_is_refused(lab: Lab) -> None:
    lab.group()
    with pytest.raises(NotImplementedError, match="targetInstances"):
        lab.start(lab.upload(), targetInstances={"autoScalingGroups": ["a"]})
    with pytest.raises(NotImplementedError, match="ECS"):
        lab.codedeploy.create_application(applicationName="l", computePlatform="ECS")
    with pytest.raises(NotImplementedError, match="GitHub"):
        lab.start({"revisionType": "GitHub", "gitHubLocation": {"repository": "a/b"}})


def test_the_answers_have_the_shapes_that_botocore_knows(lab: Lab) -> None:
    lab.group(triggerConfigurations=[], autoRollbackConfiguration={"enabled": False})
    lab.deploy(lab.upload())
    bad = lab.deploy(lab.upload(2, {"AfterInstall": "exit 1"}))["deploymentId"]
    by_id = {"deploymentId": bad}
    for call, arguments in (
        ("GetDeployment", by_id),
        ("BatchGetDeployments", {"deploymentIds": [bad]}),
        ("ListDeploymentTargets", by_id),
        ("BatchGetDeploymentTargets", by_id | {"targetIds": ["i-0"]}),
        ("GetDeploymentGroup", SHOP),
        ("ListDeploymentConfigs", {}),
        ("GetDeploymentConfig", {"deploymentConfigName": "CodeDeployDefault.OneAtATime"}),
    ):
        shape: Any = lab.codedeploy.meta.service_model.operation_model(call).output_shape
        answer = getattr(lab.codedeploy, xform_name(call))(**arguments)
        del answer["ResponseMetadata"]
        report = ParamValidator().validate(answer, shape)
        assert not report.has_errors(), (call, report.generate_report())
        assert not list(_wrong_words(answer, shape)), call


def _wrong_words(value: Any, shape: Any) -> Iterator[tuple[str, str]]:
    """Find the values of enumerations that botocore does not know."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            yield from _wrong_words(inner, shape.members[name])
    elif shape.type_name == "list":
        for inner in value:
            yield from _wrong_words(inner, shape.member)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield shape.name, value


def test_more_than_25_targets_in_a_batch_are_refused(lab: Lab) -> None:
    lab.group()
    done = lab.deploy(lab.upload())["deploymentId"]
    with pytest.raises(ClientError, match="BatchLimitExceeded"):
        lab.codedeploy.batch_get_deployment_targets(deploymentId=done, targetIds=["i-0"] * 26)
    with pytest.raises(ClientError, match="DeploymentTargetDoesNotExist"):
        lab.codedeploy.batch_get_deployment_targets(deploymentId=done, targetIds=["i-9"])


def test_deployments_are_listed_by_group_status_and_time(lab: Lab) -> None:
    lab.group()
    good = lab.deploy(lab.upload())["deploymentId"]
    bad = lab.deploy(lab.upload(2, {"AfterInstall": "exit 1"}))["deploymentId"]
    names = lab.codedeploy.list_deployments(**SHOP)["deployments"]
    assert names == [bad, good]
    failed = lab.codedeploy.list_deployments(**SHOP, includeOnlyStatuses=["Failed"])
    assert failed["deployments"] == [bad]
    past: Any = {"end": datetime(2020, 1, 1, tzinfo=UTC)}
    assert lab.codedeploy.list_deployments(**SHOP, createTimeRange=past)["deployments"] == []
    recent: Any = {"start": datetime.now(UTC) - timedelta(hours=1)}  # noqa: TID251
    assert len(lab.codedeploy.list_deployments(**SHOP, createTimeRange=recent)["deployments"]) == 2


def test_a_group_is_changed_and_deleted(lab: Lab) -> None:
    lab.group()
    lab.codedeploy.update_deployment_group(
        applicationName="shop",
        currentDeploymentGroupName="prod",
        newDeploymentGroupName="prod-2",
        deploymentConfigName="CodeDeployDefault.AllAtOnce",
    )
    both = lab.codedeploy.batch_get_deployment_groups(
        applicationName="shop", deploymentGroupNames=["prod", "prod-2"]
    )
    assert [g["deploymentConfigName"] for g in both["deploymentGroupsInfo"]] == [
        "CodeDeployDefault.AllAtOnce"
    ]
    assert "prod" in both["errorMessage"]
    lab.codedeploy.delete_deployment_group(applicationName="shop", deploymentGroupName="prod-2")
    listed = lab.codedeploy.list_deployment_groups(applicationName="shop")
    assert listed["deploymentGroups"] == []


def test_a_deployment_tells_eventbridge_and_its_triggers(lab: Lab) -> None:
    queue, topic = _listen()
    trigger = {
        "triggerName": "all",
        "triggerTargetArn": topic,
        "triggerEvents": ["DeploymentStart", "DeploymentFailure", "InstanceFailure"],
    }
    lab.group(triggerConfigurations=[trigger])
    lab.deploy(lab.upload(hooks={"AfterInstall": "exit 1"}))
    lab.around.close()
    told = _messages(queue)
    states = [one["detail"]["state"] for one in told if "detail" in one]
    assert states == ["START", "START", "FAILURE", "FAILURE"]
    notes = [json.loads(one["Message"]) for one in told if "Message" in one]
    assert [one.get("status") or one["instanceStatus"] for one in notes] == [
        "InProgress",
        "Failed",
        "Failed",
    ]
    assert notes[-1]["errorInformation"]["ErrorCode"] == "HEALTH_CONSTRAINTS"
    assert notes[-1]["deploymentOverview"]["Failed"] == "1"


def _listen() -> tuple[str, str]:
    sqs, sns = boto3.client("sqs", REGION), boto3.client("sns", REGION)
    events = boto3.client("events", REGION)
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    events.put_rule(Name="r", EventPattern='{"source": ["aws.codedeploy"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    return queue, topic


def _messages(queue: str) -> list[dict[str, Any]]:
    sqs, found = boto3.client("sqs", REGION), list[dict[str, Any]]()
    while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for one in batch:
            found.append(json.loads(one["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return found
