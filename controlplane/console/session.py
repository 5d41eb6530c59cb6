"""Who sits at the browser: a signed cookie that names a session, and a CSRF token bound to it.

The session's row says who that is. One that began with an API token ends at once where the token is
revoked; any may be ended by its person, or by an admin, at every replica.
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
from controlplane.store import audit, sessions
from controlplane.store.grants import Goes, Grants, may, may_somewhere, nowhere, refusal, said
from controlplane.store.roles import Permission
from controlplane.store.sessions import Signed

COOKIE = "towpath_session"
LIFETIME = 12 * 3600
SHAPE = re.compile(r"([A-Za-z0-9-]{1,60})\.([0-9]{1,12})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. token: as which its person counts (`Person.token`). id: the session's own."""

    name: str
    grants: Grants
    csrf: str
    token: str = ""
    groups: frozenset[str] = frozenset()
    id: str = ""
    goes: Goes = nowhere

    @property
    def role(self) -> str:
        """What the person may, in words."""
        return ", ".join(map(str, self.grants))

    def may(self, permission: Permission, pipeline: str = "", stage: str = "") -> bool:
        """Whether the grants allow it there; "" is every pipeline, and every stage."""
        return may(self.grants, permission, pipeline, stage, self.goes)

    def offered(self, permission: Permission, pipeline: str | None = None) -> bool:
        """Whether a page shows the form: the grants allow it somewhere (in the pipeline)."""
        return may_somewhere(self.grants, permission, pipeline)

    def require(self, permission: Permission, pipeline: str = "", stage: str = "") -> None:
        """Refuse (403) where the grants do not allow it."""
        if not self.may(permission, pipeline, stage):
            raise HTTPException(403, refusal(self.grants, permission, pipeline, stage, self.goes))

    def person(self) -> Person:
        """As commands know it."""
        return Person(self.name, "console", self.token, self.groups)


class SignedOutError(Exception):
    """There is no session, or it has ended."""


class ForgedError(HTTPException):
    """The form did not come from a page of ours."""

    def __init__(self) -> None:
        super().__init__(
            403, "This form is not from a page of your session. Open the page again, then send it."
        )


def opened(desk: Desk, signed: Signed, how: str, answer: Response) -> Response:
    """Begin a session of whoever has signed in, and let the answer's browser keep it."""
    now = desk.now()
    expires = int(now) + LIFETIME
    with desk.database.begin() as connection:
        id_ = sessions.create(connection, signed, now, expires)
        who = Person(signed.name, "console", signed.person)
        audit.note(connection, now, who, "session.opened", f"{how}: {said(signed.grants)}")
    cookie = f"{id_}.{expires}"
    answer.set_cookie(
        COOKIE,
        f"{cookie}.{mac(desk, 'session', cookie)}",
        max_age=LIFETIME,
        path="/console",
        secure=desk.https,
        httponly=True,
        samesite="strict",
    )
    return answer


def session_in(desk: Desk, cookie: str) -> Session:
    """Answer the session of a cookie; SignedOutError where it is none of ours, or has ended."""
    match = SHAPE.fullmatch(cookie)
    if match is None:
        raise SignedOutError
    id_, expires, signature = match.groups()
    genuine = mac(desk, "session", f"{id_}.{expires}")
    if not hmac.compare_digest(signature, genuine) or int(expires) <= desk.now():
        raise SignedOutError
    with desk.database.read() as connection:
        # A cookie that a replica of the version before made names the token itself.
        find = sessions.find if id_.startswith(sessions.PREFIX) else sessions.of_token
        signed = find(connection, id_, desk.now())
    if signed is None or not may_somewhere(signed.grants, Permission.READ):
        raise SignedOutError
    csrf = mac(desk, "csrf", cookie)
    return Session(signed.name, signed.grants, csrf, signed.person, signed.groups, id_, desk.goes)


def check_csrf(session: Session, given: str) -> None:
    """ForgedError unless the form carries this session's token."""
    if not hmac.compare_digest(session.csrf, unmasked(given)):
        raise ForgedError


def check_origin(request: Request) -> None:
    """ForgedError where the browser says that another site sends the form."""
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise ForgedError


def mac(desk: Desk, purpose: str, said: str) -> str:
    """Sign a text for a purpose; hexadecimal."""
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
