"""What actions and rules did: ListActionExecutions, ListRuleExecutions, ListDeployActionExecutionTargets."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from accounts.redact import hidden
from controlplane.codepipeline import approval_tokens, pages, statuses
from controlplane.codepipeline.asking import Answer, Ask, declared, execution_of
from controlplane.codepipeline.faults import WireError
from controlplane.declarations.model import ActionDeclaration, RuleDeclaration
from controlplane.engine.spoken import action_id
from controlplane.engine.structures import BrokenStructureError
from controlplane.store import histories, ledger
from controlplane.store.secret_values import masked

FAILURES = frozenset(
    {
        "ConfigurationError",
        "JobFailed",
        "PermissionError",
        "RevisionOutOfSync",
        "RevisionUnavailable",
        "SystemUnavailable",
    }
)
"""How a worker may say that its job failed: `TYPE: message`."""
Found = tuple[list[Any], dict[str, Any], str]
RULES = ("rule", "gate", "watch", "failure", "proof")
KINDS = {"watch": "rule"}
"""A rule that watches on is declared as the bake's rule."""


def list_actions(ask: Ask) -> Answer:
    """Answer the newest action executions."""
    with ask.read() as connection:
        rows, owners, token = _page(ask, connection, "actions", ("action",))
        found = [_action(ask, connection, row, owners[row.execution_id]) for row in rows]
    return {"actionExecutionDetails": found, "nextToken": token}


def list_rules(ask: Ask) -> Answer:
    """Answer the newest executions of rules: of gates, of bakes, and of watches."""
    with ask.read() as connection:
        rows, owners, token = _page(ask, connection, "rules", RULES)
        found = [_rule(ask, connection, row, owners[row.execution_id]) for row in rows]
    return {"ruleExecutionDetails": found, "nextToken": token}


def list_targets(ask: Ask) -> Answer:
    """Answer what a deploy action put on which target, as the ledger has it."""
    pages.after(ask.given, "targets")  # all are on the first page
    number = statuses.action_number(ask.given["actionExecutionId"])
    name = ask.given.get("pipelineName")
    with ask.read() as connection:
        if name is not None:
            declared(ask, connection, name)
        row = None if number is None else histories.action(connection, number)
        if row is None or name not in (None, row.pipeline):
            said = "There is no action execution of this id"
            raise WireError("ActionExecutionNotFoundException", said)
        entries = ledger.of_stage(connection, [row.id])
    wanted = {v for one in ask.given.get("filters", ()) for v in one["values"]}
    found = [_target(one, row) for one in entries]
    return {"targets": [one for one in found if not wanted or one["status"] in wanted]}


# --- inside -------------------------------------------------------------------------------------


def _page(ask: Ask, connection: Connection, what: str, kinds: tuple[str, ...]) -> Found:
    """Answer a page of rows, their executions, and the token of the next page."""
    name, most = ask.given["pipelineName"], pages.size(ask.given)
    declared(ask, connection, name)
    listing = f"{what}/{name}"
    after = _place(pages.after(ask.given, listing))
    owners = _owners(ask, connection, name, after)
    rows = histories.actions(connection, list(owners), kinds, most + 1, after)
    rows, token = pages.page(rows, most, listing, lambda row: f"{row.execution_id}/{row.id}")
    if not token and len(owners) == histories.BATCH:  # there may be older executions
        token = pages.token(listing, f"{min(owners)}/0")
    return list(rows), owners, token


def _place(said: str) -> tuple[str, int] | None:
    execution, _, number = said.rpartition("/")
    if not said:
        return None
    if not (number.isascii() and number.isdigit()) or int(number) >= 2**63:
        raise WireError("InvalidNextTokenException", "The next token is not one of this listing.")
    return execution, int(number)


def _owners(
    ask: Ask, connection: Connection, name: str, after: tuple[str, int] | None
) -> dict[str, Any]:
    given = ask.given.get("filter", {})
    latest = given.get("latestInPipelineExecution", {})
    wanted = given.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
    if wanted:
        return {wanted: execution_of(connection, name, wanted)}
    # The one that the last page ended in has more, perhaps: what sorts right behind it is asked for.
    before = f"{after[0]}~" if after and after[1] else (after[0] if after else "")
    rows = histories.executions(connection, name, histories.BATCH, before)
    return {row.id: row for row in rows}


def _declared(ask: Ask, connection: Connection, row: Any, execution: Any) -> Any:
    """Answer what a row stands for; None where its structure cannot be read."""
    try:
        stages = ask.desk.structures.stages(connection, execution)
    except (BrokenStructureError, KeyError):
        return None
    stage = next((one for one in stages if one.name == row.stage), None)
    kind = KINDS.get(row.kind, row.kind)
    return None if stage is None else stage.by_name.get((kind, row.name))


def _action(ask: Ask, connection: Connection, row: Any, execution: Any) -> dict[str, Any]:
    item: ActionDeclaration | None = _declared(ask, connection, row, execution)
    output = {"outputVariables": _variables(row), **_output(row, _id_outside(ask, connection, row))}
    if item is not None:
        output["outputArtifacts"] = [{"name": one.name} for one in item.output_artifacts]
    given: dict[str, Any] = {}
    if item is not None:
        given = {
            "actionTypeId": item.action_type_id.model_dump(mode="json", by_alias=True),
            "configuration": masked(item.configuration),
            "roleArn": item.role_arn,
            "region": item.region,
            "namespace": item.namespace,
            "inputArtifacts": [{"name": one.name} for one in item.input_artifacts],
        }
    named = {"actionExecutionId": action_id(row), "actionName": row.name}
    return {**_times(row, execution), **named, "input": given, "output": output}


def _rule(ask: Ask, connection: Connection, row: Any, execution: Any) -> dict[str, Any]:
    item: RuleDeclaration | None = _declared(ask, connection, row, execution)
    given: dict[str, Any] = {}
    if item is not None:
        given = {
            "ruleTypeId": item.rule_type_id.model_dump(mode="json", by_alias=True),
            "configuration": masked(item.configuration),
            "roleArn": item.role_arn,
            "region": item.region,
            "inputArtifacts": [{"name": one.name} for one in item.input_artifacts],
        }
    named = {"ruleExecutionId": action_id(row), "ruleName": row.name}
    output = _output(row, row.handle)
    return {**_times(row, execution), **named, "input": given, "output": output}


def _times(row: Any, execution: Any) -> dict[str, Any]:
    return {
        "pipelineExecutionId": row.execution_id,
        "pipelineVersion": execution.version,
        "stageName": row.stage,
        "startTime": row.started_at,
        "lastUpdateTime": row.ended_at or row.started_at,
        "status": statuses.ACTION[row.status],
    }


def _id_outside(ask: Ask, connection: Connection, row: Any) -> str:
    """An approval's handle is its own token, which is no id outside; that decides it while it waits."""
    if not row.handle or row.handle != row.token:
        return str(row.handle or "")
    if row.status != "InProgress" or row.answer:
        return approval_tokens.token_of(row)
    return approval_tokens.current(ask, connection, row, row.stage)


def _output(row: Any, outside: str | None) -> dict[str, Any]:
    return {
        "executionResult": {
            "externalExecutionId": outside or None,
            "externalExecutionSummary": row.summary,
            "externalExecutionUrl": row.url,
            "errorDetails": errors(row),
        }
    }


def errors(row: Any) -> Mapping[str, str] | None:
    """Say why it failed, as CodePipeline does."""
    if row.status != "Failed":
        return None
    said = row.summary.partition(": ")[0]
    code = said if said in FAILURES else "JobFailed"
    return {"code": code, "message": row.summary[:5000] or "It failed."}


def _variables(row: Any) -> dict[str, str]:
    try:
        found = json.loads(row.output)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(key): hidden(str(value)) for key, value in found.items()}


def _target(entry: Any, row: Any) -> dict[str, Any]:
    return {
        "targetId": entry.target,
        "targetType": "Target",
        "status": statuses.TARGET[entry.status],
        "startTime": row.started_at,
        "endTime": row.ended_at,
    }
