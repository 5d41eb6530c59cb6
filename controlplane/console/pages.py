"""The pages: signing in, all pipelines, one pipeline, one execution."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from controlplane.console.desk import Desk, GivenDesk
from controlplane.console.explained import explanation_view
from controlplane.console.fleet import index_view
from controlplane.console.session import (
    GivenSession,
    Session,
    SessionRoute,
)
from controlplane.console.templates import render
from controlplane.console.views import pipeline_view
from controlplane.store.roles import Permission

router = APIRouter(route_class=SessionRoute)

DONE = {
    "start": "An execution was started.",
    "approve": "Approved.",
    "reject": "Rejected.",
    "stop": "The execution is being stopped.",
    "retry": "The failed actions run again.",
    "rollback": "The rollback was asked for.",
    "pass": "The bake passes, by your word.",
    "extend": "It goes on for longer.",
    "open": "The way in is open.",
    "close": "The way in is closed.",
    "override": "It is on record: the gate opens once two different people have asked.",
    "lift": "The digest may go again.",
    "release": "The digest may go again.",
    "freeze": "The freeze is in force.",
    "unfreeze": "The freeze is lifted; who waited only for it goes in.",
    "resolve": "The incident is over, by your word.",
}
"""What a page says after a move; the address carries the word only, never the text."""


@router.get("/")
def index(
    desk: GivenDesk,
    session: GivenSession,
    after: Annotated[str, Query(pattern=r"^[A-Za-z0-9.@_-]{0,100}$")] = "",
) -> HTMLResponse:
    """All pipelines, a page at a time; after: the last one of the page before."""
    return HTMLResponse(render("index.html", index_view(desk, session, after)))


@router.get("/pipelines/{name}")
def pipeline(
    name: Annotated[str, Path(pattern=r"^[A-Za-z0-9.@_-]{1,100}$")],
    desk: GivenDesk,
    session: GivenSession,
    done: str = "",
) -> HTMLResponse:
    """One pipeline."""
    return pipeline_page(desk, session, name, done=DONE.get(done, ""))


@router.get("/executions/{execution_id}")
def execution(
    execution_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9.@_-]{1,100}$")],
    desk: GivenDesk,
    session: GivenSession,
) -> HTMLResponse:
    """Why one execution went as it did."""
    return HTMLResponse(render("explain.html", explanation_view(desk, session, execution_id)))


def pipeline_page(
    desk: Desk, session: Session, name: str, *, done: str = "", refusal: str = ""
) -> HTMLResponse:
    """Render it, with what was done or why it was refused; CommandError for an unknown pipeline."""
    session.require(Permission.READ, name)
    view = pipeline_view(desk, session, name)
    return HTMLResponse(render("pipeline.html", {**view, "done": done, "refusal": refusal}))
