"""What was read -> a pipeline of ours, and the report: what runs, what needs something, what is retired."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import Account
from controlplane.declarations.homes import Homes, fill
from controlplane.declarations.load import DeclarationError, parse_text
from controlplane.declarations.model import Notification, PipelineDeclaration
from controlplane.declarations.moved import Line, refusals, report
from controlplane.migration.reading import Old

EVENTS: Mapping[str, str] = {
    "pipeline-execution-started": "execution.started",
    "pipeline-execution-succeeded": "execution.succeeded",
    "pipeline-execution-failed": "execution.failed",
    "pipeline-execution-canceled": "execution.stopped",
    "pipeline-execution-superseded": "execution.superseded",
    "pipeline-execution-resumed": "stage.retried",
    "stage-execution-started": "stage.entered",
    "stage-execution-resumed": "stage.entered",
    "stage-execution-canceled": "stage.stopped",
    "action-execution-started": "action.started",
    "action-execution-succeeded": "action.succeeded",
    "action-execution-failed": "action.failed",
    "action-execution-canceled": "action.abandoned",
    "stage-execution-succeeded": "stage.succeeded",
    "stage-execution-failed": "stage.failed",
    "manual-approval-needed": "approval.needed",
    "manual-approval-succeeded": "approval.decided",
    "manual-approval-failed": "approval.decided",
}
"""CodePipeline's event types, without their prefix, to our kinds.
https://docs.aws.amazon.com/dtconsole/latest/userguide/concepts.html#events-ref-pipeline
"""
PREFIX = "codepipeline-pipeline-"


@dataclass(frozen=True, slots=True)
class Taken:
    """declaration: None where it cannot be stored, and then refused says why, all of it."""

    declaration: PipelineDeclaration | None
    lines: Sequence[Line]
    notes: Sequence[str]
    refused: Sequence[str] = ()


def take(
    old: Old,
    account: str,
    region: str,
    registered: Sequence[Account],
    now: datetime,
    webhooks: Sequence[Mapping[str, Any]] = (),
) -> Taken:
    """Make it a pipeline of ours. account: where it was read; its topics are told from there."""
    tree = copy.deepcopy(dict(old.structure))
    tree.pop("version", None)
    homes = Homes(registered)
    fill(tree, homes, region)
    name = str(tree.get("name", ""))
    notes = [*old.notes, *(_webhook(one) for one in webhooks if one["targetPipeline"] == name)]
    try:
        declaration = parse_text(json.dumps({"pipeline": tree}, default=str), name)
    except DeclarationError as error:
        said = [f"{one.field}: {one.message}" for one in error.problems]
        return Taken(None, (), notes, said)
    told, left = _notifications(old.rules, account)
    declaration = declaration.model_copy(update={"notifications": tuple(told)})
    lines = report(declaration, homes, region)
    wrong = refusals(declaration, [one.name for one in registered], now)
    return Taken(None if wrong else declaration, lines, [*notes, *left], wrong)


def _webhook(one: Mapping[str, Any]) -> str:
    secret = " with its secret, which CodePipeline does not tell" if _secret(one) else ""
    return f"webhook {one['name']} stays behind: put it here{secret}, and its new URL at the third party"


def _secret(one: Mapping[str, Any]) -> bool:
    return one.get("authentication") == "GITHUB_HMAC"


def _notifications(
    rules: Sequence[Mapping[str, Any]], account: str
) -> tuple[list[Notification], list[str]]:
    """Rules that tell an SNS topic come over; what does not is said."""
    told: list[Notification] = []
    left: list[str] = []
    for rule in rules:
        events = [one["EventTypeId"].removeprefix(PREFIX) for one in rule.get("EventTypes", ())]
        ours = tuple(dict.fromkeys(EVENTS[one] for one in events if one in EVENTS))
        topics = [t for t in rule.get("Targets", ()) if t.get("TargetType") == "SNS"]
        left += _left(rule, events)
        if ours and rule.get("Status", "ENABLED") == "ENABLED":
            told += [_topic(one["TargetAddress"], account, ours) for one in topics]
    return told, left


def _topic(arn: str, account: str, events: tuple[str, ...]) -> Notification:
    given = {"TopicArn": arn, "Account": account}
    return Notification(provider="SNS", configuration=given, events=events)


def _left(rule: Mapping[str, Any], events: Sequence[str]) -> Iterator[str]:
    name = f"notification rule {rule.get('Name', '')}"
    if rule.get("Status", "ENABLED") != "ENABLED":
        yield f"{name} is disabled and stays behind"
        return
    unknown = [one for one in events if one not in EVENTS]
    if unknown:
        yield f"{name}: nothing here tells of {', '.join(unknown)}"
    for target in rule.get("Targets", ()):
        if target.get("TargetType") != "SNS":
            kind = target.get("TargetType", "a target")
            yield f"{name}: {kind} is not told here: say `notify:` (slack, webhook) instead"
