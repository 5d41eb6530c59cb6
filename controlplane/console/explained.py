"""What an execution's page shows: the explanation, its charts laid out for a browser without JavaScript."""

import json
from collections.abc import Mapping
from typing import Any

from controlplane.console import words
from controlplane.console.desk import Desk, Document
from controlplane.console.drawing import drawing
from controlplane.console.session import Session
from controlplane.console.views import helpers
from controlplane.store.roles import Permission

OTHER = "What it says of it"
LINKS: Mapping[str, str] = {
    "CodeDeploy": "Its deployment in the AWS console",
    "CloudFormation": "Its stack in the AWS console",
    "CodeBuild": "Its builds in the AWS console",
    "InspectorFindings": "The findings in the AWS console",
    "Lambda": "Its function in the AWS console",
    "Manual": "What to look at",
    "SyntheticsCanary": "Its canary in the AWS console",
}
"""What the link of an action leads to, by its provider."""
TABLE = 60
"""Points of a chart that stand in its table, the newest."""


def explanation_view(desk: Desk, session: Session, execution_id: str) -> Document:
    """Everything the template needs; CommandError where there is no such execution."""
    with desk.database.read() as connection:
        document = desk.documents.explanation(connection, execution_id)
    session.require(Permission.READ, document["pipeline"])
    ids = {account.name: account.id for account in desk.registry.all()}
    stages = [_stage(stage, ids) for stage in document["stages"]]
    return {
        **helpers(session, desk.clock()),
        **document,
        "said": words.of(words.EXECUTIONS, document["status"]),
        "steps": [_step(step) for step in document["steps"]],
        "stages": stages,
    }


def _stage(stage: Document, ids: Mapping[str, str]) -> Document:
    """ids: of the accounts, by their names."""
    return {
        **stage,
        "said": _stands(stage),
        "steps": [_step(step) for step in stage["steps"]],
        "rules": [{**_rule(rule), "place": words.place(rule, ids)} for rule in stage["rules"]],
        "actions": [
            {
                **one,
                "said": words.of(words.ACTIONS, one["status"]),
                "place": words.place(one, ids),
                "link": LINKS.get(one["provider"], OTHER) if one["url"] else "",
            }
            for one in stage["actions"]
        ],
        "deployments": [
            {**one, "said": words.of(words.STANDS, one["fared"])} for one in stage["deployments"]
        ],
    }


def _step(step: Document) -> Document:
    if step["verdict"]:
        return {**step, "tone": words.of(words.VERDICTS, step["verdict"]).tone}
    return {**step, "tone": words.event_tone(step["kind"])}


def _stands(stage: Document) -> words.Said:
    """How it stands; an entry that is over says how it ended."""
    asks = any(
        o["category"] == "Approval" and o["status"] == "InProgress" for o in stage["actions"]
    )
    if asks and not stage["endedAt"]:
        return words.WAITS_FOR["approval"]
    if stage["held"] and not stage["endedAt"] and stage["status"] in words.HELD:
        return words.HELD[stage["status"]]
    return words.of(words.STAGES, stage["status"])


def _rule(rule: Document) -> Document:
    chart = rule["chart"]
    return {
        **rule,
        "said": words.of(words.VERDICTS, rule["verdict"]),
        "runs": [
            {**run, "tone": words.of(words.VERDICTS, run["verdict"]).tone} for run in rule["runs"]
        ],
        "drawing": drawing(chart) if chart else None,
        "data": json.dumps(chart, separators=(",", ":")) if chart else "",
        "table": _table(chart) if chart else [],
    }


def _table(chart: Document) -> list[dict[str, Any]]:
    sides = (("before", chart["before"]), ("since", chart["after"]))
    rows = [
        {"at": words.time_of(at), "value": f"{value:.6g}", "side": side}
        for side, points in sides
        for at, value in points
    ]
    return rows[-TABLE:]
