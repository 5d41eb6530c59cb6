"""Decisions that are signed by an IAM principal: the signature is the authentication, no token is asked for."""

import logging
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import StringConstraints, ValidationError

from controlplane.api.inputs import NAME, NAME_OR_NONE, Body
from controlplane.api.parts import GivenParts, Parts
from controlplane.api.problems import problem
from controlplane.engine.refusals import Person
from controlplane.iam.base import Decision, IamError, principal
from controlplane.iam.presigned import MAX_AGE, SKEW
from controlplane.settings import IamApprover
from controlplane.store import seen

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)
MOST = 16_384
PREFIX = "iam-approval:"
KEPT = MAX_AGE + 2 * SKEW


class SignedBody(Body):
    """What was decided, as it was signed, and the signed URL."""

    execution: Annotated[str, StringConstraints(pattern=NAME)]
    stage: Annotated[str, StringConstraints(pattern=NAME)]
    action: Annotated[str, StringConstraints(pattern=NAME_OR_NONE)] = ""
    result: Literal["Approved", "Rejected"]
    summary: Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00]*$")] = ""
    evidence: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    nonce: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
    url: Annotated[str, StringConstraints(max_length=8_192)]

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
    if parts.iam is None or not parts.settings.iam_approvers:
        return problem(404, "No IAM principal may approve here: set TOWPATH_IAM_APPROVERS.")
    try:
        said = SignedBody.model_validate_json(body)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, one["loc"])) or "all of it" for one in error.errors())
        return problem(422, f"The decision is not understood, nothing was changed: see {fields}.")
    decision = said.decision()
    try:
        caller = parts.iam.caller(said.url, decision)
    except IamError as error:
        return problem(503 if error.away else 401, f"Nothing was changed: {error}.")
    arn = principal(caller.arn)
    known = parts.settings.iam_approvers.get(arn)
    if known is None:
        log.warning("%s signed a decision on %s, and is no approver", arn, decision.execution)
        return problem(403, f"{arn} is not in TOWPATH_IAM_APPROVERS: nothing was changed.")
    if not _first(parts, caller.signature):
        return problem(409, "This signature was used already: nothing was changed. Sign it again.")
    _decide(parts, decision, known, arn)
    return Response(status_code=204)


def _first(parts: Parts, signature: str) -> bool:
    """The database remembers, so that every replica refuses it a second time."""
    now = parts.now()
    with parts.database.begin() as connection:
        seen.forget(connection, PREFIX, now - KEPT)
        return seen.add(connection, f"{PREFIX}{signature}", now)


def _decide(parts: Parts, decision: Decision, known: IamApprover, arn: str) -> None:
    parts.commands.decide_approval(
        decision.execution,
        decision.stage,
        decision.action,
        Person(known.name, "iam", f"iam:{arn}", frozenset(known.groups)),
        approve=decision.verdict == "Approved",
        summary=decision.comment,
        evidence=decision.evidence,
    )
