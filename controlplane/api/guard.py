"""Who asks, and may he? Answered before a byte of the body is read or parsed.

NEEDS is the one table of what each route needs. A route that is not in it cannot be made, so none
can be open by oversight.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from controlplane.api.parts import Parts, parts_of
from controlplane.engine.refusals import Person
from controlplane.store import tokens
from controlplane.store.roles import Permission, allows, roles_with

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
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
SAID = HTTPBearer(auto_error=False, description="An API token: `towpath token create`.")


class GuardedRoute(APIRoute):
    """A route that answers only those who may."""

    def get_route_handler(self) -> Handler:
        """Authenticate, authorise, and only then read."""
        handler = super().get_route_handler()
        (needed,) = {NEEDS[method, self.path] for method in self.methods or ()}

        async def guarded(request: Request) -> Response:
            holder = await run_in_threadpool(_authenticate, request)
            if not allows(holder.role, needed):
                able = " or ".join(roles_with(needed))
                raise HTTPException(
                    403,
                    f"A token of role {holder.role} may not do this ({needed}): use one of {able}.",
                )
            request.state.holder = holder
            return await handler(request)

        return guarded


def guarded_router(tag: str) -> APIRouter:
    """Make a router whose routes are all guarded; OpenAPI shows the scheme."""
    return APIRouter(route_class=GuardedRoute, dependencies=[Depends(SAID)], tags=[tag])


def _authenticate(request: Request) -> tokens.Holder:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    holder = None
    if scheme.lower() == "bearer":
        holder = holder_of(parts_of(request), token.strip())
    if holder is None:
        raise HTTPException(
            401,
            "Send a valid token as `Authorization: Bearer tp_...`; it may have expired or been "
            "revoked. `towpath token create` makes one.",
            {"WWW-Authenticate": 'Bearer realm="towpath"'},
        )
    return holder


def holder_of(parts: Parts, token: str) -> tokens.Holder | None:
    """Find who holds a token, and remember its use."""
    now = parts.now()
    with parts.database.read() as connection:
        holder = tokens.find(connection, token, now)
    if holder is not None:
        tokens.touch(parts.database, holder, now)
    return holder


def holder_in(request: Request) -> tokens.Holder:
    """Who asks; the guard has let him in."""
    holder: tokens.Holder = request.state.holder
    return holder


def person_in(request: Request) -> Person:
    """Who asks, as commands know it."""
    holder = holder_in(request)
    return Person(holder.name, "api", holder.person)


GivenHolder = Annotated[tokens.Holder, Depends(holder_in)]
GivenPerson = Annotated[Person, Depends(person_in)]
