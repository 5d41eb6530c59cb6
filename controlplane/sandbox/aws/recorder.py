"""The last calls that the sandbox answered: what the demo and the tests measure with."""

from collections import deque
from datetime import datetime
from itertools import islice
from typing import Any

from controlplane.sandbox.aws.calls import Call

KEPT = 10_000
KEPT_PARAMETERS = (
    "AlarmName",
    "AlarmNames",
    "Bucket",
    "CopySource",
    "FunctionName",
    "Key",
    "KeyId",
    "Name",
    "Namespace",
    "QueueUrl",
    "RoleArn",
    "RoleSessionName",
    "SourceIdentity",
    "TopicArn",
    "VersionId",
    "applicationName",
    "autoRollbackEnabled",
    "deploymentGroupName",
    "deploymentId",
    "deploymentIds",
    "description",
    "repositoryName",
)
LONGEST = 300

_calls: deque[dict[str, Any]] = deque(maxlen=KEPT)


def note(at: datetime, call: Call, account: str, arn: str, status: int, code: str = "") -> None:
    """Keep one call. account is the caller's; code is AWS's error code, "" where it went well."""
    kept = {name: call.parameters[name] for name in KEPT_PARAMETERS if call.parameters.get(name)}
    _calls.append(
        {
            "time": at.isoformat(timespec="microseconds"),
            "account": account,
            "region": call.region,
            "service": call.service,
            "operation": call.operation,
            "caller": arn,
            "parameters": {name: _short(value) for name, value in kept.items()},
            "status": status,
            "error": code,
        }
    )


def calls(service: str = "", operation: str = "", limit: int = KEPT) -> list[dict[str, Any]]:
    """Answer the calls of a service and operation ("" is any), oldest first; the last `limit`."""
    wanted = (
        call
        for call in reversed(list(_calls))
        if service in ("", call["service"]) and operation in ("", call["operation"])
    )
    return list(islice(wanted, limit))[::-1]


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(each) for each in value[:20]]
    return value if isinstance(value, bool | int | float) else str(value)[:LONGEST]
