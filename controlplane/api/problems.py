"""Refusals as problem+json (RFC 9457): a title, a sentence with the mend, a list where one is.

Nothing of what was sent is repeated: it may hold a secret.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from controlplane.api.changes import TooManyWaitersError
from controlplane.declarations.load import DeclarationError
from controlplane.engine.refusals import CommandError, Problem
from controlplane.engine.structures import BrokenStructureError
from controlplane.store import condition

log = logging.getLogger(__name__)

STATUS: Mapping[Problem, int] = {
    Problem.UNKNOWN: 404,
    Problem.CONFLICT: 409,
    Problem.INVALID: 422,
    Problem.BUSY: 503,
    Problem.CROWDED: 429,
}
RETRY_AFTER: Mapping[Problem, int] = {Problem.BUSY: 1, Problem.CROWDED: 30}
"""Seconds after which it may be asked again."""


FAULT = "This is a fault of Towpath's; its log has the cause."
DATABASE_RETRY = 5


class ProblemResponse(JSONResponse):
    """Its own media type."""

    media_type = "application/problem+json"


def problem(
    status: int,
    detail: str,
    problems: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """Say what is wrong. problems: all of them, where there are more than one to mend."""
    document: dict[str, Any] = {
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if problems:
        document["problems"] = list(problems)
    return ProblemResponse(document, status, dict(headers or {}))


def unknown(what: str) -> CommandError:
    """There is no such thing."""
    return CommandError(Problem.UNKNOWN, f"there is no {what}")


def add_to(app: FastAPI, url: URL) -> None:
    """Every refusal of this application is a problem document. url: the database's, which may be ill."""

    @app.exception_handler(CommandError)
    def _refused(_: Request, error: CommandError) -> ProblemResponse:
        told = {"Retry-After": str(RETRY_AFTER.get(error.problem, 0))}
        may_ask_again = error.problem in RETRY_AFTER
        return problem(STATUS[error.problem], str(error), (), told if may_ask_again else None)

    @app.exception_handler(DeclarationError)
    def _declaration(_: Request, error: DeclarationError) -> ProblemResponse:
        problems = [str(one) for one in error.problems]
        return problem(422, "The pipeline is not accepted; nothing was changed.", problems)

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> ProblemResponse:
        problems = [_sentence(one) for one in error.errors()]
        return problem(422, "The request is not understood; nothing was changed.", problems)

    @app.exception_handler(TooManyWaitersError)
    def _crowded(_: Request, error: TooManyWaitersError) -> ProblemResponse:
        return problem(429, f"{error}; ask again later, or without wait.", (), {"Retry-After": "5"})

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> ProblemResponse:
        return problem(error.status_code, str(error.detail), (), error.headers)

    _add_faults(app, url)


def _add_faults(app: FastAPI, url: URL) -> None:
    """What is no fault of whoever asked."""

    @app.exception_handler(BrokenStructureError)
    def _broken(_: Request, error: BrokenStructureError) -> ProblemResponse:
        return problem(500, str(error))

    @app.exception_handler(SQLAlchemyError)
    def _database(_: Request, error: SQLAlchemyError) -> ProblemResponse:
        if condition.fault_of(error) is None:
            log.error("a request failed in the database", exc_info=error)
            return problem(500, FAULT)
        said = condition.sentence(error, url)
        return problem(503, said, (), {"Retry-After": str(DATABASE_RETRY)})

    @app.exception_handler(Exception)
    def _fault(_: Request, __: Exception) -> ProblemResponse:
        return problem(500, FAULT)


def _sentence(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    # A key that was sent may hold a lone surrogate, which no answer can carry.
    safe = json.dumps(where)[1:-1]
    return f"{safe}: {error['msg']}"
