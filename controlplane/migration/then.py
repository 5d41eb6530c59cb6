"""What one execution of the old pipeline did, as CodePipeline's listings tell it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OVER = frozenset({"Cancelled", "Failed", "Stopped", "Succeeded", "Superseded"})


@dataclass(frozen=True, slots=True)
class Entered:
    """A stage that it entered. at, ended: seconds since the epoch. result: an action's status."""

    stage: str
    at: float
    ended: float
    result: str


@dataclass(frozen=True, slots=True)
class Then:
    """One execution. revisions: source action -> revision id. stages: in the order of entering."""

    id: str
    status: str
    kind: str
    trigger: str
    started: float
    revisions: Mapping[str, str]
    stages: tuple[Entered, ...]


def is_over(summary: Mapping[str, Any]) -> bool:
    """It has ended, and will not change: only that is compared."""
    return summary["status"] in OVER


def then(summary: Mapping[str, Any], details: Sequence[Mapping[str, Any]]) -> Then:
    """Read an execution. details: of ListActionExecutions, the newest first, retries included."""
    names = dict.fromkeys(one["stageName"] for one in reversed(details))
    stages = [_entered(name, [d for d in details if d["stageName"] == name]) for name in names]
    found = {
        one["actionName"]: one["revisionId"]
        for one in summary.get("sourceRevisions", ())
        if "revisionId" in one
    }
    return Then(
        summary["pipelineExecutionId"],
        summary["status"],
        summary.get("executionType", "STANDARD"),
        summary.get("trigger", {}).get("triggerType", ""),
        seconds(summary["startTime"]),
        found | _versions(details),
        tuple(sorted(stages, key=lambda one: one.at)),
    )


def _entered(stage: str, details: Sequence[Mapping[str, Any]]) -> Entered:
    at = min(seconds(one["startTime"]) for one in details)
    ended = max(seconds(one.get("lastUpdateTime", one["startTime"])) for one in details)
    last: dict[str, str] = {}
    for one in sorted(details, key=lambda one: seconds(one["startTime"]), reverse=True):
        # The newest counts: a retry, in the place of what it repeats.
        last.setdefault(one["actionName"], one["status"])
    bad = [status for status in last.values() if status != "Succeeded"]
    return Entered(stage, at, ended, bad[0] if bad else "Succeeded")


def _versions(details: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What a source action said itself: it is there where the summary names no revision.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
    """
    found = {}
    for one in details:
        said = one.get("output", {}).get("outputVariables", {})
        revision = said.get("VersionId") or said.get("ImageDigest")
        kind = one.get("input", {}).get("actionTypeId", {}).get("category")
        if kind == "Source" and revision:
            found[one["actionName"]] = revision
    return found


def seconds(at: Any) -> float:
    """Botocore's time -> seconds since the epoch."""
    return float(at.timestamp())
