"""HTTP in front: POST / of CodePipeline's JSON 1.1 protocol, and the URLs of webhooks.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from controlplane.codepipeline import inputs, intake, outputs, shapes, signed
from controlplane.codepipeline.asking import Ask, Desk
from controlplane.codepipeline.faults import WireError
from controlplane.codepipeline.operations import OPERATIONS
from controlplane.engine.refusals import Person
from controlplane.engine.structures import BrokenStructureError
from controlplane.store import condition
from controlplane.store.grants import seen_by
from controlplane.store.roles import Permission

log = logging.getLogger(__name__)
TARGET = "CodePipeline_20150709."
KIND = "application/x-amz-json-1.1"
AGAIN = "1000"
"""Milliseconds after which an SDK signs anew: another second, so another signature."""
MAX_BODY = 300 * 1024
"""Bytes: the longest structure, and what stands around it."""


def create_door(desk: Desk) -> APIRouter:
    """Make the routes; what they answer is CodePipeline's, refusals included."""
    router = APIRouter(include_in_schema=False)

    @router.post("/")
    async def asked(request: Request) -> Response:
        headers = _headers(request)
        try:
            caller = await run_in_threadpool(_guarded, signed.announce, desk, headers)
            _refuse_query(request)
            body = await _body(request, MAX_BODY)
            answer = await run_in_threadpool(_guarded, _answer, desk, caller, headers, body)
        except WireError as fault:
            return _response({"__type": fault.code, "message": str(fault)}, fault.status)
        return _response(answer, 200)

    @router.post("/webhooks/{path}")
    async def told(path: str, request: Request) -> Response:
        try:
            body = await _body(request, intake.MAX_BODY)
        except WireError as fault:
            return Response(str(fault), fault.status, media_type="text/plain")
        peer = request.client.host if request.client else ""
        delivery = intake.Delivery(path, dict(request.headers), body, peer)
        status, said = await run_in_threadpool(intake.take, desk, delivery)
        return Response(said, status, media_type="text/plain")

    return router


def _answer(
    desk: Desk, caller: signed.Caller, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """Authenticate, authorise, read, do; in this order."""
    signed.check(desk, caller, headers, "/", body)
    target = headers.get("x-amz-target", "")
    name = target.removeprefix(TARGET)
    if name == target or name not in OPERATIONS:
        raise WireError("UnknownOperationException", f"X-Amz-Target must be {TARGET}<an operation>")
    needed, handler = OPERATIONS[name]
    signed.authorize(caller, name, needed)
    shape = shapes.operation(name)
    given = inputs.check(shape.input_shape, _parsed(body))
    signed.authorize_there(desk, caller, name, needed, given)
    if needed is not Permission.READ:
        signed.once(desk, caller)
    holder = caller.holder
    person = Person(holder.name, "codepipeline", holder.person, holder.groups)
    now, seen = desk.clock().timestamp(), seen_by(holder.grants)
    ask = Ask(desk, person, caller.signed.region, now, given, seen, caller.account)
    return outputs.build(shape.output_shape, handler(ask))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise WireError(
            "SerializationException", "The body is not JSON that can be read."
        ) from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _guarded(work: Any, desk: Desk, *more: Any) -> Any:
    """What is no fault of whoever asked becomes AWS's word for it, and goes to the log."""
    try:
        return work(desk, *more)
    except IntegrityError as error:
        said = "Somebody changed the same at this moment: ask again."
        raise WireError("ConcurrentModificationException", said) from error
    except SQLAlchemyError as error:
        if condition.fault_of(error) is None:
            log.exception("a request of CodePipeline's API failed in the database")
            raise _internal() from error
        said = condition.sentence(error, desk.database.engine.url)
        raise WireError("ServiceUnavailableException", said, 503) from error
    except BrokenStructureError as error:
        raise WireError("InternalFailure", str(error), 500) from error
    except WireError:
        raise
    except Exception as error:
        log.exception("a request of CodePipeline's API failed")
        raise _internal() from error


def _internal() -> WireError:
    return WireError("InternalFailure", "This is a fault of Towpath's; its log has the cause.", 500)


def _refuse_query(request: Request) -> None:
    """No operation has one, and so nobody has signed one."""
    if request.url.query:
        raise WireError("InvalidSignatureException", "Sign a POST to / without a query.")


def _headers(request: Request) -> dict[str, str]:
    """By lower-case name; one that was sent twice is one list, as it is signed and as HTTP has it."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


async def _body(request: Request, most: int) -> bytes:
    """Read no more than the most."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise WireError(
                "RequestEntityTooLargeException", f"The body is over {most} bytes.", 413
            )
    return body


def _response(document: Mapping[str, Any], status: int) -> Response:
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if document.get("__type") == "ThrottlingException":
        headers["x-amz-retry-after"] = AGAIN
    return Response(text, status, headers, media_type=KIND)
