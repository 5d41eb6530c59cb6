"""Pipelines: their structure, their state, their executions, their ledger."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response
from starlette.exceptions import HTTPException

from controlplane.api import words
from controlplane.api.documents import Document
from controlplane.api.guard import GivenHolder, GivenPerson, guarded_router
from controlplane.api.inputs import (
    EventId,
    ExecutionId,
    FilterName,
    Limit,
    PipelineName,
    ReasonBody,
    RollbackBody,
    StageName,
    StartBody,
)
from controlplane.api.parts import GivenDocuments, GivenParts
from controlplane.declarations.findings import Finding
from controlplane.declarations.json_spelling import dumps
from controlplane.declarations.load import DeclarationError, Problem, field_name, load_text
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.registered import provider, refused
from controlplane.declarations.yaml_spelling import to_yaml
from controlplane.engine.structures import current
from controlplane.store import action_types, drills, queries
from controlplane.store.grants import seen_by
from controlplane.store.secret_values import SecretError, hidden

router = guarded_router("pipelines")

SPELLINGS = frozenset(
    {"text/yaml", "text/x-yaml", "application/yaml", "application/x-yaml", "application/json"}
)
TEXT_BODY: Any = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string"}} for kind in sorted(SPELLINGS)},
    }
}


async def _text(request: Request) -> str:
    """Answer the body as it was sent; its size is bounded before it gets here."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in SPELLINGS:
        raise HTTPException(415, "Send the pipeline as text/yaml or application/json.")
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise HTTPException(422, "The pipeline's text is not UTF-8.") from None


FileName = Annotated[str, Query(pattern=r"^[^\x00-\x1f]{0,200}$")]


@router.get("/pipelines")
def list_pipelines(
    parts: GivenParts,
    holder: GivenHolder,
    documents: GivenDocuments,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    after: FilterName = "",
) -> list[Document]:
    """Answer pipelines by name, and what stands where; after: the name of one to page on from."""
    with parts.database.read() as connection:
        return documents.pipelines(connection, parts.now(), after, limit, seen_by(holder.grants))


def _refuse(declared: PipelineDeclaration, findings: Sequence[Finding], file: str) -> None:
    """Raise DeclarationError with all of them; nothing where there are none."""
    if findings:
        data = {"stages": declared.model_dump(mode="json", by_alias=True)["stages"]}
        problems = [Problem(file, 1, 1, field_name(o.path, data), o.message) for o in findings]
        raise DeclarationError(problems)


@router.put("/pipelines/{name}", openapi_extra=TEXT_BODY)
def put_pipeline(
    name: PipelineName,
    parts: GivenParts,
    person: GivenPerson,
    text: Annotated[str, Depends(_text)],
    file: FileName = "",
) -> Document:
    """Store a structure, as YAML or as the JSON of get-pipeline. The same again changes nothing.

    file: how the text is called in the problems that are answered.
    """
    file = file or f"{name}.yaml"
    accounts = [account.name for account in parts.registry.all()]
    with parts.database.read() as connection:
        definitions = action_types.all_(connection)
        before = current(connection, parts.structures, name)
    types = {id_: provider(id_, one) for id_, one in definitions.items()}
    declared = load_text(text, file, accounts, parts.clock(), types)
    homes = {account.name: account.id for account in parts.registry.all()}
    _refuse(declared, refused(declared, definitions, homes), file)
    if declared.name != name:
        wrong = f"is {declared.name!r}, but it was sent to {name!r}: make them the same"
        raise DeclarationError([Problem(file, 1, 1, "pipeline", wrong)])
    try:
        secret = parts.settings.secret.get_secret_value()
        declared = hidden(declared, before, definitions, secret)
    except SecretError as error:
        raise DeclarationError([Problem(file, 1, 1, "configuration", str(error))]) from error
    return {"name": name, "version": parts.commands.apply_pipeline(declared, person)}


@router.get("/pipelines/{name}")
def get_pipeline(
    name: PipelineName,
    parts: GivenParts,
    documents: GivenDocuments,
    format: Literal["yaml", "json"] = "json",  # noqa: A002 - the parameter's public name
) -> Response:
    """Answer the structure, in either spelling."""
    with parts.database.read() as connection:
        declared, version = documents.declared(connection, name)
    if format == "yaml":
        return Response(to_yaml(declared), media_type="text/yaml")
    whole = declared.model_copy(update={"version": version})
    return Response(dumps(whole), media_type="application/json")


@router.get("/pipelines/{name}/state")
def get_state(name: PipelineName, parts: GivenParts, documents: GivenDocuments) -> Document:
    """Each stage: may one enter, who is in it, who waits, and what stands on its targets."""
    with parts.database.read() as connection:
        return documents.state(connection, name)


@router.get("/pipelines/{name}/executions")
def list_executions(
    name: PipelineName,
    parts: GivenParts,
    documents: GivenDocuments,
    limit: Limit = 50,
    before: FilterName = "",
) -> list[Document]:
    """Answer the newest executions; before: the id of one to page on from."""
    with parts.database.read() as connection:
        documents.known(connection, name)
        rows = queries.executions_of(connection, name, limit, before)
        return [documents.summary(row) for row in rows]


@router.post("/pipelines/{name}/executions", status_code=201)
def start_execution(
    name: PipelineName, parts: GivenParts, person: GivenPerson, body: StartBody | None = None
) -> dict[str, ExecutionId]:
    """Start an execution with the newest revisions, or with those that are pinned."""
    asked = body or StartBody()
    token = asked.client_request_token
    # A slash is in no name, so no other key can look like this one.
    dedupe = None if token is None else f"request/{name}/{token}"
    started = parts.commands.start(
        name,
        person,
        revisions=asked.revisions,
        dedupe=dedupe,
        one_way=asked.one_way,
        variables=asked.variables,
    )
    return {"id": started}


@router.post("/pipelines/{name}/stages/{stage}/rollback", status_code=202)
def roll_back(
    name: PipelineName,
    stage: StageName,
    parts: GivenParts,
    person: GivenPerson,
    body: RollbackBody | None = None,
) -> dict[str, ExecutionId]:
    """Roll a stage back, to its last known good or to what is named; answers the execution that goes bad."""
    asked = body or RollbackBody()
    bad = parts.commands.rollback(name, stage, person, reason=asked.reason, to=asked.to)
    return {"id": bad}


@router.post("/pipelines/{name}/stages/{stage}/drill", status_code=202)
def drill(
    name: PipelineName, stage: StageName, parts: GivenParts, person: GivenPerson
) -> dict[str, ExecutionId]:
    """Drill a stage outside production: its alarm is set while its good release bakes once more."""
    return {"id": parts.drills.start(name, stage, person)}


@router.get("/pipelines/{name}/drills")
def list_drills(
    name: PipelineName, parts: GivenParts, documents: GivenDocuments, limit: Limit = 50
) -> list[Document]:
    """Answer the newest drills, with how long each part took."""
    with parts.database.read() as connection:
        documents.known(connection, name)
        return [words.drill(row) for row in drills.of_pipeline(connection, name, limit)]


@router.put("/pipelines/{name}/stages/{stage}/transition", status_code=204)
def enable_transition(
    name: PipelineName,
    stage: StageName,
    parts: GivenParts,
    person: GivenPerson,
    body: ReasonBody | None = None,
) -> None:
    """Open the way into a stage; who waits in front enters at once."""
    reason = (body or ReasonBody()).reason
    parts.commands.enable_transition(name, stage, person, reason=reason)


@router.delete("/pipelines/{name}/stages/{stage}/transition", status_code=204)
def disable_transition(
    name: PipelineName,
    stage: StageName,
    parts: GivenParts,
    person: GivenPerson,
    body: ReasonBody | None = None,
) -> None:
    """Close the way into a stage; the first reason stays."""
    reason = (body or ReasonBody()).reason
    parts.commands.disable_transition(name, stage, person, reason=reason)


@router.get("/ledger/{name}")
def get_ledger(
    name: PipelineName,
    parts: GivenParts,
    documents: GivenDocuments,
    limit: Limit = 200,
    before: EventId = 0,
) -> list[Document]:
    """Answer what the pipeline put where, the newest first; before: an id to page on from."""
    with parts.database.read() as connection:
        documents.known(connection, name)
        rows = queries.ledger_of(connection, name, limit, before)
        return [words.ledger_entry(row) for row in rows]
