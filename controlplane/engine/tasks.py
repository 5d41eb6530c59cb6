"""From a claimed row to the Task that its driver gets: inputs found, variables resolved, times told."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane import ledger as pure_ledger
from controlplane.declarations.model import ActionDeclaration, RuleDeclaration, StageDeclaration
from controlplane.engine.gate import FREEZE
from controlplane.engine.gate_facts import Ask, facts
from controlplane.engine.structures import Structures
from controlplane.engine.variables import variables
from controlplane.engine.view import deploys
from controlplane.ledger import Fared
from controlplane.states import StageStatus
from controlplane.store import executions, ledger
from monitors.base import Artifact, Task

log = logging.getLogger(__name__)

VARIABLE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_.-]+)\}")

Key = tuple[str, str, str]
"""Which driver: (category, owner, provider)."""


class UnresolvedError(Exception):
    """An input artifact or a variable that the declaration names is not there."""


class Job(NamedTuple):
    """A claimed row, its driver's key, what was declared, and the task; error where none could be made.

    execution: whose it is, and in which stage; as it was claimed, so only what never changes is asked of it.
    stopping: its stage winds down, and nothing more is started in it.
    """

    row: Any
    execution: Any
    key: Key
    declared: ActionDeclaration | RuleDeclaration
    task: Task
    error: str = ""
    stopping: bool = False


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
    """One job for each claimed row of which one can be made; the others are seen again, and logged."""
    if not rows:
        return []
    owners = executions.in_stages(connection, {row.stage_id for row in rows})
    found = []
    for row in rows:
        try:
            execution = owners[row.stage_id]
            stages = structures.stages(connection, execution)
            stage = stages[0] if execution.plan else stages[execution.position]
            found.append(_job(connection, structures, row, execution, stage, now))
        except (ValueError, TypeError, LookupError, StopIteration):
            log.exception("%s cannot be made a task; it is seen again after its lease", row.token)
    return found


def _job(
    connection: Connection,
    structures: Structures,
    row: Any,
    execution: Any,
    stage: StageDeclaration,
    now: float,
) -> Job:
    declared = _declared(stage, row)
    configuration: Mapping[str, str] = declared.configuration
    inputs: tuple[Artifact, ...] = ()
    error = ""
    try:
        configuration = _resolve(connection, structures, execution, configuration)
        inputs = _inputs(connection, execution, declared)
    except UnresolvedError as problem:
        error = str(problem)
    is_rule, at_gate = isinstance(declared, RuleDeclaration), row.kind == "gate"
    key = ("Gate", *key_of(declared)[1:]) if at_gate else key_of(declared)
    asked = Ask(connection, structures, execution, stage, configuration, now)
    outputs = () if isinstance(declared, RuleDeclaration) else declared.output_artifacts
    task = Task(
        token=row.token,
        pipeline=execution.pipeline,
        execution=execution.id,
        stage=stage.name,
        action=row.name,
        configuration=_pinned(execution, declared, configuration),
        account=configuration.get("Account", ""),
        region=declared.region or "",
        inputs=inputs,
        outputs=tuple(artifact.name for artifact in outputs),
        handle=row.handle,
        again=row.starts > 1,
        since=_time((execution.since if is_rule else None) or row.started_at),
        began=_time(execution.since),
        known_good=_known_good(connection, structures, execution, stage, declared),
        answer=row.answer,
        now=_time(now),
        known=facts(asked, key[2]) if at_gate and not error else {},
    )
    stopping = execution.stage_status == StageStatus.STOPPING
    return Job(row, execution, key, declared, task, error, stopping)


def _declared(stage: StageDeclaration, row: Any) -> ActionDeclaration | RuleDeclaration:
    every = {"rule": stage.rules(), "gate": (*stage.gates(), FREEZE)}.get(row.kind, stage.actions)
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
        found.append(_tested(execution, declared, Artifact(**json.loads(text))))
    return tuple(found)


def _tested(
    execution: Any, declared: ActionDeclaration | RuleDeclaration, artifact: Artifact
) -> Artifact:
    """Only what every stage before has tested is put on a target, whatever its copy is called."""
    deploying = isinstance(declared, ActionDeclaration) and deploys(declared)
    if deploying and artifact.digest != execution.digest:
        raise UnresolvedError(
            f"{artifact.name} is {artifact.digest or 'without a digest'}, but this execution is "
            f"about {execution.digest or 'no digest'}, and nothing else was tested: deploy the "
            "first source's artifact, or an unchanged copy of it"
        )
    return artifact


def _known_good(
    connection: Connection,
    structures: Structures,
    execution: Any,
    stage: StageDeclaration,
    declared: ActionDeclaration | RuleDeclaration,
) -> str:
    """The digest that is known to be good on the stage's (first) target; checks compare with it."""
    if isinstance(declared, RuleDeclaration) or declared.action_type_id.category != "Test":
        return ""
    target = next((a for a in stage.actions if deploys(a)), None)
    if target is None:
        return ""
    try:
        where = _resolve(connection, structures, execution, target.configuration)
    except UnresolvedError:
        return ""  # nobody knows yet where it will be deployed to
    name = pure_ledger.target_of(target.action_type_id.provider, target.region or "", where)
    found = ledger.entries(connection, name, limit=1, status=Fared.GOOD)
    return found[0].digest if found else ""


def _resolve(
    connection: Connection,
    structures: Structures,
    execution: Any,
    configuration: Mapping[str, str],
) -> Mapping[str, str]:
    """Put variables where `#{namespace.name}` asks for them."""
    if not any("#{" in value for value in configuration.values()):
        return configuration
    known = variables(connection, structures, execution)

    def value(match: re.Match[str]) -> str:
        name = (match[1], match[2])
        if name not in known:
            raise UnresolvedError(f"variable {match[0]} has no value: no earlier action set it")
        return known[name]

    return {key: VARIABLE.sub(value, text) for key, text in configuration.items()}
