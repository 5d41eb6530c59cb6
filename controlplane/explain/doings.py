"""What a stage did and checked: each action with its words, where it acted, and where to look at it."""

import json
from collections.abc import Mapping
from typing import Any

from controlplane.clock import iso
from controlplane.declarations.model import ActionDeclaration, RuleDeclaration
from controlplane.engine import findings
from controlplane.explain.places import page_of, safe
from controlplane.explain.records import Records

ACTIONS = 200
"""Actions of one entry into a stage that are told, the first."""


def doings(records: Records, stage: Any) -> list[dict[str, Any]]:
    """All actions of one entry into a stage, in the order in which they began."""
    declared = records.declared.get(stage.stage)
    known = {one.name: one for one in declared.actions} if declared else {}
    rows = records.actions_of(stage)[:ACTIONS]
    return [_doing(row, known.get(row.name)) for row in rows]


def _doing(row: Any, declared: ActionDeclaration | None) -> dict[str, Any]:
    return {
        "name": row.name,
        "provider": declared.action_type_id.provider if declared else "",
        "category": declared.action_type_id.category if declared else "",
        "attempt": row.attempt,
        "status": row.status,
        "summary": row.summary,
        "startedAt": iso(row.started_at),
        "endedAt": iso(row.ended_at),
        "found": _found(row, declared),
        **place(declared, row.url),
    }


def _found(row: Any, declared: ActionDeclaration | None) -> dict[str, Any] | None:
    """The single findings of a scan; None for whatever is none, or found nothing new."""
    if declared is None or declared.action_type_id.provider != findings.PROVIDER:
        return None
    found = findings.single(json.loads(row.output))
    return found if found["findings"] else None


def place(declared: ActionDeclaration | RuleDeclaration | None, url: str = "") -> dict[str, str]:
    """Where something acts or looks. url: what its driver told of it, which is preferred."""
    if declared is None:
        return {"account": "", "region": "", "url": safe(url)}
    given, region = declared.configuration, declared.region or ""
    return {
        "account": given.get("Account", ""),
        "region": region,
        "url": safe(url) or page_of(declared.driver[2], given, region),
    }


def by_rule(known: Mapping[str, RuleDeclaration], row: Any) -> dict[str, str]:
    """Where a rule looks."""
    return place(known.get(row.name), row.url)
