"""What the console's forms ask for: one table of moves, each with what it needs and who does it.

A form posts, a command makes the move, and the browser is sent back to the page (303): that works
without JavaScript, and a reload repeats nothing.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, Path
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, StringConstraints
from starlette.exceptions import HTTPException

from controlplane.console.desk import Desk, GivenDesk
from controlplane.console.pages import pipeline_page
from controlplane.console.session import GivenSession, SessionRoute, check_csrf
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.store.roles import Permission, roles_with

router = APIRouter(route_class=SessionRoute)

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:.@_+-]{0,200}$")]
Text = Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00]*$")]


class MoveForm(BaseModel):
    """Every field that a form of ours may have."""

    csrf: str = ""
    execution: Word = ""
    stage: Word = ""
    action: Word = ""
    digest: Word = ""
    reason: Text = ""


class Asked(NamedTuple):
    """A move that somebody may make."""

    desk: Desk
    person: Person
    pipeline: str
    form: MoveForm


def _start(asked: Asked) -> None:
    asked.desk.commands.start(asked.pipeline, asked.person, detail=asked.form.reason)


def _approve(asked: Asked) -> None:
    _decide(asked, approve=True)


def _reject(asked: Asked) -> None:
    _decide(asked, approve=False)


def _decide(asked: Asked, *, approve: bool) -> None:
    form = asked.form
    asked.desk.commands.decide_approval(
        form.execution, form.stage, form.action, asked.person, approve=approve, summary=form.reason
    )


def _stop(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.stop(form.execution, asked.person, abandon=False, reason=form.reason)


def _retry(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.retry(form.execution, form.stage, asked.person, all_actions=False)


def _roll_back(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.rollback(asked.pipeline, form.stage, asked.person, reason=_reason(form))


def _pass(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.judge(
        form.execution, form.stage, asked.person, passes=True, reason=_reason(form)
    )


def _open(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.enable_transition(
        asked.pipeline, form.stage, asked.person, reason=_reason(form)
    )


def _close(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.disable_transition(
        asked.pipeline, form.stage, asked.person, reason=_reason(form)
    )


def _lift(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.lift_quarantine(form.digest, asked.person, reason=_reason(form))


def _reason(form: MoveForm) -> str:
    if not form.reason.strip():
        raise CommandError(Problem.INVALID, "Say why, in a few words: the team will read it later.")
    return form.reason


class Move(NamedTuple):
    """needs: the permission. make: asks for it."""

    needs: Permission
    make: Callable[[Asked], None]


MOVES: Mapping[str, Move] = {
    "start": Move(Permission.RUN, _start),
    "approve": Move(Permission.APPROVE, _approve),
    "reject": Move(Permission.APPROVE, _reject),
    "stop": Move(Permission.RUN, _stop),
    "retry": Move(Permission.RUN, _retry),
    "rollback": Move(Permission.ROLL_BACK, _roll_back),
    "pass": Move(Permission.ROLL_BACK, _pass),
    "open": Move(Permission.HOLD, _open),
    "close": Move(Permission.HOLD, _close),
    "lift": Move(Permission.RELEASE, _lift),
}
STATUS: Mapping[Problem, int] = {
    Problem.UNKNOWN: 404,
    Problem.CONFLICT: 409,
    Problem.INVALID: 422,
    Problem.BUSY: 503,
    Problem.CROWDED: 429,
}


@router.post("/pipelines/{name}/{move}")
def make_move(
    name: Annotated[str, Path(pattern=r"^[A-Za-z0-9.@_-]{1,100}$")],
    move: str,
    form: Annotated[MoveForm, Form()],
    desk: GivenDesk,
    session: GivenSession,
) -> Response:
    """Make a move, or show the page with the reason why it cannot be made."""
    check_csrf(session, form.csrf)
    wanted = MOVES.get(move)
    if wanted is None:
        raise HTTPException(404, "There is no such move.")
    if not session.may(wanted.needs):
        able = " or ".join(roles_with(wanted.needs))
        raise HTTPException(403, f"Your token is of role {session.role}; this needs {able}.")
    try:
        wanted.make(Asked(desk, session.person(), name, form))
    except CommandError as error:
        page = pipeline_page(desk, session, name, refusal=str(error))
        page.status_code = STATUS[error.problem]
        return page
    return RedirectResponse(f"/console/pipelines/{name}?done={move}", 303)
