"""What CodePipeline's tools hear of an execution by any way: the wire and the events say the same."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

TRIGGER: Mapping[str, str] = {
    "event": "CloudWatchEvent",
    "git": "WebhookV2",
    "schedule": "PollForSourceChanges",
    "webhook": "Webhook",
}
"""By the door it came by; every other door is somebody who pressed start."""


class Trigger(NamedTuple):
    """CodePipeline's ExecutionTrigger."""

    type: str
    detail: str


def trigger(execution: Any) -> Trigger:
    """Why an execution began."""
    said = json.loads(execution.trigger)
    if execution.type == "ROLLBACK":
        return Trigger(said.get("type", "AutomatedRollback"), said.get("detail", ""))
    kind = TRIGGER.get(said.get("type", ""), "StartPipelineExecution")
    if kind == "WebhookV2":
        return Trigger(kind, said.get("detail", ""))  # the connection, as CodePipeline has it
    return Trigger(kind, " ".join(filter(None, [said.get("by", ""), said.get("detail", "")])))


def action_id(row: Any) -> str:
    """An action execution's id as CodePipeline spells it: our number in a UUID's form."""
    return str(uuid.UUID(int=row.id))
