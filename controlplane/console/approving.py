"""The page of one approval: what there is to see, and the form that decides on exactly that."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, StringConstraints
from starlette.exceptions import HTTPException

from controlplane.console import words
from controlplane.console.desk import Desk, Document, GivenDesk
from controlplane.console.forms import Word
from controlplane.console.moves import STATUS
from controlplane.console.pages import pipeline_page
from controlplane.console.session import GivenSession, Session, SessionRoute, check_csrf
from controlplane.console.templates import render
from controlplane.console.views import helpers
from controlplane.engine.refusals import CommandError, Problem
from controlplane.store import executions
from controlplane.store.roles import Permission

router = APIRouter(route_class=SessionRoute)
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9.@_-]{1,100}$")]
Action = Annotated[str, Query(pattern=r"^[A-Za-z0-9.@_-]{0,100}$")]
VERDICTS = {"approve": True, "reject": False}


class DecisionForm(BaseModel):
    """evidence: the hash of what the page showed. A reason that is too long is refused in words, not here."""

    csrf: str = ""
    action: Word = ""
    evidence: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    verdict: Annotated[str, StringConstraints(pattern=r"^(approve|reject)?$")] = ""
    reason: Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")] = ""


@router.get("/executions/{execution_id}/stages/{stage}/approval")
def approval(
    execution_id: Name, stage: Name, desk: GivenDesk, session: GivenSession, action: Action = ""
) -> HTMLResponse:
    """What an approver needs to see; CommandError where nothing waits there."""
    session.require(Permission.READ, _pipeline(desk, execution_id))
    view = approval_view(desk, session, execution_id, stage, action)
    return HTMLResponse(render("approval.html", {**view, "refusal": "", "typed": ""}))


@router.post("/executions/{execution_id}/stages/{stage}/approval")
def decide(
    execution_id: Name,
    stage: Name,
    form: Annotated[DecisionForm, Form()],
    desk: GivenDesk,
    session: GivenSession,
) -> Response:
    """Decide on what was seen, or show the page as it is now with the reason why that cannot be."""
    check_csrf(session, form.csrf)
    session.require(Permission.APPROVE, _pipeline(desk, execution_id), stage)
    if not form.evidence or not form.verdict:
        raise HTTPException(422, "The form does not say what was seen, or what is decided.")
    try:
        view = approval_view(desk, session, execution_id, stage, form.action)
    except CommandError as error:
        return _gone(desk, session, execution_id, error)
    try:
        desk.commands.decide_approval(
            execution_id,
            stage,
            view["action"],
            session.person(),
            approve=VERDICTS[form.verdict],
            summary=form.reason,
            evidence=form.evidence,
        )
    except CommandError as error:
        return _refused(desk, session, view, form, error)
    return RedirectResponse(f"/console/pipelines/{view['pipeline']}?done={form.verdict}", 303)


def _refused(
    desk: Desk, session: Session, seen: Document, form: DecisionForm, error: CommandError
) -> HTMLResponse:
    """The page as it is now, with why that cannot be, and what was typed."""
    execution_id = seen["executionId"]
    try:
        now = approval_view(desk, session, execution_id, seen["stage"], seen["action"])
    except CommandError:
        return _gone(desk, session, execution_id, error)
    said = {**now, "refusal": str(error), "typed": form.reason}
    return HTMLResponse(render("approval.html", said), STATUS[error.problem])


def _gone(desk: Desk, session: Session, execution_id: str, error: CommandError) -> HTMLResponse:
    """There is nothing to decide any more: the pipeline's page says why, and how it went on."""
    page = pipeline_page(desk, session, _pipeline(desk, execution_id), refusal=str(error))
    page.status_code = STATUS[error.problem]
    return page


def approval_view(
    desk: Desk, session: Session, execution_id: str, stage: str, action: str
) -> Document:
    """Everything that the template needs."""
    with desk.database.read() as connection:
        document = desk.documents.approval(
            connection, execution_id, stage, action, session.person()
        )
    return {
        **helpers(session, desk.clock()),
        **document,
        "whose": [
            *document["approvers"]["names"],
            *(f"group {one}" for one in document["approvers"]["groups"]),
        ],
        "findings": [
            {**one, "place": words.place(one, {a.name: a.id for a in desk.registry.all()})}
            for one in document["findings"]
        ],
        "may_decide": session.may(Permission.APPROVE, document["pipeline"], stage),
        "checks": [
            {**one, "said": words.of(words.ACTIONS, one["status"])} for one in document["checks"]
        ],
        "signals": [
            {**one, "said": words.of(words.VERDICTS, one["verdict"])} for one in document["signals"]
        ],
    }


def _pipeline(desk: Desk, execution_id: str) -> str:
    with desk.database.read() as connection:
        row = executions.by_id(connection, execution_id)
    if row is None:
        raise CommandError(Problem.UNKNOWN, f"there is no execution {execution_id!r}")
    return str(row.pipeline)
