"""A stage execution as a document: its actions, its rules with what they last saw, its bake."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from controlplane.api.wave_documents import wave_documents
from controlplane.api.words import Document, gate_rule, measurements, override
from controlplane.clock import iso
from controlplane.declarations.model import ActionDeclaration, StageDeclaration
from controlplane.engine.rows import ABANDONED
from controlplane.engine.view import bake_seconds
from controlplane.states import ActionStatus
from controlplane.store import gates as store_gates
from controlplane.store import measurements as store_measurements
from controlplane.store import queries

TREND = 60


def stage_execution(
    connection: Connection, row: Any, execution: Any, declared: StageDeclaration | None
) -> Document:
    """Write one stage execution; declared: the stage as its execution runs it, where known."""
    rows = queries.actions_of_stage(connection, row.id)
    actions = {a.name: a for a in declared.actions} if declared else {}
    return {
        "executionId": row.execution_id,
        "stage": row.stage,
        "attempt": row.attempt,
        "status": row.status,
        "type": execution.type,
        "digest": execution.digest,
        "version": execution.version,
        "cause": row.cause,
        "held": row.held,
        "since": iso(row.since),
        "enteredAt": iso(row.entered_at),
        "endedAt": iso(row.ended_at),
        "bake": _bake(row, declared),
        "waves": _waves(declared, rows, row, execution),
        "actions": [
            _action(a, actions.get(a.name)) | _left(a, rows) for a in rows if a.kind == "action"
        ],
        "watch": _watch(row),
        "rules": [_rule(connection, a) for a in _seen_last(rows)],
        "gate": gate(connection, row.id, rows),
        "onFailure": [gate_rule(one) for one in rows if one.kind == "failure"],
        "proofs": [gate_rule(one) for one in rows if one.kind == "proof"],
    }


def _waves(
    declared: StageDeclaration | None, rows: Sequence[Any], row: Any, execution: Any
) -> list[Document]:
    """A way back has its own plan; its actions only remember which wave they undo."""
    if declared is None or execution.type == "ROLLBACK":
        return []
    return wave_documents(declared, rows, row)


def gate(connection: Connection, stage_id: str, rows: Sequence[Any]) -> Document | None:
    """What stands in front of a stage; None where nothing does. rows: the actions and rules there."""
    rules = [gate_rule(one) for one in rows if one.kind == "gate"]
    if not rules:
        return None
    asked = store_gates.last_override(connection, stage_id)
    return {"rules": rules, "override": None if asked is None else override(asked)}


def _bake(row: Any, declared: StageDeclaration | None) -> Document | None:
    """How long it bakes after its last action, as declared or as a person asked; None where it does not."""
    rules = declared.rules() if declared else ()
    if not rules:
        return None
    seconds = max(bake_seconds(rule) for rule in rules)
    began = row.baking_since
    longer = None if began is None or _is_of_watch(row) else row.bake_until
    if began is not None and longer is not None:
        seconds = max(seconds, longer - began)
    ends = None if began is None else began + seconds
    return {
        "seconds": seconds,
        "since": iso(began),
        "until": iso(row.extended_until or ends),
        "extended": row.extended_until is not None,
        "longerUntil": iso(longer),
        "askedAt": iso(row.asked_at),
        "judged": row.judged,
    }


def _is_of_watch(row: Any) -> bool:
    """Whether a person had the watch last longer, and not the bake: that was over by then."""
    return bool(row.watch) and (row.bake_until or 0.0) > (row.ended_at or 0.0)


def _watch(row: Any) -> Document | None:
    """How the stage is watched since it is done: automatic, advice, or over; None where it never was."""
    return {"state": row.watch, "until": iso(row.watch_until)} if row.watch else None


def _seen_last(rows: Sequence[Any]) -> list[Any]:
    """Each rule as it looked last: in the watch, where there is one."""
    newest = {row.name: row for row in rows if row.kind == "rule"}
    return list((newest | {row.name: row for row in rows if row.kind == "watch"}).values())


def _action(row: Any, declared: ActionDeclaration | None) -> Document:
    document: Document = {
        "name": row.name,
        "provider": declared.action_type_id.provider if declared else "",
        "category": declared.action_type_id.category if declared else "",
        "runOrder": row.run_order,
        "attempt": row.attempt,
        "status": row.status,
        "summary": row.summary,
        "url": row.url,
        "handle": "" if row.handle == row.token else row.handle,
        "startedAt": iso(row.started_at),
        "endedAt": iso(row.ended_at),
    }
    if is_open_approval(row):
        document["approval"] = _approval(row, declared)
    return document


def _left(action: Any, rows: Sequence[Any]) -> Document:
    """How what it left under way stands; nothing where that is nothing."""
    for one in rows:
        if one.kind == ABANDONED and one.token == action.token:
            said = {"status": one.status, "summary": one.summary, "endedAt": iso(one.ended_at)}
            return {"left": said}
    return {}


def is_open_approval(row: Any) -> bool:
    """Answer whether it waits for a person. An approval's handle is its token."""
    waits = row.status == ActionStatus.IN_PROGRESS and row.handle == row.token
    return bool(waits and row.answer == "")


def _approval(row: Any, declared: ActionDeclaration | None) -> Document:
    """What the approver reads: with variables, as the approval itself says it."""
    given = declared.configuration if declared else {}
    note, link = given.get("CustomData", ""), given.get("ExternalEntityLink", "")
    link = row.url if "#{" in link else link
    return {
        "note": row.summary if "#{" in note else note,
        # A declared link is outside text: javascript: must not become something to press.
        "link": link if link.startswith(("https://", "http://")) else "",
    }


def _rule(connection: Connection, row: Any) -> Document:
    seen: Sequence[Any] = store_measurements.of_action(connection, row.id, TREND)
    last = seen[-1] if seen else None
    return {
        "name": row.name,
        "attempt": row.attempt,
        "status": row.status,
        "verdict": row.verdict,
        "verdictAt": iso(row.verdict_at),
        "value": last.value if last else None,
        "samples": last.samples if last else 0,
        "reason": last.reason if last else "",
        "trend": [one.value for one in seen],
    }


def rule_measurements(connection: Connection, row: Any, stage: str) -> Document:
    """Everything that a rule saw, the newest 500 looks."""
    seen = store_measurements.of_action(connection, row.id)
    return {
        "stage": stage,
        "rule": row.name,
        "attempt": row.attempt,
        "verdict": row.verdict,
        "measurements": measurements(seen),
    }
