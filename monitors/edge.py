"""The edge to AWS: what its clients raise, told as a MonitorError with a sentence.

Only the kind of an error decides whether trying again can help; all that a driver adds is what it
was about to do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from accounts.base import AccountError
from monitors.base import MonitorError, Progress, Query, Task

Ask = TypeVar("Ask")

PASSING = frozenset(
    {
        # https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        # A session that ends is opened again by the accounts room.
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
    }
)
"""Codes of HTTP 4xx answers that pass by themselves; every other 4xx is ours to mend."""

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
    """Turn what an AWS call raises into a MonitorError that says what could not be done."""
    try:
        yield
    except AccountError as error:
        raise MonitorError(f"{what}: {error}", permanent=error.permanent) from error
    except ClientError as error:
        raise _refused(what, error) from error
    except ParamValidationError as error:
        told = " ".join(str(error).split())
        raise MonitorError(
            f"{what}: a value has not the form it needs: {told}", permanent=True
        ) from error
    except BotoCoreError as error:
        raise MonitorError(f"{what}: AWS could not be reached: {error}") from error


def _refused(what: str, error: ClientError) -> MonitorError:
    answer: Mapping[str, Any] = error.response
    code = str(answer.get("Error", {}).get("Code", "unknown"))
    message = str(answer.get("Error", {}).get("Message", "")) or "no reason given"
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    server = 500  # and above: the vendor's own trouble
    passing = code in PASSING or status >= server or status == 429  # noqa: PLR2004
    return MonitorError(f"{what}: {code}: {message}", permanent=not passing)


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
