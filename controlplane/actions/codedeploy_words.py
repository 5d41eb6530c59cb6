"""Why a CodeDeploy deployment failed, in words: code, message, and the first failed script's log.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_Diagnostics.html
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.actions.base import ActionError
from controlplane.actions.vendor import asking

log = logging.getLogger(__name__)

LONGEST = 1500
TAIL = 900
"""The end of a log says what went wrong; CodeDeploy keeps 4 KB of it."""
KINDS = ("instanceTarget", "lambdaTarget", "ecsTarget", "cloudFormationTarget")


def why(client: Any, info: Mapping[str, Any]) -> str:
    """Say how a deployment ended and why, as far as its first failed target can be read."""
    error = info.get("errorInformation", {})
    told = [f"{info['deploymentId']} {str(info.get('status', '')).lower()}"]
    if error:
        told.append(f"{error.get('code', '')}: {error.get('message', '')}")
    rolled = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
    if rolled:
        told.append(f"CodeDeploy rolls back with {rolled}")
    try:
        told += _first_failure(client, str(info["deploymentId"]))
    except ActionError as problem:
        log.warning("the cause of %s could not be read in full: %s", info["deploymentId"], problem)
    return "; ".join(told)[:LONGEST]


def _first_failure(client: Any, deployment: str) -> list[str]:
    with asking(f"read the targets of {deployment}"):
        listed = client.list_deployment_targets(
            deploymentId=deployment, targetFilters={"TargetStatus": ["Failed"]}
        )
        ids = listed.get("targetIds", [])[:1]
        if not ids:
            return []
        answer = client.batch_get_deployment_targets(deploymentId=deployment, targetIds=ids)
    for target in answer.get("deploymentTargets", []):
        for found in _failures(target):
            return [found]
    return []


def _failures(target: Mapping[str, Any]) -> Iterator[str]:
    """Tell each lifecycle event of a target that failed."""
    for kind in KINDS:
        body = target.get(kind) or {}
        for event in body.get("lifecycleEvents", []):
            if event.get("status") == "Failed":
                yield _failure(str(body.get("targetId", "")), event)


def _failure(target: str, event: Mapping[str, Any]) -> str:
    # ECS and Lambda targets have hooks, but no diagnostics of an agent.
    told = event.get("diagnostics") or {}
    script = f" in {told['scriptName']}" if told.get("scriptName") else ""
    code = f" ({told['errorCode']})" if told.get("errorCode") else ""
    message = f": {told['message'][:200]}" if told.get("message") else ""
    tail = str(told.get("logTail") or "").strip()[-TAIL:]
    text = f"{event.get('lifecycleEventName', 'a lifecycle event')} failed on {target}"
    return f"{text}{script}{code}{message}" + (f"\n{tail}" if tail else "")
