"""The explanation as one document: bounded, in camelCase, times in ISO 8601 (those of a chart in seconds)."""

import json
from typing import Any

from controlplane.clock import iso
from controlplane.explain.ahead import ahead
from controlplane.explain.doings import doings
from controlplane.explain.outcome import decision, outcome
from controlplane.explain.records import Records
from controlplane.explain.rules import rule
from controlplane.explain.steps import bounded, steps

Document = dict[str, Any]

STAGES = 40
"""Entries into stages that are told, the newest: a stage may be retried without end."""
CHARTS = 24
"""Rules whose series are drawn, those of the last stages."""


def explain(records: Records) -> Document:
    """Why it went as it did."""
    execution = records.execution
    told = bounded(steps(records))
    entered = list(records.stages[-STAGES:])
    return {
        "executionId": execution.id,
        "pipeline": execution.pipeline,
        "type": execution.type,
        "status": execution.status,
        "digest": execution.digest,
        "by": json.loads(execution.trigger).get("by", "towpath"),
        "startedAt": iso(execution.started_at),
        "endedAt": iso(execution.ended_at),
        "outcome": outcome(records),
        "ahead": ahead(records),
        "rollsBack": execution.rolls_back,
        "rollbacks": [_rollback(back) for back in records.rollbacks],
        "steps": [step for step in told if _entry_of(step, entered) is None],
        "stages": _fewer_charts([_stage(records, stage, entered, told) for stage in entered]),
    }


def _stage(records: Records, stage: Any, entered: list[Any], told: list[Document]) -> Document:
    actions = records.actions_of(stage)
    ids = {row.id for row in actions}
    return {
        "stage": stage.stage,
        "attempt": stage.attempt,
        "status": stage.status,
        "held": stage.held,
        "enteredAt": iso(stage.entered_at),
        "deployedAt": iso(stage.since),
        "endedAt": iso(stage.ended_at),
        "deployments": [_deployment(row) for row in records.ledger if row.action_id in ids],
        "actions": doings(records, stage),
        "steps": [step for step in told if _entry_of(step, entered) is stage],
        "rules": [rule(records, stage, row) for row in records.rules_of(stage)],
        "decision": decision(records, stage),
    }


def _entry_of(step: Document, entered: list[Any]) -> Any:
    """The entry into a stage that a step belongs to: the last one that had begun by then."""
    found = None
    for stage in entered:
        if stage.stage == step["stage"]:
            begun = found is None or (iso(stage.entered_at) or "~") <= step["at"]
            found = stage if begun else found
    return found


def _deployment(row: Any) -> Document:
    return {
        "target": row.target,
        "digest": row.digest,
        "deployment": row.handle,
        "fared": row.status,
        "at": iso(row.at),
    }


def _rollback(back: Records) -> Document:
    execution = back.execution
    ended = execution.ended_at
    return {
        "executionId": execution.id,
        "stage": back.stages[0].stage if back.stages else "",
        "digest": execution.digest,
        "state": execution.rollback_state,
        "reason": execution.reason,
        "requestedAt": iso(execution.started_at),
        "endedAt": iso(ended),
        "seconds": None if ended is None else round(ended - execution.started_at, 3),
    }


def _fewer_charts(stages: list[Document]) -> list[Document]:
    left = CHARTS
    for stage in reversed(stages):
        for one in stage["rules"]:
            if one["chart"] is not None and left <= 0:
                one["chart"] = None
            left -= one["chart"] is not None
    return stages
