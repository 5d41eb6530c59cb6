"""What the console's forms ask for: one table of moves, each with what it needs and who does it.

Approving is none of them: it needs what there is to see (`approving`).

A form posts, a command makes the move, and the browser is sent back to the page (303): that works
without JavaScript, and a reload repeats nothing.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from controlplane.console.desk import GivenDesk
from controlplane.console.forms import Asked, MoveForm, reason_of
from controlplane.console.freezing import Wish, scope_of
from controlplane.console.house import freezes_page, quarantine_page
from controlplane.console.pages import pipeline_page
from controlplane.console.session import GivenSession, Session, SessionRoute, check_csrf
from controlplane.engine.extending import Extension
from controlplane.engine.refusals import CommandError, Problem
from controlplane.store import executions, gates
from controlplane.store.roles import Permission

router = APIRouter(route_class=SessionRoute)


def _start(asked: Asked) -> None:
    asked.desk.commands.start(asked.pipeline, asked.person, detail=asked.form.reason)


def _stop(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.stop(form.execution, asked.person, abandon=False, reason=form.reason)


def _retry(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.retry(form.execution, form.stage, asked.person, all_actions=False)


def _roll_back(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.rollback(asked.pipeline, form.stage, asked.person, reason=reason_of(form))


def _pass(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.judge(
        form.execution, form.stage, asked.person, passes=True, reason=reason_of(form)
    )


def _extend(asked: Asked) -> None:
    form = asked.form
    longer = Extension(form.minutes, reason_of(form))
    asked.desk.commands.extend_bake(form.execution, form.stage, asked.person, longer)


def _open(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.enable_transition(
        asked.pipeline, form.stage, asked.person, reason=reason_of(form)
    )


def _close(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.disable_transition(
        asked.pipeline, form.stage, asked.person, reason=reason_of(form)
    )


def _override(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.override(form.execution, form.stage, asked.person, reason=reason_of(form))


def _lift(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.lift_quarantine(form.digest, asked.person, reason=reason_of(form))


def _freeze(asked: Asked) -> None:
    form = asked.form
    scope = scope_of(asked.desk, Wish.of(form))
    asked.desk.commands.freeze(scope, asked.person, reason=reason_of(form))


def _unfreeze(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.unfreeze(form.freeze, asked.person, reason=reason_of(form))


def _resolve(asked: Asked) -> None:
    form = asked.form
    asked.desk.commands.resolve_incident(form.incident, asked.person, reason=reason_of(form))


Place = tuple[str, str]
"""A pipeline and a stage of it; "" is every one."""


def _pipeline(asked: Asked) -> Place:
    return asked.pipeline, ""


def _stage(asked: Asked) -> Place:
    return asked.pipeline, asked.form.stage


def _execution(asked: Asked) -> Place:
    """A form may name an execution that is not of the page's pipeline: the execution's own counts."""
    return _of_execution(asked), ""


def _stage_execution(asked: Asked) -> Place:
    return _of_execution(asked), asked.form.stage


def _of_execution(asked: Asked) -> str:
    with asked.desk.database.read() as connection:
        row = executions.by_id(connection, asked.form.execution)
    return asked.pipeline if row is None else str(row.pipeline)


def _frozen(asked: Asked) -> Place:
    with asked.desk.database.read() as connection:
        return gates.place_of_freeze(connection, asked.form.freeze)


def _to_freeze(asked: Asked) -> Place:
    wish = Wish.of(asked.form)
    return wish.pipeline, wish.stage


def _everywhere(_: Asked) -> Place:
    return "", ""


class On(StrEnum):
    """The page that a move is made on."""

    PIPELINE = "pipeline"
    FREEZES = "freezes"
    QUARANTINE = "quarantine"


class Move(NamedTuple):
    """needs: the permission. make: asks for it. where: at which pipeline and stage it needs it.

    on: the page whose forms ask for it.
    """

    needs: Permission
    make: Callable[[Asked], None]
    where: Callable[[Asked], Place]
    on: On = On.PIPELINE


MOVES: Mapping[str, Move] = {
    "start": Move(Permission.RUN, _start, _pipeline),
    "stop": Move(Permission.RUN, _stop, _execution),
    "retry": Move(Permission.RUN, _retry, _stage_execution),
    "rollback": Move(Permission.ROLL_BACK, _roll_back, _stage),
    "pass": Move(Permission.ROLL_BACK, _pass, _stage_execution),
    "extend": Move(Permission.ROLL_BACK, _extend, _stage_execution),
    "open": Move(Permission.HOLD, _open, _stage),
    "close": Move(Permission.HOLD, _close, _stage),
    "override": Move(Permission.OVERRIDE, _override, _stage_execution),
    "lift": Move(Permission.RELEASE, _lift, _everywhere),
    "release": Move(Permission.RELEASE, _lift, _everywhere, On.QUARANTINE),
    "freeze": Move(Permission.FREEZE, _freeze, _to_freeze, On.FREEZES),
    "unfreeze": Move(Permission.FREEZE, _unfreeze, _frozen, On.FREEZES),
    "resolve": Move(Permission.OVERRIDE, _resolve, _everywhere, On.FREEZES),
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
    """Make a move of a pipeline's page, or show the page with the reason why it cannot be made."""
    asked = Asked(desk, session.person(), name, form)
    wanted = _allowed(session, asked, move, On.PIPELINE)
    try:
        wanted.make(asked)
    except CommandError as error:
        return _refused(pipeline_page(desk, session, name, refusal=str(error)), error)
    return RedirectResponse(f"/console/pipelines/{name}?done={move}", 303)


@router.post("/freezes/{move}")
def make_move_on_freezes(
    move: str, form: Annotated[MoveForm, Form()], desk: GivenDesk, session: GivenSession
) -> Response:
    """Set or lift a freeze, or resolve an incident."""
    asked = Asked(desk, session.person(), "", form)
    wanted = _allowed(session, asked, move, On.FREEZES)
    try:
        wanted.make(asked)
    except CommandError as error:
        wish = Wish.of(form) if move == "freeze" else None
        return _refused(freezes_page(desk, session, wish, refusal=str(error)), error)
    return RedirectResponse(f"/console/freezes?done={move}", 303)


@router.post("/quarantine/{move}")
def make_move_on_quarantine(
    move: str, form: Annotated[MoveForm, Form()], desk: GivenDesk, session: GivenSession
) -> Response:
    """Let a digest go again."""
    asked = Asked(desk, session.person(), "", form)
    wanted = _allowed(session, asked, move, On.QUARANTINE)
    try:
        wanted.make(asked)
    except CommandError as error:
        return _refused(quarantine_page(desk, session, refusal=str(error)), error)
    return RedirectResponse(f"/console/quarantine?done={move}", 303)


def _allowed(session: Session, asked: Asked, move: str, on: On) -> Move:
    check_csrf(session, asked.form.csrf)
    wanted = MOVES.get(move)
    if wanted is None or wanted.on is not on:
        raise HTTPException(404, "There is no such move.")
    if not session.may(wanted.needs):
        session.require(wanted.needs, *wanted.where(asked))
    return wanted


def _refused(page: HTMLResponse, error: CommandError) -> HTMLResponse:
    page.status_code = STATUS[error.problem]
    return page
