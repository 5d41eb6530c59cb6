"""The console as an application of its own, mounted under /console: its refusals are pages."""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from controlplane.console import approving, house, live, moves, pages, signing_in
from controlplane.console.desk import Desk
from controlplane.console.policy import Policy
from controlplane.console.session import SignedOutError
from controlplane.console.templates import STATIC, render
from controlplane.engine.refusals import CommandError
from controlplane.engine.structures import BrokenStructureError
from controlplane.store import condition

LEVEL = 5
"""Of compression: above it pages hardly get smaller, and take longer."""
PAGES = APIRouter()
"""Included once: FastAPI builds every route anew for each application that includes its router."""
for _router in (
    *(signing_in.public, signing_in.router),
    *(module.router for module in (pages, house, live, moves, approving)),
):
    PAGES.include_router(_router)


def create_console(desk: Desk) -> FastAPI:
    """Build it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, routes=list(PAGES.routes))
    app.state.desk = desk
    app.state.live = live.Live(desk)
    app.mount("/static", StaticFiles(directory=STATIC))
    _add_refusals(app, desk)
    app.add_middleware(Policy)
    # Streams are left as they are; what a page keeps secret is masked in each answer (csrf.py).
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=LEVEL)
    return app


def _add_refusals(app: FastAPI, desk: Desk) -> None:
    @app.exception_handler(SignedOutError)
    def _signed_out(request: Request, _: SignedOutError) -> Response:
        return signed_out(request)

    @app.exception_handler(CommandError)
    def _refused(_: Request, error: CommandError) -> Response:
        return error_page(moves.STATUS[error.problem], str(error))

    @app.exception_handler(BrokenStructureError)
    def _broken(_: Request, error: BrokenStructureError) -> Response:
        return error_page(500, str(error))

    @app.exception_handler(SQLAlchemyError)
    def _database(_: Request, error: SQLAlchemyError) -> Response:
        if condition.fault_of(error) is None:
            raise error
        page = error_page(503, condition.sentence(error, desk.database.engine.url))
        page.headers["Retry-After"] = "5"
        return page

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, __: RequestValidationError) -> Response:
        return error_page(
            422, "The form or the address holds something that no page of ours sends."
        )

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> Response:
        page = error_page(error.status_code, str(error.detail))
        page.headers.update(error.headers or {})
        return page


def signed_out(request: Request) -> Response:
    """Send the browser to where it can sign in, and from there back to where it wanted to go."""
    if request.method != "GET":
        return error_page(401, "You are signed out. Sign in, and then do it once more.")
    if request.url.path.endswith("/events"):
        return HTMLResponse("", 401)
    if request.headers.get("sec-fetch-site") == "cross-site":
        # SameSite=Strict keeps the cookie back where a link in Slack was followed; a page of ours
        # that goes on by itself gets it.
        return HTMLResponse(render("continue.html", {"target": _target(request)}))
    return RedirectResponse(f"/console/login?next={quote(_target(request))}", 303)


def _target(request: Request) -> str:
    return signing_in.inside(request.url.path)


def error_page(status: int, refusal: str) -> HTMLResponse:
    """Say what is wrong and how to go on."""
    title = HTTPStatus(status).phrase
    return HTMLResponse(render("error.html", {"title": title, "refusal": refusal}), status)
