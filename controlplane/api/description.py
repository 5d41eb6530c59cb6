"""The OpenAPI document, true to what is answered: each route's documents, and each of its refusals.

ANSWERS is the one table. The routes themselves stay as they are: what they answer is not made from this.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from controlplane.api import answers as a

Document = dict[str, Any]
PREFIX = "/api/v1"
ANSWERS: Mapping[str, Any] = {
    "GET /pipelines": list[a.PipelineGlance],
    "PUT /pipelines/{name}": a.Stored,
    "GET /pipelines/{name}/state": a.PipelineState,
    "GET /pipelines/{name}/executions": list[a.Execution],
    "POST /pipelines/{name}/executions": a.Begun,
    "POST /pipelines/{name}/stages/{stage}/rollback": a.Begun,
    "POST /pipelines/{name}/stages/{stage}/drill": a.Begun,
    "GET /pipelines/{name}/drills": list[a.Drill],
    "GET /pipelines/{name}/shadow": a.Shadow,
    "GET /migrations/{account}": a.There,
    "POST /migrations/{account}/{name}": a.Report,
    "GET /executions/{execution_id}": a.WholeExecution,
    "GET /executions/{execution_id}/measurements": list[a.Measurements],
    "GET /executions/{execution_id}/explanation": a.Explanation,
    "GET /executions/{execution_id}/stages/{stage}/approval": a.OpenApproval,
    "POST /executions/{execution_id}/stages/{stage}/override": a.Override,
    "POST /executions/{execution_id}/stages/{stage}/extension": a.Extended,
    "GET /freezes": list[a.Freeze],
    "POST /freezes": a.Frozen,
    "GET /incidents": list[a.Incident],
    "GET /quarantine": list[a.Quarantined],
    "GET /ledger/{name}": list[a.LedgerEntry],
    "GET /events": a.Events,
    "GET /audit": a.AuditLog,
    "GET /accounts": list[a.KnownAccount],
    "GET /accounts/{name}": a.KnownAccount,
    "PUT /accounts/{name}": a.KnownAccount,
    "GET /doctor": list[a.Finding],
    "GET /doctor/{name}": list[a.Finding],
    "GET /sessions": list[a.BrowserSession],
    "GET /tokens": list[a.Token],
    "POST /tokens": a.NewToken,
}
"""What a route answers where all went well. What is not here says it itself, or has no body."""

TEXTS: Mapping[str, tuple[str, ...]] = {
    "GET /pipelines/{name}": ("application/json", "text/yaml"),
}
"""Routes that answer a pipeline's text, in a spelling."""

ALWAYS: Mapping[int, str] = {
    400: "The request cannot be parsed.",
    401: "There is no valid token.",
    403: "The token's role may not do this.",
    413: "The body is over the limit.",
    422: "The request is not accepted; nothing was changed.",
    429: "Too many requests at once: ask again after Retry-After seconds.",
    503: "The database or a lock is busy: ask again after Retry-After seconds.",
}
UNKNOWN = {404: "There is no such thing."}
CONFLICT = {409: "How things stand does not allow it; nothing was changed."}
MORE: Mapping[str, Mapping[int, str]] = {
    "PUT /pipelines/{name}": {415: "The body is neither YAML nor JSON."},
    "POST /freezes": UNKNOWN,  # the pipeline that it is to cover
    "GET /executions/{execution_id}/stages/{stage}/approval": CONFLICT,
    "GET /doctor/{name}": {501: "This process has no doctor."},
    "GET /migrations/{account}": {501: "This process cannot migrate."},
    "POST /migrations/{account}/{name}": {501: "This process cannot migrate."},
}


def describe(app: FastAPI) -> None:
    """Give the application its description."""
    made: Callable[[], Document] = app.openapi

    def openapi() -> Document:
        if app.openapi_schema is None:
            app.openapi_schema = described(made())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def described(document: Document) -> Document:
    """Answer FastAPI's document with what each route answers and refuses."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    ours = _schemas()
    if twice := schemas.keys() & ours.keys():
        raise ValueError(
            f"two schemas are named {', '.join(sorted(twice))}: rename those of answers"
        )
    for schema in schemas.values():
        _nothing_else(schema)
    schemas |= ours
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)  # the answer to a request that is not understood is a Problem too
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _amend(operation, f"{method.upper()} {path.removeprefix(PREFIX)}")
    return document


def _amend(operation: Document, route: str) -> None:
    responses: Document = operation["responses"]
    good = next(status for status in responses if status.startswith("2"))
    if route in ANSWERS:
        schema = _schema(ANSWERS[route])
        responses[good]["content"] = {"application/json": {"schema": schema}}
    if route in TEXTS:
        responses[good]["content"] = {kind: {"schema": {}} for kind in TEXTS[route]}
    for status, said in sorted(_refusals(route).items()):
        responses[str(status)] = {
            "description": said,
            "content": {"application/problem+json": {"schema": _schema(a.Problem)}},
        }


def _refusals(route: str) -> Mapping[int, str]:
    named = UNKNOWN if "{" in route else {}
    changes = {} if route.startswith("GET ") else CONFLICT
    return {**ALWAYS, **named, **changes, **MORE.get(route, {})}


def _schema(answer: Any) -> Document:
    if inner := get_args(answer):
        return {"type": "array", "items": _schema(inner[0])}
    return {"$ref": f"#/components/schemas/{answer.__name__}"}


def _schemas() -> Document:
    """Every model once; they have names of their own, other than those of what comes in."""
    used: list[type[BaseModel]] = [
        one for one in vars(a).values() if isinstance(one, type) and issubclass(one, a.Answer)
    ]
    used.append(a.Problem)
    _, found = models_json_schema(
        [(one, "serialization") for one in used],
        ref_template="#/components/schemas/{model}",
    )
    definitions: Document = found["$defs"]
    definitions.pop("Answer", None)
    for definition in definitions.values():
        if "required" in definition or "properties" in definition:
            _only_what_is_always_there(definition)
    return definitions


def _nothing_else(schema: Any) -> None:
    """A map whose keys have a pattern takes no other keys; pydantic leaves that out."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            _nothing_else(inner)


def _only_what_is_always_there(definition: Document) -> None:
    """A field with a default may be left out."""
    properties: Document = definition["properties"]
    definition["required"] = [name for name, one in properties.items() if "default" not in one]
