"""Our kinds of events as the event types of CodePipeline's notification rules. One literal table.

https://docs.aws.amazon.com/dtconsole/latest/userguide/concepts.html#events-ref-pipeline
"""

from collections.abc import Mapping

PREFIX = "codepipeline-pipeline-"
NOTICES: Mapping[str, str] = {
    "execution.started": "pipeline-execution-started",
    "rollback.requested": "pipeline-execution-started",  # an execution of its own
    "drill.started": "pipeline-execution-started",
    "stage.retried": "pipeline-execution-resumed",
    "execution.stopped": "pipeline-execution-canceled",
    "execution.succeeded": "pipeline-execution-succeeded",
    "execution.failed": "pipeline-execution-failed",
    "execution.superseded": "pipeline-execution-superseded",
    "stage.entered": "stage-execution-started",
    "stage.entered again": "stage-execution-resumed",
    "stage.stopped": "stage-execution-canceled",
    "stage.succeeded": "stage-execution-succeeded",
    "stage.failed": "stage-execution-failed",
    "action.started": "action-execution-started",
    "action.abandoned": "action-execution-canceled",
    "action.succeeded": "action-execution-succeeded",
    "action.failed": "action-execution-failed",
    "approval.needed": "manual-approval-needed",
    "approval.decided": "manual-approval-succeeded",
    "approval.decided badly": "manual-approval-failed",
}
"""All 18 of them. A kind that is not here (stage.held) is ours alone."""


def notice(kind: str, *, again: bool = False, badly: bool = False) -> str:
    """Answer the event type's id; "" for a kind that CodePipeline does not tell.

    again: a stage that was entered before. badly: an approval that was rejected, or ran out.
    """
    suffix = " again" if again else " badly" if badly else ""
    found = NOTICES.get(f"{kind}{suffix}") or NOTICES.get(kind, "")
    return f"{PREFIX}{found}" if found else ""
