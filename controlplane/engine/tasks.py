"""From a claimed row to the Task that its driver gets: inputs found, variables resolved, times told."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane import ledger as pure_ledger
from controlplane.declarations.keys import Kind
from controlplane.declarations.model import ActionDeclaration, RuleDeclaration, StageDeclaration
from controlplane.declarations.providers import provider_of
from controlplane.declarations.registered import is_job
from controlplane.declarations.wave_keys import target_of
from controlplane.engine.gate import FREEZE
from controlplane.engine.gate_facts import Ask, facts
from controlplane.engine.rows import ABANDONED, ASKED
from controlplane.engine.stores import COPY, Stored, StoreError, store_for, stored
from controlplane.engine.structures import Structures
from controlplane.engine.subject import subject_of, untested
from controlplane.engine.terms import terms
from controlplane.engine.variables import variables
from controlplane.engine.view import deploys
from controlplane.ledger import Fared
from controlplane.states import StageStatus
from controlplane.store import actions, executions, ledger
from monitors.base import Artifact, Shell, Task
from monitors.judge import among, by_chance

log = logging.getLogger(__name__)

VARIABLE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_.-]+)\}")

WATCH_INTERVAL = "1m"
STANDS_FOR = {"watch": "rule", ABANDONED: "action"}
"""Kind of a row -> of what is declared, where they differ."""
JSON_KINDS = frozenset({Kind.JSON_LIST, Kind.JSON_OBJECT})

Key = tuple[str, str, str]
"""Which driver: (category, owner, provider)."""


JOB: Key = ("Job", "Towpath", "")
"""An action that is done outside, by whoever comes for the job or is called for it (engine.work)."""


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


def jobs(
    connection: Connection,
    structures: Structures,
    rows: Sequence[Any],
    now: float,
    known: Mapping[str, Any] = MappingProxyType({}),
) -> list[Job]:
    """One job for each claimed row of which one can be made; the others are seen again, and logged.

    known: what `executions.in_stages` would say of some stage executions.
    """
    asked = {row.stage_id for row in rows} - known.keys()
    owners = {**known, **(executions.in_stages(connection, asked) if asked else {})}
    found = []
    for row in rows:
        try:
            execution = owners[row.stage_id]
            stages = structures.stages(connection, execution)
            stage = stages[0] if execution.plan else stages[execution.position]
            found.append(_job(connection, structures, row, execution, stage, now))
        except (ValueError, TypeError, LookupError):
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
    kept = Stored(None, ())
    shell: Shell | None = None
    error = ""
    try:
        configuration = _resolve(connection, structures, execution, declared)
        shell = _shell(connection, structures, execution, declared)
        kept = _inputs(connection, structures, execution, stage, row, declared)
    except (UnresolvedError, StoreError) as problem:
        error = str(problem)
    is_rule, at_gate = isinstance(declared, RuleDeclaration), row.kind in ("gate", *ASKED)
    key = ("Gate", *declared.driver[1:]) if at_gate else declared.driver
    if isinstance(declared, ActionDeclaration) and is_job(declared):
        key = JOB
    if kept.missing:
        key = COPY
    asked = Ask(connection, structures, execution, stage, configuration, now)
    began = _began(connection, execution, stage, row, declared)
    outputs = () if isinstance(declared, RuleDeclaration) else declared.output_artifacts
    task = Task(
        token=row.token,
        pipeline=execution.pipeline,
        execution=execution.id,
        stage=stage.name,
        action=row.name,
        configuration=_paced(
            row, _among(stage, declared, _pinned(execution, declared, configuration))
        ),
        account=configuration.get("Account", ""),
        region=declared.region or "",
        inputs=kept.missing or kept.inputs,
        outputs=tuple(artifact.name for artifact in outputs),
        handle=row.handle,
        again=row.starts > 1,
        since=_time((began if is_rule else None) or row.started_at),
        began=_time(began),
        known_good=_known_good(connection, structures, execution, stage, declared),
        answer=row.answer,
        judged=_time(row.verdict_at),
        now=_time(now),
        known=facts(asked, key[2]) if at_gate and not error else {},
        shell=shell,
        store=kept.store,
        references=_references(connection, structures, execution, kept.inputs),
    )
    # Rules are begun while the stage winds down, too: of onFailure, and what watches where it is waited for.
    stopping = execution.stage_status == StageStatus.STOPPING and row.kind == "action"
    return Job(row, execution, key, declared, task, error, stopping)


def _began(
    connection: Connection,
    execution: Any,
    stage: StageDeclaration,
    row: Any,
    declared: ActionDeclaration | RuleDeclaration,
) -> float | None:
    """When the stage's first deployment began, or the first one to the target that this is about."""
    began: float | None = execution.since
    if began is None or not target_of(declared):
        return began
    names = {action.name for action in _deploying(stage, declared)}
    return actions.first_start(connection, row.stage_id, names)


def _deploying(
    stage: StageDeclaration, declared: ActionDeclaration | RuleDeclaration
) -> list[ActionDeclaration]:
    """The deployments of the stage; where it has waves, those to the same target."""
    target = target_of(declared)
    return [a for a in stage.actions if deploys(a) and target in ("", target_of(a))]


def _declared(stage: StageDeclaration, row: Any) -> ActionDeclaration | RuleDeclaration:
    """What a row stands for; what goes on behind the end is declared in the stage, too."""
    if row.kind == "gate" and row.name == FREEZE.name:
        return FREEZE
    return stage.by_name[STANDS_FOR.get(row.kind, row.kind), row.name]


@lru_cache(maxsize=256)  # what is claimed together begins together
def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _among(
    stage: StageDeclaration,
    declared: ActionDeclaration | RuleDeclaration,
    configuration: Mapping[str, str],
) -> Mapping[str, str]:
    """Signals that judge together share the false alarms that one is let; a critical one suffices alone."""
    if not isinstance(declared, RuleDeclaration) or terms(declared).critical:
        return configuration
    others = [one for one in stage.rules() if by_chance(one.configuration)]
    return among(configuration, sum(not terms(one).critical for one in others))


def _paced(row: Any, configuration: Mapping[str, str]) -> Mapping[str, str]:
    """A watch lasts for hours: it looks less often than a bake."""
    return {**configuration, "Interval": WATCH_INTERVAL} if row.kind == "watch" else configuration


def _pinned(
    execution: Any, declared: ActionDeclaration | RuleDeclaration, configuration: Mapping[str, str]
) -> Mapping[str, str]:
    """A source action gets the revision that this execution is pinned to, and what that is of."""
    if declared.driver[0] != "Source":
        return configuration
    revision = json.loads(execution.revisions).get(declared.name, "")
    why = json.loads(execution.trigger)
    mine = why.get("source") == declared.name
    said = {
        "RevisionId": revision,
        "TriggerRef": why.get("ref", "") if mine else "",
        "PullRequestId": why.get("pull", "") if mine else "",
    }
    return {**configuration, **{key: value for key, value in said.items() if value}}


def _inputs(
    connection: Connection,
    structures: Structures,
    execution: Any,
    stage: StageDeclaration,
    row: Any,
    declared: ActionDeclaration | RuleDeclaration,
) -> Stored:
    """What goes in, where it lies for this task, and what must be brought there first."""
    where = store_for(connection, structures, execution, declared)
    if not declared.input_artifacts:
        return Stored(where[0], ())
    known = ledger.artifacts(connection, [execution.id])
    found = []
    for artifact in declared.input_artifacts:
        text = known.get((execution.id, artifact.name))
        if text is None:
            raise UnresolvedError(f"input artifact {artifact.name} was not made by any action")
        found.append(Artifact(**json.loads(text)))
    if isinstance(declared, ActionDeclaration) and deploys(declared):
        _tested(
            structures.stages(connection, execution), execution, stage, declared, found[0], known
        )
    return stored(row, where, found, known)


def _references(
    connection: Connection, structures: Structures, execution: Any, inputs: Sequence[Artifact]
) -> tuple[str, ...]:
    """Which inputs only name a commit; no action of a way back or a drill has such a one."""
    if not inputs or execution.plan:
        return ()
    known = structures.subject(connection, execution).references
    return tuple(one.name for one in inputs if one.name in known)


def _tested(
    stages: Sequence[StageDeclaration],
    execution: Any,
    stage: StageDeclaration,
    declared: ActionDeclaration,
    artifact: Artifact,
    known: Mapping[tuple[str, str], str],
) -> None:
    """Only what the stages before have tested is put on a target, whatever its copy is called."""
    subject = subject_of(stages)
    origin = subject.origins[artifact.name]
    if origin in subject.references:
        raise UnresolvedError(
            f"{origin} only names a commit (CODEBUILD_CLONE_REF) and holds no files to deploy: deploy what a "
            "build makes of it, or let its source put out CODE_ZIP"
        )
    made = json.loads(known.get((execution.id, origin), "{}")).get("digest", "")
    if not artifact.digest or artifact.digest != made:
        raise UnresolvedError(
            f"{artifact.name} is {artifact.digest or 'without a digest'}, but {origin}, which it should be an "
            f"unchanged copy of, is {made or 'without a digest'}, and nothing else was tested: deploy "
            f"{origin}, or an unchanged copy of it"
        )
    if others := untested(stages, stage.name, declared):
        raise UnresolvedError(
            f"{origin} is {artifact.digest}, and no stage before has tested it: of this application they "
            f"deployed {' and '.join(others)}, so deploy that, or an unchanged copy of it"
        )


def _known_good(
    connection: Connection,
    structures: Structures,
    execution: Any,
    stage: StageDeclaration,
    declared: ActionDeclaration | RuleDeclaration,
) -> str:
    """The digest known to be good on a check's own target, or the stage's first; checks compare with it."""
    if declared.driver[0] != "Test":
        return ""
    target = next(iter(_deploying(stage, declared)), None)
    if target is None:
        return ""
    try:
        where = _resolve(connection, structures, execution, target)
    except UnresolvedError:
        return ""  # nobody knows yet where it will be deployed to
    name = pure_ledger.target_of(target.action_type_id.provider, target.region or "", where)
    found = ledger.entries(connection, name, limit=1, status=Fared.GOOD)
    return found[0].digest if found else ""


def _resolve(
    connection: Connection,
    structures: Structures,
    execution: Any,
    declared: ActionDeclaration | RuleDeclaration,
) -> Mapping[str, str]:
    """The configuration, with variables where `#{namespace.name}` asks for them."""
    if not declared.has_variables:
        return declared.configuration
    known = variables(connection, structures, execution)
    kind = (
        declared.action_type_id
        if isinstance(declared, ActionDeclaration)
        else declared.rule_type_id
    )
    provider = provider_of(kind)
    keys = provider.keys if provider is not None else {}
    in_json = {name for name, key in keys.items() if key.kind in JSON_KINDS}
    return {
        key: _filled(known, text, quoted=key in in_json)
        for key, text in declared.configuration.items()
    }


def _shell(
    connection: Connection,
    structures: Structures,
    execution: Any,
    declared: ActionDeclaration | RuleDeclaration,
) -> Shell | None:
    """What it runs in a shell; a variable goes into the environment only, where it is no code."""
    if not declared.commands:
        return None
    if isinstance(declared, RuleDeclaration):
        return Shell(declared.commands)
    known = variables(connection, structures, execution) if declared.has_variables else {}
    return Shell(
        declared.commands,
        declared.output_variables,
        tuple(
            (one.name, _filled(known, one.value), one.type or "PLAINTEXT")
            for one in declared.environment_variables
        ),
        declared.output_artifacts[0].files if declared.output_artifacts else (),
    )


def _filled(known: Mapping[tuple[str, str], str], text: str, *, quoted: bool = False) -> str:
    """Put variables in.

    quoted: into JSON, out of whose texts no value may break; one that is the whole of it may be JSON itself.
    """

    def value(match: re.Match[str]) -> str:
        name = (match[1], match[2])
        if name not in known:
            raise UnresolvedError(f"variable {match[0]} has no value: no earlier action set it")
        return json.dumps(known[name])[1:-1] if inside else known[name]

    inside = quoted and not VARIABLE.fullmatch(text)
    return VARIABLE.sub(value, text)
