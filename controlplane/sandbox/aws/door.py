"""The WSGI front: reads the call, checks the caller, hands it to moto (or to a fault), records it.

What moto does not do is answered with status 400 in the caller's protocol: clients do not retry
that, and a person can read it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

from moto.moto_server import werkzeug_app
from werkzeug.wrappers import Response

from controlplane.sandbox.aws import auth, calls, clock, control, fault_calls, faults, recorder
from controlplane.sandbox.aws.calls import Call
from controlplane.sandbox.aws.fault_calls import App
from controlplane.sandbox.aws.fault_data import FAULTS
from controlplane.sandbox.aws.faults import Refusal
from controlplane.sandbox.aws.identity import Caller
from controlplane.sandbox.aws.recorder import Happened
from controlplane.sandbox.aws.sts import CALLER
from controlplane.sandbox.faults.in_force import InForce

StartResponse = Callable[..., Any]
BAD_REQUEST, SERVER_ERROR = 400, 500
UNREAD = Call("s3", "", "rest-xml", "", "", "")
"""What a request is until it could be read."""

_log = logging.getLogger(__name__)


class Door:
    """The whole sandbox as one WSGI application."""

    def __init__(self) -> None:
        # moto's answers would let every page of a browser read them.
        werkzeug_app.DISABLE_GLOBAL_CORS = True
        self.moto = werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if str(environ.get("PATH_INFO", "")).startswith(control.PREFIX):
            status, body = control.reply(environ)
            return Response(body, status, content_type="application/json")(environ, start)
        return self._answer(environ)(environ, start)

    def _answer(self, environ: dict[str, Any]) -> App:
        at, call, caller = clock.now(), UNREAD, auth.ANONYMOUS
        hit: InForce | None = None
        answer, effect = Response(), False
        befell: list[str] = []
        environ[FAULTS] = befell
        try:
            call = calls.read(environ)
            caller = auth.authenticate(call, environ)
            hit = fault_calls.choose(call, caller)
            fault_calls.refuse(hit, call, caller)
            if not fault_calls.is_lost(hit):
                answer = self._through(call, caller, environ)
                effect = answer.status_code < BAD_REQUEST
        except Refusal as refusal:
            answer = _refuse(call, refusal, environ)
        code = answer.headers.pop("x-towpath-error", "")
        status = answer.status_code if fault_calls.is_heard(hit) else 0
        fault = hit.rule.fault if hit else "".join(befell)
        # Before the caller hears, or waits for, anything: it is true from now on.
        happened = Happened(status, code, effect, fault)
        recorder.note(at, call, caller.account, caller.arn, happened)
        return fault_calls.told(hit, answer)

    def _through(self, call: Call, caller: Caller, environ: dict[str, Any]) -> Response:
        if not call.operation:
            raise Refusal("UnsupportedOperation", f"This is no operation of {call.service}.")
        if call.problem:
            raise Refusal("SerializationException", call.problem)
        auth.authorize(call, caller)
        environ[auth.FOR_SEEDING] = caller.account or "000000000000"
        environ[CALLER] = caller
        try:
            answer: Response = Response.from_app(self.moto, environ, buffered=True)
        except NotImplementedError as error:
            raise Refusal("UnsupportedOperation", _sentence(call, str(error))) from None
        except Exception as error:  # noqa: BLE001 moto raises anything; never a 500
            _log.exception("%s.%s failed in the sandbox", call.service, call.operation)
            sentence = f"The sandbox failed in {call.service}.{call.operation}: {error!r}"
            raise Refusal("SandboxFailure", sentence) from None
        return _checked(call, answer)


def _checked(call: Call, answer: Response) -> Response:
    """Let moto's answer pass, unless it is a page of its web framework."""
    failed = answer.status_code >= BAD_REQUEST and answer.mimetype == "text/html"
    if failed and call.service != "s3":
        raise Refusal("UnsupportedOperation", _sentence(call, ""))
    if answer.status_code >= SERVER_ERROR:
        raise Refusal("SandboxFailure", f"moto answered {answer.status_code}.")
    return answer


def _sentence(call: Call, why: str) -> str:
    text = f"The sandbox does not emulate {call.service}.{call.operation}."
    return f"{text} {why}".strip()


def _refuse(call: Call, refusal: Refusal, environ: Mapping[str, Any]) -> Response:
    status, headers, body = faults.render(call.service, call.protocol, call.operation, refusal)
    headers |= {"x-amzn-RequestId": str(uuid4()), "x-towpath-error": refusal.code}
    empty = environ.get("REQUEST_METHOD") == "HEAD"
    return Response(b"" if empty else body, status, headers)
