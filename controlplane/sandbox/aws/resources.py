"""Which resource an operation acts on: a literal table for the services the product uses.

`None` is "we do not know": then a policy with a narrower Resource is taken as matching.
"*" is "AWS has no resource for this action": then only Resource "*" matches.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlparse

from controlplane.sandbox.aws.calls import Call

Template = tuple[str, ...]

TEMPLATES: dict[str, Template] = {
    "codedeploy": (
        "deploymentgroup:{applicationName}/{deploymentGroupName}",
        "deploymentgroup:{applicationName}/{currentDeploymentGroupName}",
        "application:{applicationName}",
        "deploymentconfig:{deploymentConfigName}",
    ),
    "cloudwatch": ("alarm:{AlarmName}",),
    "codecommit": ("{repositoryName}",),
    "codebuild": ("project/{projectName}",),
    "ecr": ("repository/{repositoryName}",),
    "ecs": ("service/{cluster}/{service}", "task-definition/{family}:*"),
    "elasticbeanstalk": (
        "environment/{ApplicationName}/{EnvironmentName}",
        "applicationversion/{ApplicationName}/{VersionLabel}",
        "application/{ApplicationName}",
    ),
    "events": ("rule/{Name}", "rule/{Rule}"),
    "iam": ("role/{RoleName}", "user/{UserName}", "policy/{PolicyName}"),
    "lambda": ("function:{FunctionName}",),
    "sqs": ("{QueueName}",),
    "sns": ("{Name}",),
    "synthetics": ("canary:{Name}",),
}
"""What stands after the account in the ARN; the first whose parameters are all given."""

ARNS: dict[str, Template] = {
    "events": ("ResourceARN",),
    "kms": ("KeyId",),
    "lambda": ("FunctionName", "Resource"),
    "sns": ("TopicArn", "TargetArn", "ResourceArn"),
    "sts": ("RoleArn",),
    "iam": ("PolicyArn",),
    "cloudwatch": ("ResourceARN",),
}
"""Parameters that may hold the whole ARN."""

GLOBAL = ("iam", "s3", "sts")

WITHOUT: dict[str, Template] = {
    "cloudwatch": ("GetMetricData", "GetMetricStatistics", "ListMetrics", "PutMetricData"),
    "codebuild": ("ListBuilds", "ListProjects"),
    "codedeploy": ("ListApplications", "ListDeploymentConfigs"),
    "ecr": ("GetAuthorizationToken",),
    "ecs": ("DescribeTaskDefinition", "ListTaskDefinitions"),
    "inspector2": (),
    "lambda": ("ListFunctions",),
    "s3": ("ListBuckets",),
    "sns": ("ListTopics",),
    "sts": ("GetCallerIdentity",),
    "synthetics": ("DescribeCanaries", "DescribeCanariesLastRun"),
}
"""Actions without a resource; all of the service's where none is named."""


def resources_of(call: Call, account: str) -> list[str | None]:
    """Answer the ARNs that the call acts on, never none."""
    without = WITHOUT.get(call.service)
    if without is not None and (not without or call.operation in without):
        return ["*"]
    special = SPECIAL.get(call.service)
    found = special(call, account) if special else []
    return found or [_arn(call, account)]


def _arn(call: Call, account: str) -> str | None:
    given = call.parameters
    for name in ARNS.get(call.service, ()):
        if str(given.get(name, "")).startswith("arn:"):
            return str(given[name])
    for template in TEMPLATES.get(call.service, ()):
        tail = _filled(template, given)
        if tail:
            return _joined(call, str(given.get("registryId") or account), tail)
    return None


def _filled(template: str, given: Mapping[str, Any]) -> str:
    try:
        return template.format_map({k: v for k, v in given.items() if isinstance(v, str) and v})
    except KeyError:
        return ""


def _joined(call: Call, account: str, tail: str) -> str:
    region = "" if call.service in GLOBAL else call.region
    return f"arn:aws:{call.service}:{region}:{account}:{tail}"


def _queue(call: Call, account: str) -> list[str | None]:
    parts = urlparse(str(call.parameters.get("QueueUrl", ""))).path.strip("/").split("/")
    if len(parts) < 2:  # noqa: PLR2004 account and name
        return []
    return [f"arn:aws:sqs:{call.region}:{parts[-2] or account}:{parts[-1]}"]


def _bucket(call: Call, _account: str) -> list[str | None]:
    bucket, key = call.parameters.get("Bucket"), call.parameters.get("Key")
    if not bucket:
        return []
    if call.operation == "DeleteObjects":
        return [f"arn:aws:s3:::{bucket}/*"]
    return [f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"]


def _key(call: Call, account: str) -> list[str | None]:
    key = str(call.parameters.get("KeyId", ""))
    return [] if not key else [key_arn(key, account, call.region)]


def key_arn(key: str, account: str, region: str) -> str | None:
    """Answer the ARN of a KMS key, given by id or ARN; None for an alias that nobody has."""
    if key.startswith("arn:") and ":key/" in key:
        return key
    name = key.rpartition(":")[2]
    if not name.startswith("alias/"):
        return f"arn:aws:kms:{region}:{account}:key/{key}"
    from moto.kms.models import kms_backends

    keys = kms_backends[account][region].keys.values()
    named = (each.arn for each in keys if name in getattr(each, "aliases", ()))
    return next(named, None)


def _deployment(call: Call, account: str) -> list[str | None]:
    given = call.parameters
    wanted = [given["deploymentId"]] if given.get("deploymentId") else given.get("deploymentIds")
    if not wanted:
        groups = given.get("deploymentGroupNames") or []
        names = [f"{given.get('applicationName')}/{group}" for group in groups]
        return [_joined(call, account, f"deploymentgroup:{name}") for name in names]
    return [_group_of(call, account, str(identity)) for identity in wanted]


def _group_of(call: Call, account: str, identity: str) -> str | None:
    from moto.codedeploy.models import codedeploy_backends

    deployments = codedeploy_backends[account][call.region].deployments
    found = deployments.get(identity)
    group = getattr(found, "group", None)
    name = getattr(group, "name", None) or getattr(found, "deployment_group_name", None)
    application = getattr(group, "application", None) or getattr(found, "application_name", None)
    if not (name and application):
        return None
    return _joined(call, account, f"deploymentgroup:{application}/{name}")


def _builds(call: Call, account: str) -> list[str | None]:
    """A build is allowed by its project, whose name its id begins with."""
    given = call.parameters
    ids = [given["id"]] if given.get("id") else given.get("ids") or []
    names = [str(one).partition(":")[0] for one in ids] or given.get("names") or []
    return [_joined(call, account, f"project/{name}") for name in dict.fromkeys(names)]


def _alarms(call: Call, account: str) -> list[str | None]:
    names = call.parameters.get("AlarmNames") or []
    if call.operation == "DescribeAlarms" and not names:
        return [_joined(call, account, "alarm:*")]
    return [_joined(call, account, f"alarm:{name}") for name in names]


def _services(call: Call, account: str) -> list[str | None]:
    """DescribeServices names several, DescribeServiceRevisions gives ARNs."""
    given = call.parameters
    cluster, names = given.get("cluster"), given.get("services") or []
    named = [_joined(call, account, f"service/{cluster}/{name}") for name in names]
    return [*named, *(given.get("serviceRevisionArns") or [])]


SPECIAL: dict[str, Callable[[Call, str], list[str | None]]] = {
    "cloudwatch": _alarms,
    "codebuild": _builds,
    "codedeploy": _deployment,
    "ecs": _services,
    "kms": _key,
    "s3": _bucket,
    "sqs": _queue,
}
"""Where a template does not say it."""
