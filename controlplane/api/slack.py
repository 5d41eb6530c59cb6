"""Slack's door: a press of a button becomes a command, in the name of whoever pressed.

Slack says which of its users pressed; TOWPATH_SLACK_PEOPLE says who that is here and what he may. That a
person sits in a channel gives him no right.

The request is bounded, then authenticated (Slack signed it), then read. The button's value is
signed by us and bound to one approval or one execution: an old message can not move anything newer.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from controlplane.api.parts import GivenParts, Parts
from controlplane.api.problems import problem
from controlplane.api.slack_request import MAX_AGE, MAX_BODY, Press, Refused, accept
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.notify import buttons
from controlplane.settings import SettingError, Settings
from controlplane.store import executions, queries, seen
from controlplane.store.grants import Grant, may, refusal
from controlplane.store.grants import check as check_globs
from controlplane.store.roles import Permission, Role, roles_with

router = APIRouter(include_in_schema=False)

NEEDS: Mapping[str, Permission] = {
    "approve": Permission.APPROVE,
    "reject": Permission.APPROVE,
    "pass": Permission.ROLL_BACK,
    "rollback": Permission.ROLL_BACK,
}
"""What each button needs; the same as the REST door asks for."""


class NotAllowedError(Exception):
    """Whoever pressed may not; the message is for him."""


def check(settings: Settings) -> None:
    """SettingError where somebody was given a role that there is not, or a glob that is none."""
    for user, one in settings.slack_people.items():
        try:
            check_globs((one.pipelines, one.stages))
        except ValueError as error:
            raise SettingError(f"TOWPATH_SLACK_PEOPLE: {user}: {error}") from None
        if one.role not in {str(role) for role in Role}:
            known = ", ".join(Role)
            raise SettingError(
                f"TOWPATH_SLACK_PEOPLE: {user} has role {one.role!r}, and there is: {known}"
            )


class SeenGuard:
    """Remembers presses in the database: a replay is refused by every replica."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def first_time(self, key: str, now: datetime) -> bool:
        """Remember the key; False where it was there."""
        at = now.timestamp()
        with self._parts.database.begin() as connection:
            seen.forget(connection, "slack:", at - 2 * MAX_AGE.total_seconds())
            return seen.add(connection, f"slack:{key}", at)


@router.post("/slack/interactivity")
async def pressed(request: Request, parts: GivenParts) -> Response:
    """Answer at once: the move is one transaction, and what follows is told by the outbox."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return problem(413, f"The request is over {MAX_BODY} bytes.")
    return await run_in_threadpool(_handle, parts, dict(request.headers), body)


def _handle(parts: Parts, headers: Mapping[str, str], body: bytes) -> Response:
    secret = parts.settings.slack_signing_secret.get_secret_value()
    try:
        press = accept(headers, body, secret, parts.clock(), SeenGuard(parts))
        asked = buttons.read(press.value, parts.settings.secret.get_secret_value())
    except Refused as error:
        return problem(error.status, error.message)
    except ValueError as error:
        return problem(401, str(error))
    try:
        _move(parts, press, asked)
    except (CommandError, NotAllowedError) as error:
        return JSONResponse(
            {"response_type": "ephemeral", "replace_original": False, "text": _plain(str(error))}
        )
    return Response()


def _move(parts: Parts, press: Press, asked: buttons.Press) -> None:
    person = _person(parts, press, asked)
    if asked.action == "rollback":
        pipeline = _still_there(parts, asked)
        parts.commands.rollback(pipeline, asked.stage, person, reason="asked for in Slack")
        return
    if asked.action == "pass":
        _still_asks(parts, asked)
        parts.commands.judge(
            asked.execution, asked.stage, person, passes=True, reason="judged in Slack"
        )
        return
    _still_open(parts, asked)
    parts.commands.decide_approval(
        asked.execution,
        asked.stage,
        asked.action_name,
        person,
        approve=asked.action == "approve",
        summary="",
        token=asked.token,
    )


def _person(parts: Parts, press: Press, asked: buttons.Press) -> Person:
    """Who pressed, where he may; the ids of users are Slack's word, their names anybody's."""
    needed = NEEDS[asked.action]
    known = parts.settings.slack_people.get(press.user_id)
    if known is None:
        raise NotAllowedError(
            f"Towpath does not know who you are, and did nothing. Whoever runs it can add you to "
            f'TOWPATH_SLACK_PEOPLE: {{"{press.user_id}": {{"name": "YOUR NAME", "role": "ROLE"}}}}; this '
            f"button needs {' or '.join(roles_with(needed))}."
        )
    grants = (Grant(known.role, known.pipelines, known.stages),)
    with parts.database.read() as connection:
        execution = executions.by_id(connection, asked.execution)
    pipeline = "" if execution is None else execution.pipeline
    if not may(grants, needed, pipeline, asked.stage):
        raise NotAllowedError(
            f"{known.name} is in TOWPATH_SLACK_PEOPLE, but {refusal(grants, needed, pipeline, asked.stage)} "
            "Nothing was done."
        )
    return Person(known.name, "slack", groups=frozenset(known.groups))


def _still_there(parts: Parts, asked: buttons.Press) -> str:
    """Answer the pipeline, where the button's execution is the one that would be rolled back."""
    with parts.database.read() as connection:
        execution: Any = executions.by_id(connection, asked.execution)
        if execution is None:
            raise CommandError(Problem.UNKNOWN, f"there is no execution {asked.execution}")
        inside = queries.stands_in(connection, execution.pipeline, asked.stage)
    if inside is None or inside.execution_id != asked.execution:
        raise CommandError(
            Problem.CONFLICT,
            f"{asked.execution} is no longer in {asked.stage}: roll back in the console",
        )
    return str(execution.pipeline)


def _still_asks(parts: Parts, asked: buttons.Press) -> None:
    with parts.database.read() as connection:
        rows = executions.of_execution(connection, asked.execution)
    if asked.token not in {row.id for row in rows if row.stage == asked.stage and not row.ended_at}:
        raise CommandError(
            Problem.CONFLICT, f"nobody asks any more whether {asked.stage} may pass: it has ended"
        )


def _still_open(parts: Parts, asked: buttons.Press) -> None:
    with parts.database.read() as connection:
        row = queries.open_approval(connection, asked.execution, asked.stage, asked.action_name)
    if row is None or row.token != asked.token:
        raise CommandError(
            Problem.CONFLICT,
            f"this approval of {asked.stage} is no longer open: it was decided or superseded",
        )


def _plain(text: str) -> str:
    """Slack reads <...> and & as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
