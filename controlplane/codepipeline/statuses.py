"""Our states and kinds in CodePipeline's words: one literal table each."""

import uuid
from collections.abc import Mapping

from controlplane.states import ActionStatus, ExecutionStatus, StageStatus

E, S, A = ExecutionStatus, StageStatus, ActionStatus

EXECUTION: Mapping[str, str] = {
    E.IN_PROGRESS: "InProgress",
    E.STOPPING: "Stopping",
    E.STOPPED: "Stopped",
    E.SUCCEEDED: "Succeeded",
    E.SUPERSEDED: "Superseded",
    E.FAILED: "Failed",
}
STAGE: Mapping[str, str] = {
    S.INBOUND: "InProgress",
    S.IN_PROGRESS: "InProgress",
    S.BAKING: "InProgress",
    S.STOPPING: "Stopping",
    S.SUCCEEDED: "Succeeded",
    S.FAILED: "Failed",
    S.STOPPED: "Stopped",
    S.CANCELLED: "Cancelled",
    S.SKIPPED: "Skipped",
}
ACTION: Mapping[str, str] = {
    A.READY: "InProgress",
    A.STARTING: "InProgress",
    A.IN_PROGRESS: "InProgress",
    A.SUCCEEDED: "Succeeded",
    A.FAILED: "Failed",
    A.ABANDONED: "Abandoned",
}
CONDITION = ACTION
TYPE: Mapping[str, str] = {"STANDARD": "STANDARD", "ROLLBACK": "ROLLBACK", "DRILL": "STANDARD"}
TARGET: Mapping[str, str] = {
    "DEPLOYING": "InProgress",
    "DEPLOYED": "Succeeded",
    "GOOD": "Succeeded",
    "BAD": "Failed",
}
SPACE = uuid.UUID("0f0f6f2e-8f0c-5d2b-9d7a-3b1f6a6f7a11")


def action_number(text: str) -> int | None:
    """The number that `action_id` spelled; None where it is none."""
    try:
        number = uuid.UUID(text).int
    except ValueError:
        return None
    return number if number < 2**63 else None
