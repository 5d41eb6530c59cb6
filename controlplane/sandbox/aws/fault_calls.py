"""What befalls a call: chosen once the caller is known, before the service sees it.

A fault refuses it in AWS's words, loses it, or loses its answer. Where the connection is dropped the
sandbox writes nothing and closes the socket, as a broken network would.
"""

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from werkzeug.wrappers import Response

from controlplane.sandbox.aws import auth
from controlplane.sandbox.aws.actions import FREE, action_of
from controlplane.sandbox.aws.calls import Call
from controlplane.sandbox.aws.fault_desk import RULES
from controlplane.sandbox.aws.faults import Refusal
from controlplane.sandbox.aws.identity import Caller
from controlplane.sandbox.aws.needs import needs
from controlplane.sandbox.faults.in_force import InForce
from controlplane.sandbox.faults.kinds import CALL
from controlplane.sandbox.faults.rules import Place

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

THROTTLES: Mapping[str, tuple[str, int]] = {
    "cloudwatch": ("Throttling", 400),
    "ec2": ("RequestLimitExceeded", 503),
    "iam": ("Throttling", 400),
    "lambda": ("TooManyRequestsException", 429),
    "inspector2": ("ThrottlingException", 429),
    "resourcegroupstaggingapi": ("ThrottledException", 400),
    "s3": ("SlowDown", 503),
    "sns": ("Throttled", 429),
    "sqs": ("RequestThrottled", 400),
    "sts": ("Throttling", 400),
    "synthetics": ("TooManyRequestsException", 429),
}
"""By service, as botocore's models and the API references spell it; the others: see THROTTLE."""
THROTTLE = ("ThrottlingException", 400)
SERVER_ERRORS: Mapping[int, str] = {
    500: "InternalFailure",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}
REVOKED = "with an explicit deny in an identity-based policy"
WITHOUT_ANSWER = ("timeout_before", "timeout_after")


def choose(call: Call, caller: Caller) -> InForce | None:
    """Answer the fault that hits this call, None where none does."""
    if caller.root:
        return None

    def fits(each: InForce) -> bool:
        return _fits(each, call, caller)

    return RULES.take_of(CALL, place_of(call, caller), fits)


def place_of(call: Call, caller: Caller) -> Place:
    """Say where a call acts: an AssumeRole in the account of its role, all else in the caller's."""
    parts = str(call.parameters.get("RoleArn", "")).split(":")
    role = call.operation == "AssumeRole" and len(parts) > 4  # noqa: PLR2004 the account's place
    account = parts[4] if role else caller.account
    return Place(call.service, call.operation, account, call.region)


def refuse(hit: InForce | None, call: Call, caller: Caller) -> None:
    """Raise the Refusal of a fault that is one."""
    if hit is not None and hit.rule.fault in REFUSALS:
        raise REFUSALS[hit.rule.fault](hit, call, caller)


def is_lost(hit: InForce | None) -> bool:
    """Whether the call never reaches its service."""
    return hit is not None and hit.rule.fault == "timeout_before"


def is_heard(hit: InForce | None) -> bool:
    """Whether the caller gets an answer, be it in part."""
    return hit is None or hit.rule.fault not in WITHOUT_ANSWER


def told(hit: InForce | None, answer: Response) -> App:
    """Turn a service's answer into what the caller gets of it."""
    if hit is not None and hit.rule.fault == "truncated":
        return _Torn(answer)
    return answer if hit is None or is_heard(hit) else _Silence(hit)


class _Silence:
    """Keeps the caller waiting, then hangs up without a word."""

    def __init__(self, hit: InForce) -> None:
        self._hit = hit

    def __call__(self, environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
        self._hit.gone.wait(float(self._hit.rule.options["seconds"]))
        raise _hung_up(environ)


class _Torn:
    """Promises the whole body, and breaks off in its middle."""

    def __init__(self, answer: Response) -> None:
        self._answer = answer

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = self._answer.get_data()
        if not body or environ.get("REQUEST_METHOD") == "HEAD":
            raise _hung_up(environ)
        self._answer.headers["Content-Length"] = str(len(body))
        start(self._answer.status, list(self._answer.headers))
        return self._half(body, environ)

    def _half(self, body: bytes, environ: dict[str, Any]) -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise _hung_up(environ)


def _hung_up(environ: Mapping[str, Any]) -> ConnectionError:
    """Close the connection; the error tells werkzeug that nobody is there any more."""
    connection: socket.socket = environ["werkzeug.socket"]
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return ConnectionAbortedError("the caller had gone already")
    return ConnectionAbortedError("hung up, by a fault")


def _fits(each: InForce, call: Call, caller: Caller) -> bool:
    free = action_of(call.service, call.operation) in FREE
    if each.rule.fault == "revoked_credentials":
        return not free and caller.session is not None and caller.session.issued <= each.since
    if each.rule.fault == "expired_credentials":
        return caller.session is not None
    return not (free and each.rule.fault == "access_denied")


def _throttled(hit: InForce, call: Call, _caller: Caller) -> Refusal:
    code, status = THROTTLES.get(call.service, THROTTLE)
    after = {"Retry-After": f"{hit.rule.options['retry_after']:g}"}
    said = "Please reduce your request rate." if call.service == "s3" else "Rate exceeded"
    return Refusal(code, said, status, after)


def _failed(hit: InForce, call: Call, _caller: Caller) -> Refusal:
    status = int(hit.rule.options["status"])
    code = SERVER_ERRORS[status]
    if (call.service, status) == ("s3", 500):
        code = "InternalError"
    return Refusal(code, "We encountered an internal error. Please try again.", status)


def _expired(_hit: InForce, call: Call, _caller: Caller) -> Refusal:
    return auth.expired(call)


def _revoked(_hit: InForce, call: Call, caller: Caller) -> Refusal:
    return auth.refused(call, caller, needs(call, caller.account)[0], REVOKED)


def _denied(_hit: InForce, call: Call, caller: Caller) -> Refusal:
    need = needs(call, caller.account)[0]
    why = f"because no identity-based policy allows the {need.action} action"
    return auth.refused(call, caller, need, why)


REFUSALS: Mapping[str, Callable[[InForce, Call, Caller], Refusal]] = {
    "throttle": _throttled,
    "server_error": _failed,
    "expired_credentials": _expired,
    "revoked_credentials": _revoked,
    "access_denied": _denied,
}
"""The faults that are an answer of AWS's."""
