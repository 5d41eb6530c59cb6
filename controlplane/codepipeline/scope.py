"""Where an operation acts: which pipeline, and which stage of it, its input names. One literal table.

An operation that is not in it is about the whole installation, and needs a grant over all of it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from controlplane.codepipeline.asking import Desk
from controlplane.codepipeline.tagging import ARN
from controlplane.store import webhooks

Place = tuple[str, str]
"""A pipeline and a stage; "" is every one."""
Given = Mapping[str, Any]
Where = Callable[[Desk, Given], Place]


def _pipeline(word: str) -> Where:
    return lambda _, given: (given.get(word, ""), "")


def _stage(_: Desk, given: Given) -> Place:
    return given["pipelineName"], given["stageName"]


def _transition(_: Desk, given: Given) -> Place:
    """What is outbound of a stage is the way into another one, which the input does not name."""
    inbound = given["transitionType"] == "Inbound"
    return given["pipelineName"], given["stageName"] if inbound else ""


def _structure(_: Desk, given: Given) -> Place:
    return given["pipeline"]["name"], ""


def _resource(_: Desk, given: Given) -> Place:
    found = ARN.fullmatch(given["resourceArn"])
    if found is None or found[1] or found[3]:
        return "", ""
    return found[4], ""


def _new_webhook(desk: Desk, given: Given) -> Place:
    """It starts its target; where one of this name is there, it must be of the same pipeline."""
    target = given["webhook"]["targetPipeline"]
    with desk.database.read() as connection:
        there = webhooks.by_name(connection, given["webhook"]["name"])
    return (target, "") if there is None or there.pipeline == target else ("", "")


def _webhook(word: str) -> Where:
    def where(desk: Desk, given: Given) -> Place:
        with desk.database.read() as connection:
            row = webhooks.by_name(connection, given.get(word, ""))
        return ("", "") if row is None else (row.pipeline, "")

    return where


PLACES: Mapping[str, Where] = {
    "CreatePipeline": _structure,
    "GetPipeline": _pipeline("name"),
    "UpdatePipeline": _structure,
    "DeletePipeline": _pipeline("name"),
    "StartPipelineExecution": _pipeline("name"),
    "StopPipelineExecution": _pipeline("pipelineName"),
    "GetPipelineExecution": _pipeline("pipelineName"),
    "ListPipelineExecutions": _pipeline("pipelineName"),
    "RetryStageExecution": _stage,
    "PutActionRevision": _pipeline("pipelineName"),
    "GetPipelineState": _pipeline("name"),
    "ListActionExecutions": _pipeline("pipelineName"),
    "ListRuleExecutions": _pipeline("pipelineName"),
    "ListDeployActionExecutionTargets": _pipeline("pipelineName"),
    "PutApprovalResult": _stage,
    "EnableStageTransition": _transition,
    "DisableStageTransition": _transition,
    "RollbackStage": _stage,
    "OverrideStageCondition": _stage,
    "TagResource": _resource,
    "UntagResource": _resource,
    "ListTagsForResource": _resource,
    "PutWebhook": _new_webhook,
    "DeleteWebhook": _webhook("name"),
    "RegisterWebhookWithThirdParty": _webhook("webhookName"),
    "DeregisterWebhookWithThirdParty": _webhook("webhookName"),
}
ANYWHERE = frozenset({"ListPipelines", "ListActionTypes", "ListRuleTypes", "GetActionType"})
"""What a grant over some pipelines opens, too: pipelines are listed that it lets one read."""


def of(desk: Desk, operation: str, given: Given) -> Place:
    """Answer where it acts."""
    where = PLACES.get(operation)
    return ("", "") if where is None else where(desk, given)
