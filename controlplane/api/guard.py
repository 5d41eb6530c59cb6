"""Who asks, and may he? Answered before a byte of the body is read or parsed.

NEEDS is the one table of what each route needs. A route that is not in it cannot be made, so none
can be open by oversight.
"""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from controlplane.api.inputs import NAME
from controlplane.api.parts import Parts, parts_of
from controlplane.engine.refusals import Person
from controlplane.identity import noting
from controlplane.identity.attempts import TooManyAttemptsError
from controlplane.identity.builds import Builds
from controlplane.identity.errors import IdentityError
from controlplane.store import executions, grants, tokens
from controlplane.store.roles import Permission

P = Permission
NEEDS: Mapping[tuple[str, str], Permission] = {
    ("GET", "/pipelines"): P.READ,
    ("GET", "/pipelines/{name}"): P.READ,
    ("PUT", "/pipelines/{name}"): P.DECLARE,
    ("GET", "/pipelines/{name}/state"): P.READ,
    ("GET", "/pipelines/{name}/executions"): P.READ,
    ("POST", "/pipelines/{name}/executions"): P.RUN,
    ("POST", "/pipelines/{name}/stages/{stage}/rollback"): P.ROLL_BACK,
    ("POST", "/pipelines/{name}/stages/{stage}/drill"): P.RUN,
    ("GET", "/pipelines/{name}/drills"): P.READ,
    ("PUT", "/pipelines/{name}/stages/{stage}/transition"): P.HOLD,
    ("DELETE", "/pipelines/{name}/stages/{stage}/transition"): P.HOLD,
    ("GET", "/pipelines/{name}/shadow"): P.READ,
    ("PUT", "/pipelines/{name}/shadow"): P.DECLARE,
    ("GET", "/migrations/{account}"): P.DECLARE,
    ("POST", "/migrations/{account}/{name}"): P.DECLARE,
    ("GET", "/executions/{execution_id}"): P.READ,
    ("GET", "/executions/{execution_id}/measurements"): P.READ,
    ("GET", "/executions/{execution_id}/explanation"): P.READ,
    ("POST", "/executions/{execution_id}/stop"): P.RUN,
    ("GET", "/executions/{execution_id}/stages/{stage}/approval"): P.READ,
    ("POST", "/executions/{execution_id}/stages/{stage}/approval"): P.APPROVE,
    ("POST", "/executions/{execution_id}/stages/{stage}/judgement"): P.ROLL_BACK,
    ("POST", "/executions/{execution_id}/stages/{stage}/extension"): P.ROLL_BACK,
    ("POST", "/executions/{execution_id}/stages/{stage}/retry"): P.RUN,
    ("POST", "/executions/{execution_id}/stages/{stage}/override"): P.OVERRIDE,
    ("GET", "/freezes"): P.READ,
    ("POST", "/freezes"): P.FREEZE,
    ("DELETE", "/freezes/{freeze_id}"): P.FREEZE,
    ("GET", "/incidents"): P.READ,
    ("POST", "/incidents/alertmanager"): P.REPORT,
    ("DELETE", "/incidents/{key}"): P.OVERRIDE,
    ("GET", "/quarantine"): P.READ,
    ("DELETE", "/quarantine/{digest}"): P.RELEASE,
    ("GET", "/ledger/{name}"): P.READ,
    ("GET", "/events"): P.READ,
    ("GET", "/audit"): P.AUDIT,
    ("GET", "/accounts"): P.READ,
    ("GET", "/accounts/{name}"): P.READ,
    ("PUT", "/accounts/{name}"): P.ACCOUNTS,
    ("DELETE", "/accounts/{name}"): P.ACCOUNTS,
    ("GET", "/doctor"): P.DIAGNOSE,
    ("GET", "/doctor/{name}"): P.DIAGNOSE,
    ("GET", "/schema"): P.READ,
    ("GET", "/openapi.json"): P.READ,
    ("GET", "/tokens"): P.TOKENS,
    ("POST", "/tokens"): P.TOKENS,
    ("DELETE", "/tokens/{token_id}"): P.TOKENS,
    ("GET", "/sessions"): P.TOKENS,
    ("DELETE", "/sessions/{session_id}"): P.TOKENS,
}

PLACES = (
    "/pipelines/{name}",
    "/ledger/{name}",
    "/doctor/{name}",
    "/migrations/{account}/{name}",
    "/executions/{execution_id}",
)
"""Paths that name a pipeline, or an execution of one. All others are about the whole installation."""
ANYWHERE = frozenset(
    {
        ("GET", "/pipelines"),
        ("GET", "/freezes"),
        ("POST", "/freezes"),
        ("DELETE", "/freezes/{freeze_id}"),
        ("GET", "/incidents"),
        ("GET", "/quarantine"),
        ("GET", "/events"),
        ("GET", "/audit"),
        ("GET", "/accounts"),
        ("GET", "/accounts/{name}"),
        ("GET", "/schema"),
        ("GET", "/openapi.json"),
    }
)
"""What a grant over some pipelines opens, too: the handler itself answers, or does, no more than that."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
SAID = HTTPBearer(auto_error=False, description="An API token: `towpath token create`.")


class GuardedRoute(APIRoute):
    """A route that answers only those who may."""

    def get_route_handler(self) -> Handler:
        """Authenticate, authorise, and only then read."""
        handler = super().get_route_handler()
        path = self.path
        (needed,) = {NEEDS[method, path] for method in self.methods or ()}

        async def guarded(request: Request) -> Response:
            request.state.holder = await run_in_threadpool(_let_in, request, needed, path)
            return await handler(request)

        return guarded


def guarded_router(tag: str) -> APIRouter:
    """Make a router whose routes are all guarded; OpenAPI shows the scheme."""
    return APIRouter(route_class=GuardedRoute, dependencies=[Depends(SAID)], tags=[tag])


def _let_in(request: Request, needed: Permission, path: str) -> tokens.Holder:
    """Answer who asks, where he may."""
    holder = _authenticate(request)
    if grants.may(holder.grants, needed):
        return holder
    if not grants.may_somewhere(holder.grants, needed):
        raise HTTPException(403, grants.refusal(holder.grants, needed))
    if path.startswith(PLACES):
        require(holder, needed, *_place(request), parts_of(request).goes)
    elif (request.method, path) not in ANYWHERE:
        require(holder, needed)
    return holder


def require(
    holder: tokens.Holder,
    needed: Permission,
    pipeline: str = "",
    stage: str = "",
    goes: grants.Goes = grants.nowhere,
) -> None:
    """Refuse (403) whoever may not do this there; "" is every pipeline, and every stage."""
    if not grants.may(holder.grants, needed, pipeline, stage, goes):
        raise HTTPException(403, grants.refusal(holder.grants, needed, pipeline, stage, goes))


def _place(request: Request) -> tuple[str, str]:
    """The pipeline and the stage that a path names; 404 where it names no execution that there is."""
    given = request.path_params
    stage = given.get("stage", "")
    if "name" in given:
        return given["name"], stage
    row = None
    if re.fullmatch(NAME, given["execution_id"]):
        with parts_of(request).database.read() as connection:
            row = executions.by_id(connection, given["execution_id"])
    if row is None:
        raise HTTPException(404, "There is no such execution.")
    return row.pipeline, stage


def _authenticate(request: Request) -> tokens.Holder:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    why = (
        "Send a valid token as `Authorization: Bearer tp_...`; it may have expired or been "
        "revoked. `towpath token create` makes one."
    )
    status = 401
    if scheme.lower() == "bearer":
        try:
            holder = holder_of(parts_of(request), token.strip())
        except IdentityError as error:
            holder, why, status = None, f"The JWT is refused: {error}.", error.status
        if holder is not None:
            return holder
        if status != 503:  # noqa: PLR2004 - an issuer that is ill is nobody's failure
            _count(request, why)
    told = {"WWW-Authenticate": 'Bearer realm="towpath"'} if status == 401 else None  # noqa: PLR2004
    raise HTTPException(status, why, told)


def _count(request: Request, why: str) -> None:
    """Count a wrong token as a failed sign-in of its client; 429 after too many.

    Whoever shows a right one is let in, whatever was before: 256 random bits are not guessed, and many
    builds come from one address.
    """
    parts, attempts = parts_of(request), request.app.state.attempts
    came = ("api", request.client.host if request.client else "", why)
    try:
        noting.refused(parts.database, attempts, parts.now(), came)
    except TooManyAttemptsError as error:
        raise HTTPException(429, str(error), {"Retry-After": str(error.retry_after)}) from None


def holder_of(parts: Parts, token: str) -> tokens.Holder | None:
    """Find who holds a token, and remember its use; IdentityError for a JWT that is refused."""
    if parts.builds is not None and parts.builds.takes(token):
        return _build(parts, parts.builds, token)
    now = parts.now()
    with parts.database.read() as connection:
        holder = tokens.find(connection, token, now)
    if holder is not None:
        tokens.touch(parts.database, holder, now)
    return holder


def _build(parts: Parts, builds: Builds, token: str) -> tokens.Holder:
    who = builds.whose(token)
    if builds.is_new(token):
        by, text = Person(who.name, "api", who.person), f"by JWT: {grants.said(who.grants)}"
        noting.note(parts.database, parts.now(), by, "jwt.accepted", text)
    return tokens.Holder("", who.name, who.grants, None, who.person, who.groups)


def holder_in(request: Request) -> tokens.Holder:
    """Who asks; the guard has let him in."""
    holder: tokens.Holder = request.state.holder
    return holder


def person_in(request: Request) -> Person:
    """Who asks, as commands know it."""
    holder = holder_in(request)
    return Person(holder.name, "api", holder.person, holder.groups)


GivenHolder = Annotated[tokens.Holder, Depends(holder_in)]
GivenPerson = Annotated[Person, Depends(person_in)]
