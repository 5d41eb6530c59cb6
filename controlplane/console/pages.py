"""The pages: signing in, all pipelines, one pipeline, one execution."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from controlplane.console.desk import Desk, GivenDesk
from controlplane.console.explained import explanation_view
from controlplane.console.fleet import index_view
from controlplane.console.session import (
    COOKIE,
    LIFETIME,
    GivenSession,
    Session,
    SessionRoute,
    check_csrf,
    check_origin,
    new_cookie,
)
from controlplane.console.templates import render
from controlplane.console.views import pipeline_view
from controlplane.store import tokens
from controlplane.store.grants import may_somewhere
from controlplane.store.roles import Permission

public = APIRouter()
router = APIRouter(route_class=SessionRoute)

HOME = "/console/"
DONE = {
    "start": "An execution was started.",
    "approve": "Approved.",
    "reject": "Rejected.",
    "stop": "The execution is being stopped.",
    "retry": "The failed actions run again.",
    "rollback": "The rollback was asked for.",
    "pass": "The bake passes, by your word.",
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


def inside(target: str) -> str:
    """Where to go after signing in: a page of ours, or home."""
    good = target.startswith(HOME) and "\\" not in target and target.isprintable()
    return target if good else HOME


@public.get("/login")
def login_page(next: str = HOME) -> HTMLResponse:  # noqa: A002 - the parameter's public name
    """Answer the form for an API token."""
    return HTMLResponse(render("login.html", {"next": inside(next), "refusal": ""}))


@public.post("/login")
def login(
    request: Request,
    desk: GivenDesk,
    token: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form(max_length=500)] = HOME,  # noqa: A002
) -> Response:
    """Sign in with an API token."""
    check_origin(request)
    now = desk.now()
    with desk.database.read() as connection:
        holder = tokens.find(connection, token.strip(), now)
    if holder is None or not may_somewhere(holder.grants, Permission.READ):
        refusal = "This token is unknown, revoked or expired, or may not read."
        page = render("login.html", {"next": inside(next), "refusal": refusal})
        return HTMLResponse(page, 401)
    tokens.touch(desk.database, holder, now)
    answer = RedirectResponse(inside(next), 303)
    answer.set_cookie(
        COOKIE,
        new_cookie(desk, holder.id),
        max_age=LIFETIME,
        path="/console",
        secure=desk.https,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout")
def logout(session: GivenSession, csrf: Annotated[str, Form()] = "") -> Response:
    """Sign out."""
    check_csrf(session, csrf)
    answer = RedirectResponse("/console/login", 303)
    answer.delete_cookie(COOKIE, path="/console")
    return answer


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
