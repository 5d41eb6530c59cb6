"""Who sits at the browser: a signed cookie that names an API token, and a CSRF token bound to it.

The cookie holds the token's id, never the token; so revoking the token ends the session at once.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from controlplane.console.csrf import unmasked
from controlplane.console.desk import Desk, desk_of
from controlplane.engine.refusals import Person
from controlplane.store import tokens
from controlplane.store.roles import Permission, allows

COOKIE = "towpath_session"
LIFETIME = 12 * 3600
SHAPE = re.compile(r"([A-Za-z0-9-]{1,60})\.([0-9]{1,12})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. token: the id of the token that its person counts as."""

    name: str
    role: str
    csrf: str
    token: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether the role of the token allows it."""
        return allows(self.role, permission)

    def person(self) -> Person:
        """As commands know it."""
        return Person(self.name, "console", self.token)


class SignedOutError(Exception):
    """There is no session, or it has ended."""


class ForgedError(HTTPException):
    """The form did not come from a page of ours."""

    def __init__(self) -> None:
        super().__init__(
            403, "This form is not from a page of your session. Open the page again, then send it."
        )


def new_cookie(desk: Desk, token_id: str) -> str:
    """Answer the value of a session's cookie."""
    said = f"{token_id}.{int(desk.now()) + LIFETIME}"
    return f"{said}.{_mac(desk, 'session', said)}"


def session_in(desk: Desk, cookie: str) -> Session:
    """Answer the session of a cookie; SignedOutError where it is none of ours, or has ended."""
    match = SHAPE.fullmatch(cookie)
    if match is None:
        raise SignedOutError
    token_id, expires, mac = match.groups()
    signed = _mac(desk, "session", f"{token_id}.{expires}")
    if not hmac.compare_digest(mac, signed) or int(expires) <= desk.now():
        raise SignedOutError
    with desk.database.read() as connection:
        holder = tokens.by_id(connection, token_id, desk.now())
    if holder is None or not allows(holder.role, Permission.READ):
        raise SignedOutError
    return Session(holder.name, holder.role, _mac(desk, "csrf", cookie), holder.person)


def check_csrf(session: Session, given: str) -> None:
    """ForgedError unless the form carries this session's token."""
    if not hmac.compare_digest(session.csrf, unmasked(given)):
        raise ForgedError


def check_origin(request: Request) -> None:
    """ForgedError where the browser says that another site sends the form."""
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise ForgedError


def _mac(desk: Desk, purpose: str, said: str) -> str:
    text = f"towpath {purpose} v1:{said}".encode()
    return hmac.new(desk.secret.encode(), text, hashlib.sha256).hexdigest()


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class SessionRoute(APIRoute):
    """A route for the signed-in only: asked before the body is read."""

    def get_route_handler(self) -> Handler:
        """Find the session, then go on."""
        handler = super().get_route_handler()

        async def signed_in(request: Request) -> Response:
            if request.method == "POST":
                check_origin(request)
            cookie = request.cookies.get(COOKIE, "")
            session = await run_in_threadpool(session_in, desk_of(request), cookie)
            request.state.session = session
            return await handler(request)

        return signed_in


def session_of(request: Request) -> Session:
    """Who sits at the browser; the route has let him in."""
    session: Session = request.state.session
    return session


GivenSession = Annotated[Session, Depends(session_of)]
