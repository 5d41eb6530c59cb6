"""Signing in and out: with an API token, or by the OpenID provider of TOWPATH_OIDC."""

import base64
import hmac
import json
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from controlplane.console import browsers, leaving
from controlplane.console.desk import Desk, GivenDesk
from controlplane.console.session import (
    GivenSession,
    SessionRoute,
    check_csrf,
    check_origin,
    mac,
    opened,
)
from controlplane.console.templates import render
from controlplane.identity import noting
from controlplane.identity.attempts import TooManyAttemptsError
from controlplane.identity.errors import IdentityError
from controlplane.identity.oidc import Login, Pending, Returned
from controlplane.store import audit, seen, sessions, tokens
from controlplane.store.grants import may_somewhere
from controlplane.store.roles import Permission
from controlplane.store.sessions import Signed

public = APIRouter()
router = APIRouter(route_class=SessionRoute)

HOME = "/console/"
PENDING, MINUTES = "towpath_login", 10
"""The cookie of a login that has begun, and how long the provider may take over it."""
LOGIN = leaving.LOGIN


def inside(target: str) -> str:
    """Where to go after signing in: a page of ours, or home."""
    good = target.startswith(HOME) and "\\" not in target and target.isprintable()
    return target if good else HOME


@public.get("/login")
def login_page(desk: GivenDesk, next: str = HOME) -> HTMLResponse:  # noqa: A002 - the public name
    """Answer the form for an API token, and the way to the provider."""
    return HTMLResponse(_page(desk, next))


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
        # A right one is let in, whatever was before: what others do behind the same proxy keeps nobody out.
        refusal = "This token is unknown, revoked or expired, or may not read."
        _refused(request, desk, refusal)
        return HTMLResponse(_page(desk, next, refusal), 401)
    tokens.touch(desk.database, holder, now)
    signed = Signed(holder.person, holder.name, holder.grants, holder.groups, holder.id)
    return opened(desk, signed, f"with token {holder.id}", RedirectResponse(inside(next), 303))


@public.get("/login/provider")
def begin(
    request: Request,
    desk: GivenDesk,
    next: Annotated[str, Query(max_length=500)] = HOME,  # noqa: A002
) -> Response:
    """Send the browser to the provider, with what the answer will have to match."""
    browsers.check(request, desk)
    try:
        url, pending = _provider(desk).begin()
    except IdentityError as error:
        return _sorry(desk, error)
    answer = RedirectResponse(url, 303)
    browsers.know(request, desk, answer)
    answer.set_cookie(
        PENDING,
        _written(desk, pending, inside(next)),
        max_age=MINUTES * 60,
        path=LOGIN,
        secure=desk.https,
        httponly=True,
        samesite="lax",  # the provider sends the browser back from another site
    )
    return answer


@public.get("/login/callback")
def finish(
    request: Request,
    desk: GivenDesk,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
    error: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Take what the provider sent back; a session begins where it proves who that is."""
    browsers.check(request, desk)
    provider = _provider(desk)
    try:
        pending, target = _read(desk, request.cookies.get(PENDING, ""))
    except IdentityError as refused:  # not counted: any page can send a browser here
        return _sorry(desk, refused)
    try:
        _once(desk, pending)
        who, id_token = provider.finish(pending, Returned(state, code, error))
    except IdentityError as refused:
        if refused.status != 503:  # noqa: PLR2004 - the provider is ill: nobody's failure
            browsers.failed(request, desk, str(refused))
        return _sorry(desk, refused)
    signed = Signed(who.person, who.name, who.grants, who.groups)
    answer = opened(desk, signed, f"by {provider.called}", RedirectResponse(target, 303))
    answer.delete_cookie(PENDING, path=LOGIN)
    if id_token:
        leaving.keep(desk, answer, who.person, id_token)
    return answer


@router.post("/logout")
def logout(
    request: Request, desk: GivenDesk, session: GivenSession, csrf: Annotated[str, Form()] = ""
) -> Response:
    """Sign out: the session ends at every replica, wherever its cookie has gone; then at the provider, too."""
    check_csrf(session, csrf)
    with desk.database.begin() as connection:
        if sessions.end(connection, session.id, desk.now()):
            audit.note(connection, desk.now(), session.person(), "session.ended", "signed out")
    return leaving.gone(request, desk, session.token)


# --- inside -------------------------------------------------------------------------------------


def _page(desk: Desk, target: str, refusal: str = "") -> str:
    provider = "" if desk.login is None else desk.login.called
    page = {"next": inside(target), "refusal": refusal, "provider": provider}
    return render("login.html", page)


def _sorry(desk: Desk, error: IdentityError) -> HTMLResponse:
    """The page to begin anew, with what was wrong; what was begun is forgotten."""
    answer = HTMLResponse(_page(desk, HOME, str(error)), error.status)
    answer.delete_cookie(PENDING, path=LOGIN)
    return answer


def _provider(desk: Desk) -> Login:
    if desk.login is None:
        raise HTTPException(404, "No provider is set (TOWPATH_OIDC): sign in with an API token.")
    return desk.login


def _refused(request: Request, desk: Desk, why: str) -> None:
    came = ("console", browsers.client_of(request), why)
    try:
        noting.refused(desk.database, desk.attempts, desk.now(), came)
    except TooManyAttemptsError as error:
        raise browsers.waits(error) from None


def _written(desk: Desk, pending: Pending, target: str) -> str:
    ends = int(desk.now()) + MINUTES * 60
    text = json.dumps([*pending, target, ends], separators=(",", ":"))
    said = base64.urlsafe_b64encode(text.encode()).decode()
    return f"{said}.{mac(desk, 'login', said)}"


def _read(desk: Desk, cookie: str) -> tuple[Pending, str]:
    """What was remembered of a login; IdentityError where this browser began none, or too long ago."""
    said, _, signature = cookie.rpartition(".")
    if not hmac.compare_digest(signature.encode(), mac(desk, "login", said).encode()):
        raise IdentityError("This browser has begun no sign-in: begin again.", 400)
    *pending, target, ends = json.loads(base64.urlsafe_b64decode(said))
    if ends <= desk.now():
        raise IdentityError(f"The sign-in took over {MINUTES} minutes: begin again.", 400)
    return Pending(*pending), target


def _once(desk: Desk, pending: Pending) -> None:
    """A login is finished once, at whatever replica."""
    now = desk.now()
    with desk.database.begin() as connection:
        seen.forget(connection, "oidc:", now - 2 * MINUTES * 60)
        if not seen.add(connection, f"oidc:{pending.state}", now):
            raise IdentityError("This sign-in was finished already: begin again.", 400)
