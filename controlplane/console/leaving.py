"""Signing out at the provider, too: the ID token that proves there who goes, kept sealed by the browser."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from controlplane.console.desk import Desk
from controlplane.console.session import COOKIE, LIFETIME
from controlplane.console.templates import render
from controlplane.engine.refusals import SUBJECT
from controlplane.store.sealing import SealError, seal, unseal

KEPT = "towpath_id_token"
"""The cookie's name."""
LOGIN, LOGOUT = "/console/login", "/console/logout"


def keep(desk: Desk, answer: Response, person: str, id_token: str) -> None:
    """Let the browser keep it until it signs out; only signing out is sent it."""
    answer.set_cookie(
        KEPT,
        seal(desk.secret, _purpose(person), id_token),
        max_age=LIFETIME,
        path=LOGOUT,
        secure=desk.https,
        httponly=True,
        samesite="strict",
    )


def gone(request: Request, desk: Desk, person: str) -> Response:
    """Where a browser goes that has signed out here: to the provider, where that signs out, or to sign in."""
    there = _elsewhere(request, desk, person)
    answer: Response = RedirectResponse(LOGIN, 303)
    if there and desk.login is not None:
        # Not a redirect: what a form leads to must be ours (form-action), and that is another site.
        page = {"target": there, "provider": desk.login.called}
        answer = HTMLResponse(render("signed_out.html", page))
    answer.delete_cookie(COOKIE, path="/console")
    answer.delete_cookie(KEPT, path=LOGOUT)
    return answer


# --- inside -------------------------------------------------------------------------------------


def _elsewhere(request: Request, desk: Desk, person: str) -> str:
    """Where he signs out whom the provider has signed in; "" for others, or where it has no such page."""
    if desk.login is None or not person.startswith(SUBJECT):
        return ""
    try:
        token = unseal(desk.secret, _purpose(person), request.cookies.get(KEPT, ""))
    except SealError:
        token = ""
    return desk.login.end(token)


def _purpose(person: str) -> str:
    return f"id token of {person}"
