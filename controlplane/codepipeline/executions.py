"""Pipeline executions: start, stop, retry, roll back, get, list."""

import json
from typing import Any

from sqlalchemy import Connection

from controlplane.codepipeline import faults, pages, statuses
from controlplane.codepipeline.asking import Answer, Ask, declared, execution_of, known_stage
from controlplane.codepipeline.faults import WireError, invalid
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.refusals import CommandError, Problem
from controlplane.engine.spoken import trigger
from controlplane.engine.variables import variables
from controlplane.store import executions, histories, ledger

REVISIONS = {
    "CodeCommit": ("COMMIT_ID",),
    "CodeStarSourceConnection": ("COMMIT_ID",),
    "ECR": ("IMAGE_DIGEST",),
    "S3": ("S3_OBJECT_VERSION_ID",),
}
"""Source provider -> the kinds of revision that it can be pinned to."""
LISTING = "executions"


def start(ask: Ask) -> Answer:
    """Start one; a clientRequestToken that was sent before answers the execution that it started."""
    name, token = ask.given["name"], ask.given.get("clientRequestToken")
    with ask.read() as connection:
        structure, _ = declared(ask, connection, name)
    given = {one["name"]: one["value"] for one in ask.given.get("variables", ())}
    _check_variables(structure, given)
    try:
        started = ask.desk.commands.start(
            name,
            ask.person,
            revisions=_pinned(structure, ask.given.get("sourceRevisions", ())),
            # A slash is in no name, so no other key can look like this one.
            dedupe=None if token is None else f"request/{name}/{token}",
            variables=given,
        )
    except CommandError as error:
        if error.problem is Problem.UNKNOWN:
            raise faults.no_pipeline(name) from error
        faults.refuse(error)
    return {"pipelineExecutionId": started}


def stop(ask: Ask) -> Answer:
    """Stop and wait, or stop and abandon; to abandon what was told to wait is no second request."""
    id_, abandon = ask.given["pipelineExecutionId"], ask.given.get("abandon", False)
    with ask.read() as connection:
        declared(ask, connection, ask.given["pipelineName"])
        row = _stoppable(connection, ask.given["pipelineName"], id_)
    if row.stop and not (abandon and row.stop == "wait"):
        said = f"Execution '{id_}' was told to stop already"
        raise WireError("DuplicatedStopRequestException", said)
    try:
        ask.desk.commands.stop(id_, ask.person, abandon=abandon, reason=ask.given.get("reason", ""))
    except CommandError as error:
        faults.refuse(error, "PipelineExecutionNotStoppableException")
    return {"pipelineExecutionId": id_}


def get(ask: Ask) -> Answer:
    """Answer one execution."""
    name = ask.given["pipelineName"]
    with ask.read() as connection:
        declared(ask, connection, name)
        row = execution_of(connection, name, ask.given["pipelineExecutionId"])
        structure = ask.desk.structures.pipeline(connection, name, row.version)
        resolved = variables(connection, ask.desk.structures, row)
        artifacts = ledger.artifacts(connection, [row.id])
        common = _common(connection, row, structure)
    said = [
        {"name": variable.name, "resolvedValue": resolved.get(("variables", variable.name))}
        for variable in structure.variables
    ]
    kept = {name: json.loads(text) for (_, name), text in sorted(artifacts.items())}
    sources = {
        a.name for s in structure.stages[:1] for act in s.actions for a in act.output_artifacts
    }
    found = {
        **common,
        "pipelineName": name,
        "pipelineVersion": row.version,
        "variables": said,
        "artifactRevisions": [
            {"name": one, "revisionId": kept[one].get("version") or kept[one].get("digest")}
            for one in kept
            if one in sources
        ],
    }
    return {"pipelineExecution": found}


def list_(ask: Ask) -> Answer:
    """Answer the newest executions of a pipeline."""
    name, most = ask.given["pipelineName"], pages.size(ask.given)
    stage = ask.given.get("filter", {}).get("succeededInStage", {}).get("stageName", "")
    with ask.read() as connection:
        declared(ask, connection, name)
        before = pages.after(ask.given, f"{LISTING}/{name}")
        rows = histories.executions(connection, name, most + 1, before, stage)
        rows, token = pages.page(rows, most, f"{LISTING}/{name}", lambda row: row.id)
        found = [_summary(ask, connection, row) for row in rows]
    return {"pipelineExecutionSummaries": found, "nextToken": token}


def retry(ask: Ask) -> Answer:
    """Run the failed stage of an execution again."""
    name, stage = ask.given["pipelineName"], ask.given["stageName"]
    id_ = ask.given["pipelineExecutionId"]
    with ask.read() as connection:
        known_stage(ask, connection, name, stage)
        try:
            execution_of(connection, name, id_)
        except WireError as error:
            raise WireError("NotLatestPipelineExecutionException", str(error)) from error
    try:
        every = ask.given["retryMode"] == "ALL_ACTIONS"
        ask.desk.commands.retry(id_, stage, ask.person, all_actions=every)
    except CommandError as error:
        newer = "a newer execution" in str(error)
        latest = "NotLatestPipelineExecutionException"
        faults.refuse(error, latest if newer else "StageNotRetryableException")
    return {"pipelineExecutionId": id_}


# --- inside -------------------------------------------------------------------------------------


def _stoppable(connection: Connection, name: str, id_: str) -> Any:
    row = executions.by_id(connection, id_)
    if row is None or row.pipeline != name:
        said = f"Pipeline '{name}' has no execution '{id_}'"
        raise WireError("PipelineExecutionNotStoppableException", said)
    if row.ended_at is not None:
        said = f"Execution '{id_}' is over: {row.status}"
        raise WireError("PipelineExecutionNotStoppableException", said)
    return row


def _check_variables(structure: PipelineDeclaration, given: dict[str, str]) -> None:
    """What has no default must be given."""
    missing = [
        one.name
        for one in structure.variables
        if one.default_value is None and one.name not in given
    ]
    if missing:
        raise invalid(f"These variables have no default value: {', '.join(missing)}. Give them.")


def _pinned(structure: PipelineDeclaration, given: Any) -> dict[str, str]:
    sources = {action.name: action for action in structure.stages[0].actions}
    for one in given:
        action = sources.get(one["actionName"])
        provider = action.action_type_id.provider if action else ""
        taken = REVISIONS.get(provider, ())
        if one["revisionType"] not in taken:
            mend = f"it takes {', '.join(taken)}" if taken else "there is no such source"
            raise invalid(f"Source '{one['actionName']}' takes no {one['revisionType']}: {mend}")
    return {one["actionName"]: one["revisionValue"] for one in given}


def _summary(ask: Ask, connection: Connection, row: Any) -> dict[str, Any]:
    structure = ask.desk.structures.pipeline(connection, row.pipeline, row.version)
    revisions = json.loads(row.revisions)
    return {
        **_common(connection, row, structure),
        "startTime": row.started_at,
        "lastUpdateTime": row.ended_at or row.started_at,
        "sourceRevisions": [
            {"actionName": action, "revisionId": id_} for action, id_ in revisions.items()
        ],
        "stopTrigger": {"reason": f"stop and {row.stop}"} if row.stop else None,
    }


def _common(connection: Connection, row: Any, structure: PipelineDeclaration) -> dict[str, Any]:
    named = row.restores.partition("/")[2] if row.rolls_back else ""
    target = named or (histories.gone_back_to(connection, row) if row.rolls_back else "")
    back = {"rollbackTargetPipelineExecutionId": target} if target else None
    return {
        "pipelineExecutionId": row.id,
        "status": statuses.EXECUTION[row.status],
        "statusSummary": row.reason,
        "trigger": _trigger(row),
        "executionMode": structure.execution_mode,
        "executionType": statuses.TYPE[row.type],
        "rollbackMetadata": back,
    }


def _trigger(row: Any) -> dict[str, str]:
    found = trigger(row)
    return {"triggerType": found.type, "triggerDetail": found.detail}
