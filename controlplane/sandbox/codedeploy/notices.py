"""What a deployment tells the world: EventBridge events, and the group's triggers over SNS."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from controlplane.sandbox.aws import emit
from controlplane.sandbox.codedeploy.model import Deployment, Target

DEPLOYMENT_DETAIL = "CodeDeploy Deployment State-change Notification"
INSTANCE_DETAIL = "CodeDeploy Instance State-change Notification"
STATES = {"Start": "START", "Success": "SUCCESS", "Failure": "FAILURE", "Stop": "STOP"}
ENDED = {"Succeeded": "Success", "Failed": "Failure", "Stopped": "Stop"}


class Notices:
    """The voice of CodeDeploy in one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self._account, self._region = account, region

    def deployment(self, what: str, deployment: Deployment) -> None:
        """Tell that a deployment had its Start, Success, Failure, Stop or Rollback."""
        if what in STATES:
            detail = {**self._detail(deployment), "state": STATES[what]}
            self._event(DEPLOYMENT_DETAIL, detail, self._arns(deployment))
        body = {
            **self._common(deployment),
            "applicationName": deployment.group.application,
            "deploymentGroupName": deployment.group.name,
            "createTime": _stamp(deployment.created),
            "completeTime": _stamp(deployment.completed),
            "deploymentOverview": {k: str(v) for k, v in overview(deployment).items()},
            "status": deployment.status,
        }
        if deployment.error:
            body["errorInformation"] = {
                "ErrorCode": deployment.error["code"],
                "ErrorMessage": deployment.error["message"],
            }
        self._trigger(f"Deployment{what}", deployment, body)

    def instance(self, what: str, deployment: Deployment, target: Target) -> None:
        """Tell that an instance had its Start, Success or Failure."""
        arn = self.instance_arn(target.host.id)
        detail = {
            **self._detail(deployment),
            "instanceId": target.host.id,
            "state": STATES[what],
        }
        self._event(INSTANCE_DETAIL, detail, [arn, *self._arns(deployment)])
        body = {
            **self._common(deployment),
            "instanceId": arn,
            "lastUpdatedAt": _stamp(target.updated),
            "instanceStatus": target.status,
            "lifecycleEvents": [
                {
                    "LifecycleEvent": event.name,
                    "LifecycleEventStatus": event.status,
                    "StartTime": _stamp(event.started),
                    "EndTime": _stamp(event.ended),
                }
                for event in target.events
            ],
        }
        self._trigger(f"Instance{what}", deployment, body)

    def instance_arn(self, instance: str) -> str:
        """Answer the ARN of an instance of ours."""
        return f"arn:aws:ec2:{self._region}:{self._account}:instance/{instance}"

    def function_arn(self, name: str) -> str:
        """Answer the ARN of an alias of ours; name is FUNCTION:ALIAS."""
        return f"arn:aws:lambda:{self._region}:{self._account}:function:{name}"

    def _common(self, deployment: Deployment) -> dict[str, Any]:
        return {
            "region": self._region,
            "accountId": self._account,
            "deploymentId": deployment.id,
        }

    def _detail(self, deployment: Deployment) -> dict[str, Any]:
        return {
            "application": deployment.group.application,
            "deploymentGroup": deployment.group.name,
            "deploymentId": deployment.id,
            "instanceGroupId": deployment.group.id,
            "region": self._region,
        }

    def _arns(self, deployment: Deployment) -> list[str]:
        group, start = deployment.group, f"arn:aws:codedeploy:{self._region}:{self._account}:"
        return [
            f"{start}deploymentgroup:{group.application}/{group.name}",
            f"{start}application:{group.application}",
        ]

    def _event(self, kind: str, detail: dict[str, Any], resources: list[str]) -> None:
        emit.event(self._account, self._region, "aws.codedeploy", kind, detail, resources)

    def _trigger(self, what: str, deployment: Deployment, body: dict[str, Any]) -> None:
        for trigger in deployment.group.settings.get("triggerConfigurations") or ():
            if what not in trigger["triggerEvents"]:
                continue
            subject = (
                f"{deployment.status.upper()}: AWS CodeDeploy {deployment.id} in {self._region} "
                f"to {deployment.group.application}"
            )
            message = json.dumps({**body, "eventTriggerName": trigger["triggerName"]})
            emit.sns(trigger["triggerTargetArn"], message, subject)


def overview(deployment: Deployment) -> dict[str, int]:
    """How many targets are in which state."""
    names = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
    states = [target.status for target in deployment.targets.values()]
    states += [deployment.shift.status] if deployment.shift else []
    return {name: states.count(name) for name in names}


def guarded(tell: Callable[[], None]) -> Exception | None:
    """Tell, and answer what went wrong: a trigger's broken topic must not fail a deployment."""
    try:
        tell()
    except Exception as error:  # noqa: BLE001  # whatever the subscriber's end does
        return error
    return None


def _stamp(time: datetime | None) -> str:
    return f"{time.timestamp():.3f}" if time else ""
