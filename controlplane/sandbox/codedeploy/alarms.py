"""Which of a deployment's alarms call for a stop."""

from moto.cloudwatch.models import cloudwatch_backends

from controlplane.sandbox.codedeploy.model import Deployment

MESSAGE = (
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you "
    "selected, and the affected deployments have been stopped. Activated alarms: "
)
UNREADABLE = "The state of these alarms could not be read, and the deployment was stopped: "


def reason_to_stop(deployment: Deployment, account: str, region: str) -> str | None:
    """Answer the sentence to stop with, or None while all is well.

    overrideAlarmConfiguration of the deployment goes before its group's configuration. A rollback
    that CodeDeploy started itself is not watched: the alarm that called for it is still active.
    """
    watched = deployment.request.get("overrideAlarmConfiguration")
    if watched is None:
        watched = deployment.group.settings.get("alarmConfiguration") or {}
    if not watched.get("enabled") or deployment.creator == "codeDeployRollback":
        return None
    known = cloudwatch_backends[account][region].alarms
    names = [alarm["name"] for alarm in watched.get("alarms", [])]
    active = [name for name in names if name in known and known[name].state_value == "ALARM"]
    if active:
        return MESSAGE + ", ".join(active)
    missing = [name for name in names if name not in known]
    if missing and not watched.get("ignorePollAlarmFailure"):
        return UNREADABLE + ", ".join(missing)
    return None
