"""When CodeDeploy rolls back by itself, and to what.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

from collections.abc import Iterable
from typing import Any

from controlplane.sandbox.codedeploy.model import Deployment

_EVENTS = {
    "ALARM_ACTIVE": "DEPLOYMENT_STOP_ON_ALARM",
    "MANUAL_STOP": "DEPLOYMENT_STOP_ON_REQUEST",
}


def wants_rollback(deployment: Deployment) -> bool:
    """Tell whether an ended deployment must be followed by a rollback.

    A rollback that fails is not rolled back. What StopDeployment said goes before the
    configuration of the deployment, and that before its group's.
    """
    if deployment.status == "Succeeded" or deployment.creator == "codeDeployRollback":
        return False
    code = deployment.error["code"] if deployment.error else ""
    if code == "MANUAL_STOP" and deployment.roll_back_on_stop is not None:
        return deployment.roll_back_on_stop
    configured = deployment.setting("autoRollbackConfiguration") or {}
    event = _EVENTS.get(code, "DEPLOYMENT_FAILURE")
    return bool(configured.get("enabled")) and event in configured.get("events", [])


def revision_to_restore(deployments: Iterable[Deployment]) -> dict[str, Any] | None:
    """Answer the revision of the newest successful deployment (they come newest first)."""
    return next((d.revision for d in deployments if d.status == "Succeeded"), None)
