"""The door of Git hosts' webhooks: bounded, then authenticated, then read.

https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from controlplane.actions.base import ActionError
from controlplane.actions.git.base import Host, Told
from controlplane.actions.git.deliveries import BodyError, read
from controlplane.actions.git.signatures import is_genuine
from controlplane.api.parts import GivenParts, Parts
from controlplane.api.problems import problem

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)


@router.post("/git/{name}")
async def told(name: str, request: Request, parts: GivenParts) -> Response:
    """Answer what was started; a host shows the answer beside its delivery."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > parts.settings.max_body_bytes:
            return problem(413, f"The body is over {parts.settings.max_body_bytes} bytes.")
    return await run_in_threadpool(_handle, parts, name, dict(request.headers), body)


def _handle(parts: Parts, name: str, headers: Mapping[str, str], body: bytes) -> Response:
    host = parts.git.get(name)
    if host is None:
        return problem(404, "No Git host of this name is in TOWPATH_GIT.")
    refused = _refused(host, headers, body)
    if refused is not None:
        return refused
    try:
        found = read(host.settings.kind, headers, json.loads(body))
    except (BodyError, ValueError, RecursionError) as error:
        return problem(400, f"The delivery can not be read: {error}.")
    return _answer(parts, name, _take(parts, host, found))


@dataclass(slots=True)
class Outcome:
    """What came of the changes that one delivery tells of. failed, unread: what is to be kept for later."""

    started: dict[str, str] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)
    failed: list[tuple[Told, ActionError]] = field(default_factory=list)
    unread: list[tuple[Told, dict[str, str]]] = field(default_factory=list)


def _take(parts: Parts, host: Host, found: Sequence[Told]) -> Outcome:
    outcome = Outcome()
    for one in found:
        try:
            taken = parts.intake.take(host, one)
        except ActionError as error:
            outcome.failed.append((one, error))  # the others of this delivery are told once, too
            log.warning("a delivery of %s was not taken yet: %s", host.name, error)
            continue
        outcome.started |= taken.started
        outcome.passed |= taken.passed | taken.unread
        if taken.unread:
            outcome.unread.append((one, taken.unread))
    return outcome


def _answer(parts: Parts, name: str, outcome: Outcome) -> Response:
    """Keep what waits, and say what was done; 202 where something waits."""
    said: dict[str, object] = {"started": outcome.started, "notStarted": outcome.passed}
    for one, whose in outcome.unread:
        if not parts.late.keep_for(name, one, whose):
            return _too_many("; ".join(whose.values()))
    if outcome.failed:
        why = str(outcome.failed[-1][1])
        if not parts.late.keep(name, [one for one, _ in outcome.failed], why[:500]):
            return _too_many(why)
        said["waitsFor"] = f"{name}: {why}"
    waits = outcome.failed or outcome.unread
    return JSONResponse(said, status_code=202 if waits else 200)


def _too_many(why: str) -> Response:
    return problem(503, f"{why} Too many deliveries wait for it: deliver this one again.")


def _refused(host: Host, headers: Mapping[str, str], body: bytes) -> Response | None:
    secret = host.secret()
    if not secret:
        variable = host.settings.secret_env
        mend = f"set the environment variable {variable}" if variable else "say its secretEnv"
        return problem(
            503, f"There is no secret for the Git host {host.name} of TOWPATH_GIT: {mend}."
        )
    if is_genuine(host.settings.kind, headers, body, secret):
        return None
    return problem(401, "The delivery is not signed by the host's secret.")
