"""From an event row to what CodePipeline would tell on EventBridge, field by field.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
Numbers are written as CodePipeline writes them (`3.0`). All of it is read from rows that the event left
behind, so that a second try tells the same.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from controlplane.declarations.model import ActionDeclaration
from controlplane.engine.spoken import action_id, trigger
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.notify.base import StateChange
from controlplane.notify.message import cut
from controlplane.notify.state_changes import CHANGES, Change
from controlplane.store import executions, histories, ledger, queries

EVENT_ID = "towpath-event-id"
"""The one field that is ours: the same at every try, so that a rule's target can drop a second one."""
MOST_TEXT = 2_000
Detail = dict[str, Any]


def changes(connection: Connection, structures: Structures, event: Any) -> tuple[StateChange, ...]:
    """Answer the events that CodePipeline would tell; () for a kind that it does not.

    An action that ended with its very start was never told to have started: that goes first, then.
    """
    change = CHANGES.get(event.kind)
    execution = executions.by_id(connection, event.execution_id)
    if change is None or execution is None:
        return ()
    retried = histories.retries(connection, execution.id, event.id)
    tries = [0, *(number for number, stage in retried if stage == event.stage)]
    common = {
        EVENT_ID: str(event.id),
        "pipeline": event.pipeline,
        "execution-id": event.execution_id,
        "version": float(execution.version),
        "pipeline-execution-attempt": float(1 + len(retried)),
    }
    if change.level == "Pipeline":
        return (_pipeline(connection, change, (event, execution), common),)
    if change.level == "Stage":
        return (_stage(connection, change, (event, len(tries)), common),)
    return _action(connection, structures, (change, event, execution, tries), common)


def _pipeline(
    connection: Connection, change: Change, told: tuple[Any, Any], common: Detail
) -> StateChange:
    event, execution = told
    detail = {**common, "start-time": stamp(execution.started_at), "state": change.state}
    if change.state == "STARTED":
        why = trigger(execution)
        detail["execution-trigger"] = {
            "trigger-type": why.type,
            "trigger-detail": cut(why.detail, MOST_TEXT),
        }
    elif commit := _commit(connection, execution):
        detail["execution-trigger"] = commit
    if change.state == "STOPPING":
        detail["stop-execution-comments"] = cut(event.text, MOST_TEXT)
    return StateChange(change.detail_type, detail)


COMMIT = {
    "author-date": "AuthorDate",
    "author-display-name": "AuthorDisplayName",
    "author-email": "AuthorEmail",
    "branch-name": "BranchName",
    "commit-id": "CommitId",
    "commit-message": "CommitMessage",
    "connection-arn": "ConnectionArn",
    "full-repository-name": "FullRepositoryName",
    "pull-request-id": "PullRequestId",
    "tag-name": "TagName",
}
"""What an execution that a Git host started says of its commit, and the source's variable that it is."""


def _commit(connection: Connection, execution: Any) -> dict[str, str]:
    """Once the source has brought it; {} for what was started otherwise."""
    source = json.loads(execution.trigger).get("source")
    rows = queries.actions_of_execution(connection, execution.id) if source else ()
    told = [json.loads(row.output) for row in rows if row.name == source and row.output != "{}"]
    known: dict[str, str] = told[-1] if told else {}
    return {key: known[name] for key, name in COMMIT.items() if name in known}


def _stage(
    connection: Connection, change: Change, told: tuple[Any, int], common: Detail
) -> StateChange:
    event, attempt = told
    rows = executions.of_execution(connection, event.execution_id)
    row = next((one for one in rows if (one.stage, one.attempt) == (event.stage, attempt)), None)
    began = event.at if row is None or row.entered_at is None else row.entered_at
    detail = {**common, "start-time": stamp(began), "stage": event.stage, "state": change.state}
    if change.state == "STARTED" and attempt > 1:
        detail["state"] = "RESUMED"
        detail["stage-last-retry-attempt-time"] = stamp(event.at)
    return StateChange(change.detail_type, detail)


def _action(
    connection: Connection,
    structures: Structures,
    told: tuple[Change, Any, Any, list[int]],
    common: Detail,
) -> tuple[StateChange, ...]:
    change, event, execution, tries = told
    row = histories.action_of_event(connection, event, len(tries))
    if row is None or row.started_at is None:
        return ()  # it was given up before it began: CodePipeline never heard of it
    declared = _declared(connection, structures, execution, event)
    detail = {
        **common,
        "start-time": stamp(row.started_at),
        "stage": event.stage,
        "action-execution-id": action_id(row),
        "action": event.action,
        "state": change.state,
        **_kind(declared),
    }
    found: list[StateChange] = []
    stored = ledger.artifacts(connection, [execution.id])
    inputs = declared.input_artifacts if declared else ()
    _put_artifacts(detail, "input-artifacts", inputs, stored, execution.id)
    if change.state != "STARTED" and not histories.had_started(connection, event, tries[-1]):
        began = {**detail, "state": "STARTED", EVENT_ID: f"{event.id}-started"}
        found.append(StateChange(change.detail_type, began))
    result = _result(change, event, row)
    if result:
        detail["execution-result"] = result
    if change.state == "SUCCEEDED" and declared is not None:
        _put_artifacts(detail, "output-artifacts", declared.output_artifacts, stored, execution.id)
    return (*found, StateChange(change.detail_type, detail))


def _kind(declared: ActionDeclaration | None) -> Detail:
    """Where it acts and what it is; nothing where its structure cannot be read any more."""
    if declared is None:
        return {}
    id_ = declared.action_type_id
    type_ = {
        "owner": id_.owner,
        "provider": id_.provider,
        "category": id_.category,
        "version": id_.version,
    }
    return {"region": declared.region or "", "type": type_}


def _declared(
    connection: Connection, structures: Structures, execution: Any, event: Any
) -> ActionDeclaration | None:
    try:
        stages = structures.stages(connection, execution)
    except (BrokenStructureError, KeyError):
        return None
    stage = next((one for one in stages if one.name == event.stage), None)
    found = None if stage is None else stage.by_name.get(("action", event.action))
    return found if isinstance(found, ActionDeclaration) else None


def _result(change: Change, event: Any, row: Any) -> dict[str, str]:
    """What is known outside. An approval's handle is its token, which is no id outside."""
    handle = str(json.loads(event.data).get("handle", "")) or row.handle
    said = {
        "external-execution-url": row.url,
        "external-execution-summary": cut(event.text, MOST_TEXT),
        "external-execution-id": "" if handle == row.token else handle,
        "error-code": "JobFailed" if change.state == "FAILED" else "",
    }
    return {key: value for key, value in said.items() if value}


def _put_artifacts(
    detail: Detail,
    word: str,
    declared: Sequence[Any],
    stored: Mapping[tuple[str, str], str],
    execution_id: str,
) -> None:
    """Those that lie in S3, as CodePipeline's do; an image in a registry has no s3location."""
    found = []
    for one in declared:
        text = stored.get((execution_id, one.name))
        location = json.loads(text)["location"] if text else ""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        where = {"s3location": {"bucket": bucket, "key": key}}
        if text:
            found.append({"name": one.name, **(where if location.startswith("s3://") else {})})
    if found:
        detail[word] = found


def stamp(at: float) -> str:
    """Write a time as CodePipeline does: UTC, with milliseconds."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
