"""What our own store knows that a rule at a gate asks about: handed over with its task, by provider.

Drivers never touch the store, so this is read where the task is made, in the same transaction.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.declarations.model import StageDeclaration
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.engine.variables import variables
from controlplane.states import StageStatus
from controlplane.store import executions, gates, pipelines, queries

Facts = Mapping[str, Any]
MOST = 50
"""Entries of a list that an expression may go through."""


class Ask(NamedTuple):
    """Who waits, in front of what, and what the rule was told."""

    connection: Connection
    structures: Structures
    execution: Any
    stage: StageDeclaration
    configuration: Mapping[str, str]
    now: float


def facts(ask: Ask, provider: str) -> Facts:
    """Empty for a rule that asks somebody outside."""
    find = FACTS.get(provider)
    return {} if find is None else find(ask)


def accounts_of(stage: StageDeclaration) -> frozenset[str]:
    """The accounts that a stage acts in."""
    found = (action.configuration.get("Account", "") for action in stage.actions)
    return frozenset(account for account in found if account)


def covering(rows: Any, pipeline: str, stage: StageDeclaration) -> list[Any]:
    """The freezes that cover a stage, of those in force."""
    accounts = accounts_of(stage)
    return [row for row in rows if gates.covers(row, pipeline, stage.name, accounts)]


def _freezes(ask: Ask) -> Facts:
    rows = gates.freezes(ask.connection, ask.now)
    found = covering(rows, ask.execution.pipeline, ask.stage)
    return {"freezes": [{"reason": r.reason, "by": r.frozen_by, "until": r.until} for r in found]}


def _incidents(ask: Ask) -> Facts:
    rows = gates.incidents(ask.connection)
    return {"incidents": [{"name": row.name, "labels": gates.labels(row)} for row in rows]}


def _document(ask: Ask) -> Facts:
    """The names of controlplane.gates.expressions, but for the time."""
    execution: Any = executions.by_id(ask.connection, ask.execution.id)
    spaces: dict[str, dict[str, str]] = {}
    for (space, name), value in variables(ask.connection, ask.structures, execution).items():
        spaces.setdefault(space, {})[name] = value
    approvers = _approvers(ask)
    document = {
        "pipeline": execution.pipeline,
        "stage": ask.stage.name,
        "digest": execution.digest,
        "execution": {
            "id": execution.id,
            "version": execution.version,
            "type": execution.type,
            "startedAt": datetime.fromtimestamp(execution.started_at, UTC),
        },
        "trigger": {k: v for k, v in json.loads(execution.trigger).items() if k != "as"},
        "revisions": json.loads(execution.revisions),
        "variables": spaces,
        "approvers": approvers,
        "approver": approvers[-1] if approvers else "",
    }
    return {"document": document}


def _approvers(ask: Ask) -> list[str]:
    """Who approved in earlier stages, in order: as declared approvals put it out, and nothing else."""
    stages = ask.structures.stages(ask.connection, ask.execution)
    asked = {
        (row.id, action.name)
        for row in executions.of_execution(ask.connection, ask.execution.id)
        for action in stages[row.position].actions
        if action.action_type_id.category == "Approval"
    }
    rows = queries.actions_of_execution(ask.connection, ask.execution.id)
    answers = [json.loads(row.output) for row in rows if (row.stage_id, row.name) in asked]
    names = [str(one.get("ApprovedBy", "")) for one in answers if one.get("Status") == "Approved"]
    return [name for name in names if name][-MOST:]


def _other(ask: Ask) -> Facts:
    """How another pipeline, or one stage of it, stands."""
    name, stage = ask.configuration.get("Pipeline", ""), ask.configuration.get("Stage", "")
    where = f"{name}/{stage}" if stage else f"pipeline {name}"
    nothing = {"there": False, "where": where}
    version = pipelines.version(ask.connection, name)
    if version is None:
        return {"other": nothing}
    try:
        declared = ask.structures.pipeline(ask.connection, name, version)
    except BrokenStructureError:
        return {"other": nothing}
    if stage and stage not in [one.name for one in declared.stages]:
        return {"other": nothing}
    found = _of_stage(ask, name, stage) if stage else _of_pipeline(ask, name)
    held = [r for r in queries.transitions(ask.connection, name) if stage in ("", r.stage)]
    reasons = "; ".join(row.reason for row in held)
    other = {"there": True, "where": where, "held": reasons[:300], **found}
    return {"other": other, "digest": ask.execution.digest}


def _of_stage(ask: Ask, name: str, stage: str) -> Facts:
    inside = queries.in_stage(ask.connection, name, stage)
    latest = queries.latest_in_stage(ask.connection, name, stage)
    if latest is None:
        return {"inside": "", "latest": "", "digest": ""}
    owner: Any = executions.by_id(ask.connection, latest.execution_id)
    well = latest.status == StageStatus.SUCCEEDED
    return {
        "inside": inside.execution_id if inside else "",
        "latest": _told(owner, latest.status),
        "digest": owner.digest if well else "",
    }


def _of_pipeline(ask: Ask, name: str) -> Facts:
    rows = queries.executions_of(ask.connection, name, MOST)
    inside = executions.open_beside(ask.connection, name, ask.execution.id)
    drills = {r.id for r in rows if r.type == "DRILL"}  # they say nothing of a release
    told = [r for r in rows if r.id not in drills and r.rolls_back not in drills]
    ended = next((r for r in told if r.ended_at is not None and r.status != "Superseded"), None)
    if ended is None:
        return {"inside": inside, "latest": "", "digest": ""}
    well = ended.status == StageStatus.SUCCEEDED
    latest = _told(ended, ended.status)
    return {"inside": inside, "latest": latest, "digest": ended.digest if well else ""}


def _told(owner: Any, status: str) -> str:
    """A rollback that went well is no release that did."""
    return f"a rollback that {status}" if owner.type == "ROLLBACK" else str(status)


FACTS: Mapping[str, Callable[[Ask], Facts]] = {
    "Freeze": _freezes,
    "OpenIncident": _incidents,
    "Expression": _document,
    "PipelineState": _other,
}
