"""The drivers' edge: what AWS raises, and wrong declarations, told as MonitorErrors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

from accounts.base import AccountError
from accounts.errors import explain
from monitors.base import MonitorError, Progress, Query, Task

Ask = TypeVar("Ask")

WRONG = frozenset(
    {
        "InvalidParameterCombination",
        "InvalidParameterInput",
        "InvalidParameterValue",
        "MissingParameter",
        "MissingRequiredParameter",
        "ValidationError",
        "ValidationException",
    }
)
"""Codes that are about what was asked: one of many asked together may be the wrong one."""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn what an AWS call raises into a MonitorError: "Could not <what>: ..."."""
    try:
        yield
    except (AccountError, BotoCoreError, ClientError, ResponseParserError) as error:
        told = explain(error, what)
        raise MonitorError(
            str(told),
            permanent=told.permanent,
            retry_after=told.retry_after,
            postponed=told.postponed,
            refused=told.refused,
        ) from error


def is_wrong_request(error: MonitorError) -> bool:
    """Say whether the vendor refused what was asked, and not who asked."""
    cause = error.__cause__
    if isinstance(cause, ClientError):
        return str(cause.response.get("Error", {}).get("Code", "")) in WRONG
    return isinstance(cause, ParamValidationError)


def each_task(
    tasks: Sequence[Task], look: Callable[[Task], Progress]
) -> dict[str, Progress | MonitorError]:
    """Look at each task alone, by token: what one raises is its own answer and no other's."""
    answers: dict[str, Progress | MonitorError] = {}
    for task in tasks:
        try:
            answers[task.token] = look(task)
        except MonitorError as error:
            answers[task.token] = error
        except ValueError as error:
            answers[task.token] = MonitorError(str(error), permanent=True)
    return answers


@contextmanager
def declared() -> Iterator[None]:
    """Turn the ValueError of a wrong configuration into a permanent MonitorError."""
    try:
        yield
    except ValueError as error:
        raise MonitorError(str(error), permanent=True) from error


def understood(
    queries: Sequence[Query], read: Callable[[Query], Ask]
) -> tuple[list[tuple[Query, Ask]], dict[str, MonitorError]]:
    """Read the configuration of each query; a wrong one gets its error and spoils no other."""
    asks: list[tuple[Query, Ask]] = []
    wrong: dict[str, MonitorError] = {}
    for query in queries:
        try:
            asks.append((query, read(query)))
        except ValueError as error:
            wrong[query.key] = MonitorError(str(error), permanent=True)
    return asks, wrong
