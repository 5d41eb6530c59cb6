"""One ASGI application of all doors."""

import gc
import logging

from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse
from prometheus_client import generate_latest
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from controlplane import codepipeline, console
from controlplane.api import (
    accounts,
    audit,
    description,
    events,
    executions,
    gates,
    git,
    iam_approvals,
    meta,
    migrations,
    pipelines,
    probes,
    problems,
    quarantine,
    sessions,
    shadow,
    slack,
    tokens,
)
from controlplane.api.changes import Changes
from controlplane.api.documents import Documents
from controlplane.api.edge import BodyLimit, SafeHeaders
from controlplane.api.parts import Parts
from controlplane.api.pressure import Bounds, Pressure
from controlplane.console import templates
from controlplane.iam import approvers, web_identity
from controlplane.identity import builds, oidc
from controlplane.identity.attempts import Attempts
from controlplane.slack import people
from controlplane.store import queries

log = logging.getLogger(__name__)

QUEUE = 200
WAITING, WAITING_OF_ONE = 1_000, 100
"""Requests that may wait for a place, and that may wait for events (all, and of one client)."""
PRESSES = 4
"""What Slack sends is one insert each: few at once are many a second, and threads stay for the others."""
ROUTERS = (
    iam_approvals,
    *(pipelines, executions, gates, quarantine, events, audit, accounts, tokens, meta),
    *(migrations, shadow, sessions),
)
DOORS = APIRouter()
"""Included once: FastAPI builds every route anew for each application that includes its router."""
for _module in ROUTERS:
    DOORS.include_router(_module.router, prefix="/api/v1")
for _module in (probes, slack, git):
    DOORS.include_router(_module.router)


def create_app(parts: Parts) -> FastAPI:
    """Build the application. ValueError where there is no secret to sign sessions with, or no such role."""
    if not parts.settings.secret.get_secret_value():
        raise ValueError(
            "There is no secret to sign sessions and buttons with: set TOWPATH_SECRET."
        )
    people.check(parts.settings)
    oidc.check_settings(parts.settings.oidc, parts.settings.grants)
    builds.check_settings(parts.settings.jwt_issuers)
    approvers.check_settings(parts.settings.iam_approvers)
    web_identity.check_settings(parts.settings.iam_issuers)
    app = FastAPI(
        title="Towpath",
        description="Promote, watch, roll back: a deployment control plane for many AWS accounts.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        routes=list(DOORS.routes),
    )
    app.state.parts = parts
    app.state.attempts = Attempts(parts.now)
    app.state.changes = Changes(parts.newest_event)
    app.state.slack = slack.make(parts)
    app.mount(
        "/console", console.create_console(_desk(parts, app.state.changes, app.state.attempts))
    )
    app.include_router(codepipeline.create_door(_codepipeline(parts)))
    app.add_api_route("/", _home, include_in_schema=False)
    description.describe(app)
    problems.add_to(app, parts.database.engine.url)
    app.add_middleware(BodyLimit, most=parts.settings.max_body_bytes)
    app.add_middleware(
        Pressure,
        ordinary=Bounds(parts.settings.max_requests, parts.settings.max_requests_of_one, QUEUE),
        waiting=Bounds(WAITING, WAITING_OF_ONE, 0),
        presses=Bounds(PRESSES, PRESSES + QUEUE, QUEUE),
    )
    app.add_middleware(SafeHeaders, https=parts.settings.public_url.startswith("https://"))
    return app


def warm(app: FastAPI) -> None:
    """Do before the doors open what the first requests would wait for: hundreds of ms in a large house.

    Structures are parsed, statements and templates compiled, counters read. A database that does not
    answer is no reason not to open: /readyz says it.
    """
    parts: Parts = app.state.parts
    app.openapi()
    templates.compile_all()
    try:
        parts.degraded()
        generate_latest(parts.metrics)
        with parts.database.read() as connection:
            _look_around(Documents(parts.structures), connection, parts.now())
    except SQLAlchemyError as error:
        log.warning("the first answers will take longer: %s", type(error).__name__)
    # What was parsed stays: going through all of it again and again would hold up single answers.
    gc.collect()
    gc.freeze()


def _look_around(documents: Documents, connection: Connection, now: float) -> None:
    """The pages that are opened first: all pipelines, one of them, its executions, the events."""
    queries.events_after(connection, 0)
    for found in documents.pipelines(connection, now)[:1]:
        documents.state(connection, found["name"])
        for row in queries.executions_of(connection, found["name"], limit=1):
            documents.execution(connection, row.id)


def _home() -> RedirectResponse:
    return RedirectResponse("/console/")


def _desk(parts: Parts, changes: Changes, attempts: Attempts) -> console.Desk:
    """Give the console the documents of the REST door: it shows nothing that others cannot ask."""
    return console.Desk(
        database=parts.database,
        commands=parts.commands,
        clock=parts.clock,
        secret=parts.settings.secret.get_secret_value(),
        https=parts.settings.public_url.startswith("https://"),
        documents=Documents(parts.structures),
        changes=changes,
        registry=parts.registry,
        breakers=parts.breakers,
        ready=parts.health,
        installation=parts.installation,
        attempts=attempts,
        login=parts.login,
        goes=parts.goes,
    )


def _codepipeline(parts: Parts) -> codepipeline.Desk:
    return codepipeline.Desk(
        database=parts.database,
        structures=parts.structures,
        commands=parts.commands,
        registry=parts.registry,
        clock=parts.clock,
        secret=parts.settings.secret.get_secret_value(),
        public_url=parts.settings.public_url,
        lender=parts.lender,
        hooks=parts.hooks,
        goes=parts.goes,
        parties={
            name: token.get_secret_value()
            for name, token in parts.settings.third_party_clients.items()
        },
    )
