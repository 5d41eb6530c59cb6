"""The pages over all pipelines: freezes and incidents, quarantine, accounts and health, the audit log."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from controlplane.console.desk import Desk, Document, GivenDesk
from controlplane.console.freezing import Wish, freezes_view
from controlplane.console.house_views import accounts_view, audit_view, quarantine_view
from controlplane.console.pages import DONE
from controlplane.console.session import GivenSession, Session, SessionRoute
from controlplane.console.templates import render

router = APIRouter(route_class=SessionRoute)

Id = Annotated[int, Query(ge=0, le=2**63 - 1)]
SmallId = Annotated[int, Query(ge=0, le=2**31 - 1)]
Typed = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
"""What a person types: whatever it holds, the page says in words what is wrong with it."""


@router.get("/freezes")
def freezes(  # noqa: PLR0913 - one a field of the form
    desk: GivenDesk,
    session: GivenSession,
    pipeline: Typed = "",
    stage: Typed = "",
    account: Typed = "",
    until: Typed = "",
    say: Typed = "",
    done: str = "",
    before: SmallId = 0,
) -> HTMLResponse:
    """Freezes in force; say: also what the one that is typed would do."""
    wish = Wish(pipeline.strip(), stage.strip(), account.strip(), until.strip()) if say else None
    return freezes_page(desk, session, wish, before=before, done=DONE.get(done, ""))


@router.get("/quarantine")
def quarantine(
    desk: GivenDesk, session: GivenSession, done: str = "", before: SmallId = 0
) -> HTMLResponse:
    """The digests in quarantine, of all pipelines."""
    return quarantine_page(desk, session, before=before, done=DONE.get(done, ""))


@router.get("/accounts")
def accounts(
    desk: GivenDesk,
    session: GivenSession,
    after: Annotated[str, Query(pattern=r"^[A-Za-z0-9._-]{0,63}$")] = "",
) -> HTMLResponse:
    """The accounts, and how the installation fares."""
    return HTMLResponse(render("accounts.html", accounts_view(desk, session, after)))


@router.get("/audit")
def audit(
    desk: GivenDesk, session: GivenSession, before: Id = 0, pipeline: Typed = ""
) -> HTMLResponse:
    """Who decided what."""
    view = audit_view(desk, session, before, pipeline.strip())
    return HTMLResponse(render("audit.html", view), 403 if view["refusal"] else 200)


def freezes_page(
    desk: Desk,
    session: Session,
    wish: Wish | None = None,
    *,
    before: int = 0,
    done: str = "",
    refusal: str = "",
) -> HTMLResponse:
    """Render it, with what was done or why it was refused."""
    return _page("freezes.html", freezes_view(desk, session, wish, before), done, refusal)


def quarantine_page(
    desk: Desk, session: Session, *, before: int = 0, done: str = "", refusal: str = ""
) -> HTMLResponse:
    """Render it, with what was done or why it was refused."""
    return _page("quarantine.html", quarantine_view(desk, session, before), done, refusal)


def _page(template: str, view: Document, done: str, refusal: str) -> HTMLResponse:
    return HTMLResponse(render(template, {**view, "done": done, "refusal": refusal}))
