"""GetPipelineState: each stage, who is in it, who waits in front, and how its actions and rules stand."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from controlplane.codepipeline import approval_tokens, job_state, statuses
from controlplane.codepipeline.asking import Answer, Ask, declared
from controlplane.codepipeline.histories import errors
from controlplane.declarations.model import ActionDeclaration, StageDeclaration
from controlplane.engine.rows import AUTOMATIC
from controlplane.engine.spoken import action_id
from controlplane.store import executions, pipelines, queries

CONDITIONS = {
    ("gate",): ("beforeEntryConditionState", "before_entry"),
    ("rule", "proof"): ("onSuccessConditionState", "on_success"),
    ("failure",): ("onFailureConditionState", "on_failure"),
}
"""By the kinds of the rows: the word, and where its conditions are declared."""


def get(ask: Ask) -> Answer:
    """Answer how a pipeline stands; all of it is of one moment."""
    name = ask.given["name"]
    with ask.read() as connection:
        found, version = declared(ask, connection, name)
        closed = {row.stage: row for row in queries.transitions(connection, name)}
        stages = [_stage(ask, connection, one, closed.get(one.name)) for one in found.stages]
        row: Any = pipelines.row(connection, name)
        began = pipelines.created(connection, name)[name]
    return {
        "pipelineName": name,
        "pipelineVersion": version,
        "stageStates": stages,
        "created": began,
        "updated": row.updated_at,
    }


def _stage(
    ask: Ask, connection: Connection, stage: StageDeclaration, closed: Any
) -> dict[str, Any]:
    pipeline = ask.given["name"]
    waiting = sorted(
        executions.inbound(connection, pipeline, stage.name), key=lambda row: row.execution_id
    )
    inside = queries.in_stage(connection, pipeline, stage.name)
    latest = inside or queries.latest_in_stage(connection, pipeline, stage.name)
    rows = [] if latest is None else queries.actions_of_stage(connection, latest.id)
    inbound = [_inbound(row) for row in waiting]
    return {
        "stageName": stage.name,
        "inboundTransitionState": _transition(closed),
        "inboundExecution": inbound[-1] if inbound else None,
        "inboundExecutions": inbound,
        "latestExecution": _latest(connection, latest),
        "actionStates": _actions(ask, connection, stage, rows),
        **_conditions(stage, rows),
        "retryStageMetadata": _retries(connection, latest),
    }


def _transition(closed: Any) -> dict[str, Any]:
    if closed is None:
        return {"enabled": True}
    return {
        "enabled": False,
        "lastChangedBy": closed.disabled_by,
        "lastChangedAt": closed.disabled_at,
        "disabledReason": closed.reason,
    }


def _inbound(row: Any) -> dict[str, Any]:
    kind = statuses.TYPE[row.type]
    return {"pipelineExecutionId": row.execution_id, "status": "InProgress", "type": kind}


def _latest(connection: Connection, row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    execution: Any = executions.by_id(connection, row.execution_id)
    return {
        "pipelineExecutionId": row.execution_id,
        "status": statuses.STAGE[row.status],
        "type": statuses.TYPE[execution.type],
    }


def _retries(connection: Connection, row: Any) -> Mapping[str, Any] | None:
    """Who has tried the stage's latest execution again, and how often; an attempt that waits counts."""
    if row is None:
        return None
    every = executions.of_execution(connection, row.execution_id)
    again = [one for one in every if one.position == row.position and one.attempt > 1]
    if not again:
        return None
    by_itself = sum(one.retried == AUTOMATIC for one in again)
    by = "AutomatedStageRetry" if again[-1].retried == AUTOMATIC else "ManualStageRetry"
    return {
        "autoStageRetryAttempt": by_itself or None,
        "manualStageRetryAttempt": (len(again) - by_itself) or None,
        "latestRetryTrigger": by,
    }


def _actions(
    ask: Ask, connection: Connection, stage: StageDeclaration, rows: Sequence[Any]
) -> list[dict[str, Any]]:
    """Every declared action, with how it stands; one that has not begun has no latest execution."""
    by_name = {row.name: row for row in rows if row.kind == "action"}
    states = []
    for action in stage.actions:
        row = by_name.get(action.name)
        token = approval_tokens.current(ask, connection, row, stage.name) if _waits(row) else None
        states.append(_action(connection, action, row, token))
    return states


def _waits(row: Any) -> bool:
    """Whether it is an approval that is open: its handle is its own token."""
    return (
        row is not None
        and row.status == "InProgress"
        and row.handle == row.token
        and row.answer == ""
    )


def _action(
    connection: Connection, action: ActionDeclaration, row: Any, token: str | None
) -> dict[str, Any]:
    latest, job = _execution(row, token), job_state.of(connection, action, row)
    percent = job.pop("percentComplete", None)
    return {
        "actionName": action.name,
        "latestExecution": latest and {**latest, "percentComplete": percent},
        "entityUrl": _link(action, row),
        **job,
    }


def _link(action: ActionDeclaration, row: Any) -> str | None:
    """Where to look; one with variables is known once the action has begun."""
    link = action.configuration.get("ExternalEntityLink")
    return link if link is None or "#{" not in link else row and row.url


def _execution(row: Any, token: str | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "actionExecutionId": action_id(row),
        "status": statuses.ACTION[row.status],
        "summary": row.summary,
        "lastStatusChange": row.ended_at or row.started_at,
        "token": token,
        "externalExecutionId": row.handle if row.handle != row.token else None,
        "externalExecutionUrl": row.url,
        "errorDetails": errors(row),
    }


def _conditions(stage: StageDeclaration, rows: Sequence[Any]) -> dict[str, Any]:
    """What the rules of the gate, the bake and onFailure have seen, by condition."""
    found = {}
    for kinds, (word, place) in CONDITIONS.items():
        by_name = {row.name: row for row in rows if row.kind in kinds}
        group = getattr(stage, place)
        states = []
        for condition in group.conditions if group else ():
            seen = [by_name.pop(rule.name) for rule in condition.rules if rule.name in by_name]
            states += [_condition(seen)] if seen else []
        if by_name:  # a freeze; or of an older version of the structure
            states.append(_condition(list(by_name.values())))
        if states:
            worst = _worst([one["latestExecution"]["status"] for one in states])
            found[word] = {"latestExecution": {"status": worst}, "conditionStates": states}
    return found


def _condition(rules: Sequence[Any]) -> dict[str, Any]:
    latest = {"status": _worst([statuses.CONDITION[row.status] for row in rules])}
    return {"latestExecution": latest, "ruleStates": [_rule(row) for row in rules]}


def _rule(row: Any) -> dict[str, Any]:
    latest = {
        "ruleExecutionId": action_id(row),
        "status": statuses.ACTION[row.status],
        "summary": row.summary,
        "lastStatusChange": row.ended_at or row.started_at,
        "externalExecutionUrl": row.url,
        "errorDetails": errors(row),
    }
    return {"ruleName": row.name, "latestExecution": latest}


def _worst(seen: Sequence[str]) -> str:
    order = ("Failed", "InProgress", "Abandoned", "Succeeded")
    return next(status for status in order if status in seen)
