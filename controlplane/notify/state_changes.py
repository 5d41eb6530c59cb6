"""Which of our events are CodePipeline's own, and what they are there. One literal table.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from collections.abc import Mapping
from typing import NamedTuple

ACCOUNT = "000000000000"
"""Towpath is in no AWS account; clients want twelve digits in an ARN."""


class Change(NamedTuple):
    """level: "Pipeline", "Stage" or "Action"."""

    level: str
    state: str

    @property
    def detail_type(self) -> str:
        """The event's `detail-type`."""
        return f"CodePipeline {self.level} Execution State Change"


CHANGES: Mapping[str, Change] = {
    "execution.started": Change("Pipeline", "STARTED"),
    # Executions of their own, that nothing else says the beginning of.
    "rollback.requested": Change("Pipeline", "STARTED"),
    "drill.started": Change("Pipeline", "STARTED"),
    "stage.retried": Change("Pipeline", "RESUMED"),
    "execution.stopping": Change("Pipeline", "STOPPING"),
    "execution.stopped": Change("Pipeline", "STOPPED"),
    "execution.succeeded": Change("Pipeline", "SUCCEEDED"),
    "execution.failed": Change("Pipeline", "FAILED"),
    "execution.superseded": Change("Pipeline", "SUPERSEDED"),
    "stage.entered": Change("Stage", "STARTED"),  # RESUMED, where it is not the first attempt
    "stage.stopping": Change("Stage", "STOPPING"),
    "stage.stopped": Change("Stage", "STOPPED"),
    "stage.succeeded": Change("Stage", "SUCCEEDED"),
    "stage.failed": Change("Stage", "FAILED"),
    "action.started": Change("Action", "STARTED"),
    "action.succeeded": Change("Action", "SUCCEEDED"),
    "action.failed": Change("Action", "FAILED"),
    "action.abandoned": Change("Action", "ABANDONED"),
}
"""The kinds of events that go to EventBridge. Nothing is CANCELED here: an edit ends no execution."""

CHANNEL = "EventBridge"
"""The provider that is told of state changes, and not of what concerns people."""


def arn(region: str, resource: str) -> str:
    """Write an ARN in CodePipeline's form: of a pipeline, by its name."""
    return f"arn:aws:codepipeline:{region}:{ACCOUNT}:{resource}"
