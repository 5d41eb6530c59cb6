"""Decisions that are signed by an IAM principal: the signature is the authentication, no token is asked for."""

import logging
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import StringConstraints, ValidationError, model_validator

from controlplane.api.inputs import NAME, NAME_OR_NONE, Body
from controlplane.api.parts import GivenParts, Parts
from controlplane.api.problems import problem
from controlplane.engine.refusals import Person
from controlplane.iam import approvers
from controlplane.iam.approvers import Approver
from controlplane.iam.base import Caller, Decision, IamError
from controlplane.iam.presigned import MAX_AGE, SKEW
from controlplane.store import executions, grants, seen
from controlplane.store.roles import Permission

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
MOST = 16_384
PREFIX = "iam-approval:"
KEPT = MAX_AGE + 2 * SKEW


class SignedBody(Body):
    """What was decided, as it was signed, and the signed URL; or the token whose audience it is.

    A token is of what was looked at and where: with one, pipeline and evidence are needed.
    """

    execution: Annotated[str, StringConstraints(pattern=NAME)]
    stage: Annotated[str, StringConstraints(pattern=NAME)]
    action: Annotated[str, StringConstraints(pattern=NAME_OR_NONE)] = ""
    result: Literal["Approved", "Rejected"]
    summary: Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00]*$")] = ""
    evidence: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    nonce: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
    url: Annotated[str, StringConstraints(max_length=8_192)] = ""
    token: Annotated[str, StringConstraints(max_length=8_192)] = ""
    pipeline: Annotated[str, StringConstraints(pattern=NAME_OR_NONE)] = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.url) is bool(self.token):
            raise ValueError("give url, or token, and not both")
        if self.token and not (self.pipeline and self.evidence):
            raise ValueError("with a token give pipeline and evidence")
        return self

    def decision(self) -> Decision:
        """What the signature must be of."""
        return Decision(
            self.execution, self.stage, self.action, self.result, self.evidence, self.summary,
            self.nonce,
        )  # fmt: skip


@router.post("/iam-approvals")
async def decide(request: Request, parts: GivenParts) -> Response:
    """Approve or reject as whoever AWS says has signed it."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST:
            return problem(413, f"The body is over {MOST} bytes.")
    return await run_in_threadpool(_handle, parts, body)


def _handle(parts: Parts, body: bytes) -> Response:
    if not parts.settings.iam_approvers:
        return problem(404, "No IAM principal may approve here: set TOWPATH_IAM_APPROVERS.")
    try:
        said = SignedBody.model_validate_json(body)
        caller = _caller(parts, said)
    except ValidationError as error:
        return problem(422, f"The decision is not understood, nothing was changed: {_why(error)}.")
    except IamError as error:
        return problem(503 if error.away else 401, f"Nothing was changed: {error}.")
    refusal = _done(parts, said, caller)
    return Response(status_code=204) if refusal is None else refusal


def _done(parts: Parts, said: SignedBody, caller: Caller) -> Response | None:
    """Decide in the name of whoever has signed; answers why not."""
    known = approvers.of(parts.settings.iam_approvers, caller)
    if known is None:
        log.warning("%s signed a decision on %s, and is no approver", caller.arn, said.execution)
        return problem(403, _stranger(caller))
    if not _first(parts, caller.signature):
        return problem(409, "This signature was used already: nothing was changed. Sign it again.")
    refusal = _refusal(parts, said, known)
    if refusal is None:
        _decide(parts, said.decision(), known)
    return refusal


def _why(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'all of it'}: {one['msg']}"
        for one in error.errors(include_input=False, include_url=False)
    )[:500]


def _caller(parts: Parts, said: SignedBody) -> Caller:
    decision = said.decision()
    if said.token and parts.iam_tokens is not None:
        return parts.iam_tokens.caller(said.token, decision, said.pipeline)
    if said.url and parts.iam is not None:
        return parts.iam.caller(said.url, decision)
    raise IamError("this process asks nobody who has signed: approve by another door", away=True)


def _stranger(caller: Caller) -> str:
    tags = "" if caller.tags or caller.asked else " (one that asks for tags needs a token)"
    return f"Nothing in TOWPATH_IAM_APPROVERS fits {caller.arn}{tags}: nothing was changed."


def _refusal(parts: Parts, said: SignedBody, known: Approver) -> Response | None:
    """Where that is another pipeline than was signed for, or the approver may not decide there."""
    with parts.database.read() as connection:
        execution = executions.by_id(connection, said.execution)
    if execution is None:
        return problem(404, "There is no such execution: nothing was changed.")
    if said.pipeline not in ("", execution.pipeline):
        wanted = f"{said.execution} is not of pipeline {said.pipeline}"
        return problem(409, f"{wanted}, which was signed for: nothing was changed.")
    place = (Permission.APPROVE, execution.pipeline, said.stage, parts.goes)
    if grants.may(known.grants, *place):
        return None
    why = grants.refusal(known.grants, *place)
    parts.commands.refuse_approval(
        said.execution,
        _person(known),
        said.stage,
        said.action,
        approve=said.result == "Approved",
        why=why,
    )
    return problem(403, f"{known.arn}: {why} Nothing was changed.")


def _first(parts: Parts, signature: str) -> bool:
    """The database remembers, so that every replica refuses it a second time."""
    now = parts.now()
    with parts.database.begin() as connection:
        seen.forget(connection, PREFIX, now - KEPT)
        return seen.add(connection, f"{PREFIX}{signature}", now)


def _decide(parts: Parts, decision: Decision, known: Approver) -> None:
    parts.commands.decide_approval(
        decision.execution,
        decision.stage,
        decision.action,
        _person(known),
        approve=decision.verdict == "Approved",
        summary=decision.comment,
        evidence=decision.evidence,
    )


def _person(known: Approver) -> Person:
    return Person(known.name, "iam", f"iam:{known.arn}", known.groups)
