"""One ASGI application of all doors."""

from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse

from controlplane import console
from controlplane.api import (
    accounts,
    events,
    executions,
    gates,
    meta,
    pipelines,
    probes,
    problems,
    quarantine,
    slack,
    tokens,
)
from controlplane.api.changes import Changes
from controlplane.api.documents import Documents
from controlplane.api.edge import BodyLimit, SafeHeaders
from controlplane.api.parts import Parts
from controlplane.api.pressure import Bounds, Pressure

QUEUE = 200
WAITING, WAITING_OF_ONE = 1_000, 100
"""Requests that may wait for a place, and that may wait for events (all, and of one client)."""
ROUTERS = (pipelines, executions, gates, quarantine, events, accounts, tokens, meta)


def create_app(parts: Parts) -> FastAPI:
    """Build the application. ValueError where there is no secret to sign sessions with."""
    if not parts.settings.secret.get_secret_value():
        raise ValueError(
            "There is no secret to sign sessions and buttons with: set TOWPATH_SECRET."
        )
    app = FastAPI(
        title="Towpath",
        description="Promote, watch, roll back: a deployment control plane for many AWS accounts.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.parts = parts
    app.state.changes = Changes(parts.newest_event)
    rest = APIRouter(prefix="/api/v1")
    for module in ROUTERS:
        rest.include_router(module.router)
    app.include_router(rest)
    app.include_router(probes.router)
    app.include_router(slack.router)
    app.mount("/console", console.create_console(_desk(parts, app.state.changes)))
    app.add_api_route("/", _home, include_in_schema=False)
    problems.add_to(app, parts.database.engine.url)
    app.add_middleware(BodyLimit, most=parts.settings.max_body_bytes)
    app.add_middleware(
        Pressure,
        ordinary=Bounds(parts.settings.max_requests, parts.settings.max_requests_of_one, QUEUE),
        waiting=Bounds(WAITING, WAITING_OF_ONE, 0),
    )
    app.add_middleware(SafeHeaders, https=parts.settings.public_url.startswith("https://"))
    return app


def _home() -> RedirectResponse:
    return RedirectResponse("/console/")


def _desk(parts: Parts, changes: Changes) -> console.Desk:
    """Give the console the documents of the REST door: it shows nothing that others cannot ask."""
    return console.Desk(
        database=parts.database,
        commands=parts.commands,
        clock=parts.clock,
        secret=parts.settings.secret.get_secret_value(),
        https=parts.settings.public_url.startswith("https://"),
        documents=Documents(parts.structures),
        changes=changes,
    )
