"""What CodeDeploy's callers may ask for; each refusal has the name AWS gives it."""

from typing import Any

from controlplane.sandbox.codedeploy.configs import known
from controlplane.sandbox.codedeploy.errors import Fault, not_emulated
from controlplane.sandbox.codedeploy.model import ACTIVE

DEPLOYMENT_SETTINGS = {
    "applicationName",
    "deploymentGroupName",
    "revision",
    "deploymentConfigName",
    "description",
    "ignoreApplicationStopFailures",
    "autoRollbackConfiguration",
    "fileExistsBehavior",
    "overrideAlarmConfiguration",
}
GROUP_SETTINGS = {
    "deploymentConfigName",
    "ec2TagFilters",
    "serviceRoleArn",
    "triggerConfigurations",
    "alarmConfiguration",
    "autoRollbackConfiguration",
    "deploymentStyle",
    "loadBalancerInfo",
}
GROUP_NAMES = {
    "applicationName",
    "deploymentGroupName",
    "currentDeploymentGroupName",
    "newDeploymentGroupName",
    "tags",
}
ROLLBACK_EVENTS = {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"}
TRIGGER_EVENTS = {
    *(f"Deployment{what}" for what in ("Start", "Success", "Failure", "Stop", "Rollback", "Ready")),
    *(f"Instance{what}" for what in ("Start", "Success", "Failure", "Ready")),
}
STATUSES = {*ACTIVE, "Baking", "Succeeded", "Failed", "Stopped"}
BUNDLES = {"Server": ("zip", "tar", "tgz"), "Lambda": ("YAML", "JSON")}
MOST = 10  # alarms and triggers of a group
LONGEST_DESCRIPTION = 256


def check_request(request: dict[str, Any], platform: str = "Server") -> None:
    """Refuse a CreateDeployment that AWS would refuse, or that the sandbox cannot do."""
    _only(request, DEPLOYMENT_SETTINGS)
    if len(request.get("description") or "") > LONGEST_DESCRIPTION:
        raise Fault("DescriptionTooLongException", "The description is too long.")
    check_revision(request.get("revision"), platform)
    if request.get("fileExistsBehavior") not in (None, "DISALLOW", "OVERWRITE", "RETAIN"):
        raise Fault("InvalidFileExistsBehaviorException", "The file-exists behavior is invalid.")
    _check_common(request, "overrideAlarmConfiguration", platform)


def check_settings(settings: dict[str, Any], platform: str = "Server") -> None:
    """Refuse settings of a deployment group that AWS would refuse, or the sandbox cannot do."""
    _only(settings, GROUP_SETTINGS | GROUP_NAMES)
    _check_common(settings, "alarmConfiguration", platform)
    if not str(settings.get("serviceRoleArn", "arn:aws:iam::")).startswith("arn:aws:iam::"):
        raise Fault("InvalidRoleException", "The service role ARN is not valid.")
    _check_triggers(settings.get("triggerConfigurations") or [])
    if platform == "Server":
        _check_style(settings)
    elif settings.get("ec2TagFilters"):
        raise Fault("InvalidEC2TagException", "A Lambda deployment has no instances.")


def check_revision(revision: dict[str, Any] | None, platform: str = "Server") -> None:
    """Refuse a revision that is none, or not in S3 (of Lambda: nor in the request itself)."""
    if not revision:
        raise Fault("RevisionRequiredException", "The revision ID was not specified.")
    if platform == "Lambda" and revision.get("revisionType") == "AppSpecContent":
        return
    if revision.get("revisionType") != "S3":
        raise not_emulated(f"revisions of type {revision.get('revisionType')}, only S3")
    location = revision.get("s3Location") or {}
    missing = [name for name in ("bucket", "key", "bundleType") if not location.get(name)]
    if missing or location["bundleType"] not in BUNDLES[platform]:
        raise Fault("InvalidRevisionException", "The revision was specified in an invalid format.")


def check_statuses(statuses: list[str] | None) -> None:
    """Refuse a status that no deployment can have."""
    if set(statuses or ()) - STATUSES:
        raise Fault("InvalidDeploymentStatusException", "The specified deployment status is wrong.")


def _only(given: dict[str, Any], allowed: set[str]) -> None:
    for name, value in given.items():
        if name not in allowed and value not in (None, [], {}, False, ""):
            raise not_emulated(f"the parameter {name}")


def _check_common(given: dict[str, Any], alarms: str, platform: str) -> None:
    if given.get("deploymentConfigName"):
        known(given["deploymentConfigName"], platform)
    _check_alarms(given.get(alarms) or {})
    rollback = given.get("autoRollbackConfiguration") or {}
    events = set(rollback.get("events") or ())
    if events - ROLLBACK_EVENTS or (rollback.get("enabled") and not events):
        raise Fault(
            "InvalidAutoRollbackConfigException",
            "The automatic rollback configuration was specified in an invalid format. For "
            "example, automatic rollback is enabled, but an invalid triggering event type or no "
            "event types were listed.",
        )


def _check_alarms(configuration: dict[str, Any]) -> None:
    alarms = configuration.get("alarms") or []
    names = [alarm.get("name") for alarm in alarms]
    if len(names) > MOST:
        raise Fault(
            "AlarmsLimitExceededException",
            "The maximum number of alarms for a deployment group (10) was exceeded.",
        )
    if (
        len(set(names)) < len(names)
        or None in names
        or (configuration.get("enabled") and not names)
    ):
        raise Fault(
            "InvalidAlarmConfigException",
            "The format of the alarm configuration is invalid: it lists no alarm, or one twice.",
        )


def _check_triggers(triggers: list[dict[str, Any]]) -> None:
    if len(triggers) > MOST:
        raise Fault(
            "TriggerTargetsLimitExceededException",
            "The maximum allowed number of triggers was exceeded.",
        )
    for trigger in triggers:
        events = set(trigger.get("triggerEvents") or ())
        target = str(trigger.get("triggerTargetArn", ""))
        if (
            not events
            or events - TRIGGER_EVENTS
            or not trigger.get("triggerName")
            or not target.startswith("arn:aws:sns:")
        ):
            raise Fault("InvalidTriggerConfigException", "The trigger was not specified rightly.")


def _check_style(settings: dict[str, Any]) -> None:
    style = settings.get("deploymentStyle") or {}
    if style.get("deploymentType", "IN_PLACE") != "IN_PLACE":
        raise not_emulated("blue/green deployments")
    balanced = style.get("deploymentOption") == "WITH_TRAFFIC_CONTROL"
    if balanced and not any((settings.get("loadBalancerInfo") or {}).values()):
        raise Fault(
            "InvalidLoadBalancerInfoException",
            "A load balancer must be specified for deployments with traffic control.",
        )
