"""The last calls that the sandbox answered: what the demo and the tests measure with."""

from collections import deque
from dataclasses import dataclass
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
    "StateValue",
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


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of a call. status: 0 where no answer was sent. code: AWS's error code, or "".

    effect: whether the service carried it out, whatever the caller heard. fault: see `faults.kinds`.
    """

    status: int
    code: str = ""
    effect: bool = False
    fault: str = ""


def note(at: datetime, call: Call, account: str, arn: str, happened: Happened) -> None:
    """Keep one call. account is the caller's."""
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
            "status": happened.status,
            "error": happened.code,
            "effect": happened.effect,
            "fault": happened.fault,
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
