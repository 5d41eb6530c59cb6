"""CodeDeploy's answers: what we remember, in the shapes of its API."""

from typing import Any

from controlplane.sandbox.codedeploy.model import (
    Deployment,
    Group,
    LifecycleEvent,
    ShiftTarget,
    Target,
)
from controlplane.sandbox.codedeploy.notices import overview

STYLES = {
    "Server": {"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"},
    "Lambda": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
}


def group_info(group: Group, deployments: list[Deployment]) -> dict[str, Any]:
    """Render a DeploymentGroupInfo; deployments are the group's, newest first."""
    alarms = {"enabled": False, "ignorePollAlarmFailure": False, "alarms": []}
    good = next((d for d in deployments if d.status == "Succeeded"), None)
    info = {
        **group.settings,
        "applicationName": group.application,
        "deploymentGroupId": group.id,
        "deploymentGroupName": group.name,
        "alarmConfiguration": {**alarms, **(group.settings.get("alarmConfiguration") or {})},
        "deploymentStyle": group.settings.get("deploymentStyle") or STYLES[group.platform],
        "outdatedInstancesStrategy": "UPDATE",
        "computePlatform": group.platform,
        "targetRevision": good.revision if good else None,
        "lastSuccessfulDeployment": _last(good),
        "lastAttemptedDeployment": _last(deployments[0] if deployments else None),
    }
    return _filled(info)


def deployment_info(deployment: Deployment) -> dict[str, Any]:
    """Render a DeploymentInfo."""
    request, group = deployment.request, deployment.group
    return _filled(
        {
            "applicationName": group.application,
            "deploymentGroupName": group.name,
            "deploymentConfigName": deployment.setting("deploymentConfigName"),
            "deploymentId": deployment.id,
            "previousRevision": deployment.previous_revision,
            "revision": deployment.revision,
            "status": deployment.status,
            "errorInformation": deployment.error,
            "createTime": deployment.created,
            "startTime": deployment.started,
            "completeTime": deployment.completed,
            "deploymentOverview": overview(deployment),
            "description": request.get("description"),
            "creator": deployment.creator,
            "ignoreApplicationStopFailures": bool(request.get("ignoreApplicationStopFailures")),
            "autoRollbackConfiguration": deployment.setting("autoRollbackConfiguration"),
            "updateOutdatedInstancesOnly": False,
            "rollbackInfo": deployment.rollback or None,
            "deploymentStyle": group.settings.get("deploymentStyle") or STYLES[group.platform],
            "instanceTerminationWaitTimeStarted": False,
            "loadBalancerInfo": group.settings.get("loadBalancerInfo"),
            "fileExistsBehavior": request.get("fileExistsBehavior", "DISALLOW"),
            "deploymentStatusMessages": [],
            "computePlatform": group.platform,
            "overrideAlarmConfiguration": request.get("overrideAlarmConfiguration"),
        }
    )


def target_info(deployment: Deployment, target: Target, arn: str) -> dict[str, Any]:
    """Render a DeploymentTarget."""
    return {
        "deploymentTargetType": "InstanceTarget",
        "instanceTarget": {
            "deploymentId": deployment.id,
            "targetId": target.host.id,
            "targetArn": arn,
            "status": target.status,
            "lastUpdatedAt": target.updated,
            "lifecycleEvents": [_event(event) for event in target.events],
        },
    }


def shift_info(deployment: Deployment, target: ShiftTarget, arn: str) -> dict[str, Any]:
    """Render the DeploymentTarget of a Lambda deployment."""
    shift = target.shift
    return {
        "deploymentTargetType": "LambdaTarget",
        "lambdaTarget": {
            "deploymentId": deployment.id,
            "targetId": target.id,
            "targetArn": arn,
            "status": target.status,
            "lastUpdatedAt": target.updated,
            "lifecycleEvents": [_event(event) for event in target.events],
            "lambdaFunctionInfo": {
                "functionName": shift.function,
                "functionAlias": shift.alias,
                "currentVersion": shift.current,
                "targetVersion": shift.target,
                "targetVersionWeight": target.weight,
            },
        },
    }


def _event(event: LifecycleEvent) -> dict[str, Any]:
    told = event.diagnostics
    diagnostics = told and {
        "errorCode": told.error_code,
        "scriptName": told.script,
        "message": told.message,
        "logTail": told.log_tail,
    }
    return _filled(
        {
            "lifecycleEventName": event.name,
            "status": event.status,
            "startTime": event.started,
            "endTime": event.ended,
            "diagnostics": diagnostics,
        }
    )


def _last(deployment: Deployment | None) -> dict[str, Any] | None:
    if not deployment:
        return None
    return _filled(
        {
            "deploymentId": deployment.id,
            "status": deployment.status,
            "createTime": deployment.created,
            "endTime": deployment.completed,
        }
    )


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
