"""About Towpath itself: the schema of pipelines, the doctor, this interface's description."""

from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

from controlplane.api.documents import Document
from controlplane.api.guard import guarded_router
from controlplane.api.inputs import PipelineName
from controlplane.api.parts import GivenDocuments, GivenParts
from controlplane.declarations.schema import json_schema

router = guarded_router("about")


@router.get("/schema")
def get_schema() -> Document:
    """Answer the JSON Schema of the friendly YAML, for editors."""
    return json_schema()


@router.get("/doctor")
def examine_installation(parts: GivenParts) -> list[Document]:
    """Examine Towpath itself: its database, schema, replicas and stored rows."""
    return parts.installation()


@router.get("/doctor/{name}")
def examine(name: PipelineName, parts: GivenParts, documents: GivenDocuments) -> list[Document]:
    """Walk every hop that the pipeline will need; each finding names what is missing."""
    if parts.doctor is None:
        raise HTTPException(501, "This process has no doctor: run `towpath doctor` instead.")
    with parts.database.read() as connection:
        documents.known(connection, name)
    return parts.doctor(name)


@router.get("/openapi.json", include_in_schema=False)
def describe(request: Request) -> dict[str, Any]:
    """OpenAPI; there are no pages for it, because those load scripts from elsewhere."""
    description: dict[str, Any] = request.app.openapi()
    return description
