from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from controlplane.sandbox.codedeploy.agent import DISK_FULL
from tests.controlplane.sandbox.codedeploy.lab import REGION, Lab

HANG = 'while [ ! -e "$INSTANCE_DIR/go" ]; do sleep 0.02; done'
BAD = {"ValidateService": "exit 1"}


def _code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_only_one_deployment_of_a_group_is_active(lab: Lab) -> None:
    lab.group()
    first = lab.start(lab.upload(hooks={"AfterInstall": HANG}))
    with pytest.raises(ClientError) as refused:
        lab.start(lab.upload(2))
    assert _code(refused) == "DeploymentLimitExceededException"
    assert first in str(refused.value)
    (lab.instances[0].root / "go").touch()
    assert lab.end(first)["status"] == "Succeeded"
    assert lab.deploy(lab.upload(2))["status"] == "Succeeded"


def test_what_was_asked_for_is_answered(lab: Lab) -> None:
    lab.group()
    one = lab.upload()
    lab.deploy(one)
    info = lab.deploy(lab.upload(2), description="token 7")
    assert info["description"] == "token 7"
    assert info["previousRevision"] == one
    assert info["creator"] == "user"
    assert info["deploymentOverview"]["Succeeded"] == 1
    assert info["deploymentId"].startswith("d-")
    assert len(info["deploymentId"]) == 11


def test_the_group_knows_its_last_deployments_and_its_alarms(lab: Lab) -> None:
    lab.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
    _alarm(lab, "OK")
    good = lab.deploy(lab.upload())["deploymentId"]
    bad = lab.deploy(lab.upload(2, BAD))["deploymentId"]
    group = lab.codedeploy.get_deployment_group(applicationName="shop", deploymentGroupName="prod")[
        "deploymentGroupInfo"
    ]
    assert group["lastSuccessfulDeployment"]["deploymentId"] == good
    assert group["lastAttemptedDeployment"]["deploymentId"] == bad
    assert group["alarmConfiguration"]["alarms"] == [{"name": "errors"}]


@pytest.mark.parametrize(
    ("config", "instances", "bad", "status", "skipped"),
    [
        ("OneAtATime", 3, {0}, "Failed", 2),
        ("OneAtATime", 3, {2}, "Succeeded", 0),
        ("OneAtATime", 1, {0}, "Failed", 0),
        ("HalfAtATime", 2, {0}, "Failed", 1),
        ("HalfAtATime", 2, {1}, "Succeeded", 0),
        ("HalfAtATime", 4, {0, 1}, "Failed", 2),
        ("AllAtOnce", 3, {0, 1}, "Succeeded", 0),
        ("AllAtOnce", 2, {0, 1}, "Failed", 0),
    ],
)
def test_a_configuration_says_how_many_may_fail(
    lab: Lab, config: str, instances: int, bad: set[int], status: str, skipped: int
) -> None:
    lab.group(instances, deploymentConfigName=f"CodeDeployDefault.{config}")
    for number in bad:
        (lab.instances[number].root / "bad").touch()
    hook = 'sleep 0.1; [ ! -e "$INSTANCE_DIR/bad" ]'
    info = lab.deploy(lab.upload(hooks={"ValidateService": hook}))
    assert (info["status"], info["deploymentOverview"]["Skipped"]) == (status, skipped)


def test_a_group_without_instances_fails(lab: Lab) -> None:
    lab.group(instances=0)
    assert lab.deploy(lab.upload())["errorInformation"]["code"] == "NO_INSTANCES"


def test_a_stop_in_flight_with_rollback_restores_what_was_there(lab: Lab) -> None:
    lab.group(instances=2)
    lab.deploy(lab.upload(1))
    two = lab.start(lab.upload(2, {"AfterInstall": HANG}))
    _wait_for(lab, two, "InProgress")
    answer = lab.codedeploy.stop_deployment(deploymentId=two, autoRollbackEnabled=True)
    assert answer["status"] == "Pending"
    (lab.instances[0].root / "go").touch()
    stopped = lab.end(two)
    back = lab.end(stopped["rollbackInfo"]["rollbackDeploymentId"])
    assert (stopped["status"], stopped["errorInformation"]["code"]) == ("Stopped", "MANUAL_STOP")
    assert (back["status"], back["creator"]) == ("Succeeded", "codeDeployRollback")
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == two
    assert lab.installed() == ["1", "1"]


def test_a_stop_without_rollback_leaves_things_as_they_are(lab: Lab) -> None:
    lab.group(instances=2, autoRollbackConfiguration=_auto("DEPLOYMENT_STOP_ON_REQUEST"))
    lab.deploy(lab.upload(1))
    two = lab.start(lab.upload(2, {"AfterInstall": HANG}))
    _wait_for(lab, two, "InProgress")
    lab.codedeploy.stop_deployment(deploymentId=two, autoRollbackEnabled=False)
    (lab.instances[0].root / "go").touch()
    assert "rollbackInfo" not in lab.end(two)
    assert lab.installed() == ["2", "1"]


def test_a_failure_rolls_back_where_the_group_says_so(lab: Lab) -> None:
    lab.group(autoRollbackConfiguration=_auto("DEPLOYMENT_FAILURE"))
    lab.deploy(lab.upload(1))
    failed = lab.deploy(lab.upload(2, BAD))
    assert lab.end(failed["rollbackInfo"]["rollbackDeploymentId"])["status"] == "Succeeded"
    assert lab.installed() == ["1"]


def test_the_deployments_own_rollback_setting_goes_before_the_groups(lab: Lab) -> None:
    lab.group(autoRollbackConfiguration=_auto("DEPLOYMENT_FAILURE"))
    lab.deploy(lab.upload(1))
    failed = lab.deploy(lab.upload(2, BAD), autoRollbackConfiguration={"enabled": False})
    assert "rollbackInfo" not in failed


def test_a_first_deployment_has_nothing_to_roll_back_to(lab: Lab) -> None:
    lab.group(autoRollbackConfiguration=_auto("DEPLOYMENT_FAILURE"))
    failed = lab.deploy(lab.upload(1, BAD))
    assert "rollbackDeploymentId" not in failed["rollbackInfo"]


def test_an_active_alarm_stops_a_deployment(lab: Lab) -> None:
    lab.group(
        alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]},
        autoRollbackConfiguration=_auto("DEPLOYMENT_STOP_ON_ALARM"),
    )
    _alarm(lab, "OK")
    lab.deploy(lab.upload(1))
    two = lab.start(lab.upload(2, {"AfterInstall": HANG}))
    _wait_for(lab, two, "InProgress")
    _alarm(lab, "ALARM")
    _settle(lab, two)
    (lab.instances[0].root / "go").touch()
    stopped = lab.end(two)
    assert (stopped["status"], stopped["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    # The alarm is still active: it does not stop the rollback that it called for.
    assert lab.end(stopped["rollbackInfo"]["rollbackDeploymentId"])["status"] == "Succeeded"
    assert lab.installed() == ["1"]


def test_an_overridden_alarm_configuration_does_not_stop_a_deployment(lab: Lab) -> None:
    lab.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
    _alarm(lab, "ALARM")
    assert lab.deploy(lab.upload())["status"] == "Stopped"
    info = lab.deploy(lab.upload(), overrideAlarmConfiguration={"enabled": False})
    assert info["status"] == "Succeeded"


def test_an_alarm_that_cannot_be_read_stops_unless_told_to_ignore_that(lab: Lab) -> None:
    gone: dict[str, Any] = {"enabled": True, "alarms": [{"name": "gone"}]}
    lab.group(alarmConfiguration=gone)
    assert lab.deploy(lab.upload())["status"] == "Stopped"
    override = gone | {"ignorePollAlarmFailure": True}
    assert lab.deploy(lab.upload(), overrideAlarmConfiguration=override)["status"] == "Succeeded"


def test_a_deployment_that_ended_is_not_stopped_or_continued(lab: Lab) -> None:
    lab.group()
    done = lab.deploy(lab.upload())["deploymentId"]
    for call in (lab.codedeploy.stop_deployment, lab.codedeploy.continue_deployment):
        with pytest.raises(ClientError) as refused:
            call(deploymentId=done)
        assert _code(refused) == "DeploymentAlreadyCompletedException"


def _auto(*events: str) -> dict[str, Any]:
    return {"enabled": True, "events": list(events)}


def _alarm(lab: Lab, state: str) -> None:
    cloudwatch = boto3.client("cloudwatch", REGION)
    if not cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]:
        cloudwatch.put_metric_alarm(
            AlarmName="errors",
            MetricName="Errors",
            Namespace="Shop",
            Period=60,
            Statistic="Sum",
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue=state, StateReason="a test")  # type: ignore[arg-type]
    del lab


def _wait_for(lab: Lab, deployment: str, status: str) -> None:
    """Wait until the first instance hangs in its hook."""
    while lab.events(deployment)["AfterInstall"]["status"] != status:
        lab.around.closing.wait(0.01)


def _settle(lab: Lab, deployment: str) -> None:
    from moto.codedeploy.models import codedeploy_backends

    backend = codedeploy_backends["123456789012"][REGION]
    while not backend.deployments[deployment].stop:
        lab.around.closing.wait(0.01)


def test_where_the_disk_is_full_no_bundle_comes_and_what_was_there_stays(lab: Lab) -> None:
    lab.group()
    lab.deploy(lab.upload())
    (lab.instances[0].root / DISK_FULL).touch()
    failed = lab.deploy(lab.upload(2))
    assert failed["status"] == "Failed"
    event = lab.events(failed["deploymentId"])["DownloadBundle"]
    assert "No space left" in event["diagnostics"]["message"]
    assert lab.installed() == ["1"]
