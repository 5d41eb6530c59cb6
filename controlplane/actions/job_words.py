"""How a job stands, as its driver reports it: read from what the engine knows of it. Pure.

task.known["job"] is what the store says of the newest job of the action (engine.work); silence is never
success: a job of which nobody says a word ends by its time-out.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from controlplane.actions.base import Outcome, Progress, Task

PLACE = re.compile(r"\{(ExternalExecutionId|RevisionId|Config:[^{}]{1,50})\}")
CUT = "\x1f"
"""Between a job's id and why its function failed, in a handle."""


def stand(task: Task) -> Progress:
    """Report the job of a task."""
    job: Mapping[str, Any] = task.known["job"]
    said: Mapping[str, Any] = job["said"]
    external = str(said.get("externalExecutionId") or job["id"])
    given = {"ExternalExecutionId": str(said.get("externalExecutionId") or "")}
    url = filled(job["url"], task.configuration, given)
    if job["status"] == "Succeeded":
        return Progress(
            Outcome.SUCCEEDED, external, _summary(said, "done"), url=url, output=_output(said)
        )
    if job["status"] == "Failed":
        why = f"{said.get('type', 'JobFailed')}: {said.get('message', 'it failed')}"
        return Progress(Outcome.FAILED, external, why, url=url)
    if job["status"] == "TimedOut":
        why = (
            f"nobody said how job {job['id']} went: {_summary(said, 'not a word was heard of it')}"
        )
        return Progress(Outcome.FAILED, external, why, url=url)
    return Progress(
        Outcome.RUNNING, external, _summary(said, WAITS[job["status"]]), _until(job), url=url
    )


WAITS = {
    "Created": "waits to be called again",
    "Queued": "waits for a worker",
    "Dispatched": "a worker has it, and has not acknowledged it yet",
    "InProgress": "is being worked on",
}


def _until(job: Mapping[str, Any]) -> timedelta | None:
    """When nobody has said a word until then, it is over. None: the action's own time-out is enough."""
    left: float | None = job.get("left")
    return None if left is None else timedelta(seconds=max(left, 0.2))


def _summary(said: Mapping[str, Any], otherwise: str) -> str:
    text = str(said.get("summary") or otherwise)
    percent = said.get("percentComplete")
    return text if percent is None else f"{text} ({percent} %)"


def _output(said: Mapping[str, Any]) -> Mapping[str, str]:
    variables: Mapping[str, str] = said.get("outputVariables", {})
    return variables


def filled(template: str, configuration: Mapping[str, str], given: Mapping[str, str]) -> str:
    """Fill in a URL template of a type; "" where what it needs is not known yet.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionTypeSettings.html
    """
    known = {**given, **{f"Config:{key}": value for key, value in configuration.items()}}
    if any(not known.get(match[1]) for match in PLACE.finditer(template)):
        return ""
    return PLACE.sub(lambda match: quote(known[match[1]], safe=""), template)[:2048]
