"""Slack's door by HTTP: bounded, then authenticated (Slack signed it), then given to bolt's listeners.

Slack says which of its users asks; TOWPATH_SLACK_PEOPLE says who that is here and what he may. That a person
sits in a channel gives him no right.
"""

import json
import logging
from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from slack_bolt import App, BoltRequest

from controlplane.api.parts import GivenParts, Parts
from controlplane.api.problems import problem
from controlplane.api.slack_request import MAX_BODY, Refused, verify
from controlplane.slack import listeners
from controlplane.slack.desk import Door

log = logging.getLogger(__name__)

MAX_FIELDS = 50

router = APIRouter(include_in_schema=False)


def make(parts: Parts) -> App:
    """Bolt's application for the doors of this process."""
    door = Door(
        database=parts.database,
        commands=parts.commands,
        structures=parts.structures,
        people=parts.settings.slack_people,
        secret=parts.settings.secret.get_secret_value(),
        now=parts.now,
        goes=parts.goes,
    )
    return listeners.make(door, parts.settings.slack_token.get_secret_value())


@router.post("/slack/interactivity")
@router.post("/slack/commands")
async def asked(request: Request, parts: GivenParts) -> Response:
    """Answer at once: what was asked is stored, and a worker does it."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return problem(413, f"The request is over {MAX_BODY} bytes.")
    app: App = request.app.state.slack
    return await run_in_threadpool(_handle, parts, app, dict(request.headers), body)


def _handle(parts: Parts, app: App, headers: Mapping[str, str], body: bytes) -> Response:
    secret = parts.settings.slack_signing_secret.get_secret_value()
    try:
        verify(headers, body, secret, parts.clock())
        answer = app.dispatch(BoltRequest(body=_readable(body), headers=dict(headers)))
    except Refused as error:
        return problem(error.status, error.message)
    except (ValueError, RecursionError):
        return problem(400, "The request's body can not be read.")
    if answer.status >= 400:  # noqa: PLR2004
        return problem(answer.status, str(answer.body) or "The request is not taken.")
    return Response(
        answer.body, answer.status, media_type=answer.first_headers().get("content-type")
    )


def _readable(body: bytes) -> str:
    """Answer the form; ValueError where its payload is not one object: bolt would fall over that."""
    text = body.decode()
    payloads = parse_qs(text, max_num_fields=MAX_FIELDS).get("payload", [])
    if len(payloads) > 1 or (payloads and not isinstance(json.loads(payloads[0]), dict)):
        raise ValueError("not one payload")
    return text
