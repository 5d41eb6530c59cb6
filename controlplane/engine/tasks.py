"""From a claimed row to the Task that its driver gets: inputs found, variables resolved, times told."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from controlplane import ledger as pure_ledger
from controlplane.declarations.model import ActionDeclaration, RuleDeclaration, StageDeclaration
from controlplane.engine.structures import Structures
from controlplane.engine.view import deploys
from controlplane.store import executions, ledger
from monitors.base import Artifact, Task

VARIABLE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_.-]+)\}")

Key = tuple[str, str, str]
"""Which driver: (category, owner, provider)."""


class UnresolvedError(Exception):
    """An input artifact or a variable that the declaration names is not there."""


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed row, its driver's key, what was declared, and the task; error where none could be made."""

    row: Any
    key: Key
    declared: ActionDeclaration | RuleDeclaration
    task: Task
    error: str = ""


def key_of(declared: ActionDeclaration | RuleDeclaration) -> Key:
    """Which driver does it."""
    if isinstance(declared, RuleDeclaration):
        rule = declared.rule_type_id
        return (rule.category, rule.owner, rule.provider)
    action = declared.action_type_id
    return (action.category, action.owner, action.provider)


def jobs(
    connection: Connection, structures: Structures, rows: Sequence[Any], now: float
) -> list[Job]:
    """One job for each claimed row."""
    if not rows:
        return []
    owners = executions.many(connection, {row.execution_id for row in rows})
    stages = executions.stages(connection, {row.stage_id for row in rows})
    found = []
    for row in rows:
        execution, stage = owners[row.execution_id], stages[row.stage_id]
        declared_stages = structures.stages(connection, execution)
        own = declared_stages[0] if execution.plan else declared_stages[stage.position]
        found.append(_job(connection, row, execution, (stage, own), now))
    return found


def _job(
    connection: Connection,
    row: Any,
    execution: Any,
    where: tuple[Any, StageDeclaration],
    now: float,
) -> Job:
    stage, own = where
    declared = _declared(own, row)
    configuration: Mapping[str, str] = declared.configuration
    inputs: tuple[Artifact, ...] = ()
    error = ""
    try:
        configuration = _resolve(connection, execution, configuration)
        inputs = _inputs(connection, execution, declared)
    except UnresolvedError as problem:
        error = str(problem)
    is_rule = isinstance(declared, RuleDeclaration)
    outputs = () if isinstance(declared, RuleDeclaration) else declared.output_artifacts
    task = Task(
        token=row.token,
        pipeline=execution.pipeline,
        execution=execution.id,
        stage=stage.stage,
        action=row.name,
        configuration=_pinned(execution, declared, configuration),
        account=configuration.get("Account", ""),
        region=declared.region or "",
        inputs=inputs,
        outputs=tuple(artifact.name for artifact in outputs),
        handle=row.handle,
        again=row.starts > 1,
        since=_time(stage.since if is_rule else row.started_at),
        began=_time(stage.since),
        known_good=_known_good(connection, own, declared),
        answer=row.answer,
        now=_time(now),
    )
    return Job(row, key_of(declared), declared, task, error)


def _declared(stage: StageDeclaration, row: Any) -> ActionDeclaration | RuleDeclaration:
    every = stage.rules() if row.kind == "rule" else stage.actions
    return next(declared for declared in every if declared.name == row.name)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _pinned(
    execution: Any, declared: ActionDeclaration | RuleDeclaration, configuration: Mapping[str, str]
) -> Mapping[str, str]:
    """A source action gets the revision that this execution is pinned to."""
    if isinstance(declared, RuleDeclaration) or declared.action_type_id.category != "Source":
        return configuration
    revision = json.loads(execution.revisions).get(declared.name, "")
    return {**configuration, "RevisionId": revision} if revision else configuration


def _inputs(
    connection: Connection, execution: Any, declared: ActionDeclaration | RuleDeclaration
) -> tuple[Artifact, ...]:
    if not declared.input_artifacts:
        return ()
    known = ledger.artifacts(connection, [execution.id])
    found = []
    for artifact in declared.input_artifacts:
        text = known.get((execution.id, artifact.name))
        if text is None:
            raise UnresolvedError(f"input artifact {artifact.name} was not made by any action")
        found.append(Artifact(**json.loads(text)))
    return tuple(found)


def _known_good(
    connection: Connection, stage: StageDeclaration, declared: ActionDeclaration | RuleDeclaration
) -> str:
    """The digest that is known to be good on the stage's (first) target; checks compare with it."""
    if isinstance(declared, RuleDeclaration) or declared.action_type_id.category != "Test":
        return ""
    target = next((a for a in stage.actions if deploys(a)), None)
    if target is None:
        return ""
    name = pure_ledger.target_of(
        target.action_type_id.provider, target.region or "", target.configuration
    )
    good = pure_ledger.last_known_good(ledger.entries(connection, name))
    return good.digest if good else ""


def _resolve(
    connection: Connection, execution: Any, configuration: Mapping[str, str]
) -> Mapping[str, str]:
    """Put output variables where `#{namespace.name}` asks for them."""
    if not any("#{" in value for value in configuration.values()):
        return configuration
    known: dict[tuple[str, str], str] = {("codepipeline", "PipelineExecutionId"): execution.id}
    known |= executions.variables(connection, execution.id)

    def value(match: re.Match[str]) -> str:
        name = (match[1], match[2])
        if name not in known:
            raise UnresolvedError(f"variable {match[0]} has no value: no earlier action set it")
        return known[name]

    return {key: VARIABLE.sub(value, text) for key, text in configuration.items()}
