"""Who may do what: the caller must be known, the session alive, and every policy must allow it.

Signatures are not checked: the access key id alone says who calls (this listens on loopback).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Mapping
from typing import Any

from controlplane.sandbox.aws import clock, guests, identity, kms_keys
from controlplane.sandbox.aws.actions import FREE, action_of
from controlplane.sandbox.aws.calls import Call
from controlplane.sandbox.aws.faults import Refusal
from controlplane.sandbox.aws.identity import Caller
from controlplane.sandbox.aws.needs import Need, needs
from controlplane.sandbox.aws.policy import Effect, Request, decide

QUERY = ("ec2", "query", "rest-xml")
"""Protocols in which AWS says AccessDenied, where the others say AccessDeniedException."""

SKEW, SKEW_S3 = 5 * 60, 15 * 60
"""Seconds by which a signature's time may differ from AWS's clock."""

ANONYMOUS = Caller("", "anonymous", "anonymous")
FOR_SEEDING = "HTTP_X_MOTO_ACCOUNT_ID"


def authenticate(call: Call, environ: Mapping[str, Any]) -> Caller:
    """Answer who calls. Raises Refusal for unknown keys and for sessions that have expired."""
    seeding = str(environ.get(FOR_SEEDING, ""))
    if re.fullmatch(r"\d{12}", seeding):
        return identity.root(seeding)
    if not call.key:
        return ANONYMOUS
    caller = identity.find(call.key)
    if caller is None or (caller.session and caller.session.token != call.token):
        raise _unknown(call)
    if caller.session and caller.session.expires <= clock.now():
        raise expired(call)
    if not caller.root and _is_skewed(call):
        raise _skewed(call)
    return caller


def authorize(call: Call, caller: Caller) -> None:
    """Return where every permission that the call needs is given; raises Refusal otherwise."""
    if caller.root or action_of(call.service, call.operation) in FREE:
        return
    for need in needs(call, caller.account):
        _allow(call, caller, need)
        kms_keys.refuse_unusable(call, need.resource)


def context_of(caller: Caller, region: str) -> dict[str, str | None]:
    """Answer the condition keys that stand for every call of this caller."""
    source = caller.session.source_identity if caller.session else ""
    role = caller.session.role if caller.session else caller.arn
    known: dict[str, str | None] = {
        "aws:principalaccount": caller.account,
        "aws:principalarn": role,
        "aws:requestedregion": region,
        "aws:sourceidentity": source or None,
        "aws:userid": caller.user_id,
    }
    return known | {f"aws:principaltag/{name.lower()}": value for name, value in caller.tags}


def refused(call: Call, caller: Caller, need: Need, why: str) -> Refusal:
    """Build AWS's own sentence for a permission that is missing."""
    code = "AccessDenied" if call.protocol in QUERY else "AccessDeniedException"
    target = f" on resource: {need.resource}" if need.resource else ""
    return Refusal(
        code,
        f"User: {caller.arn} is not authorized to perform: {need.action}{target} {why}",
        403,
    )


def _allow(call: Call, caller: Caller, need: Need) -> None:
    request = Request(
        need.action, need.resource, caller.principals, context_of(caller, call.region)
    )
    by_identity = decide(caller.identity, request)
    by_session = decide(caller.session.policies, request) if caller.session else Effect.NONE
    by_resource, at_home = _of_resource(need, request, caller)
    for effect, kind in (
        (by_identity, "an identity-based"),
        (by_session, "a session"),
        (by_resource, "a resource-based"),
    ):
        if effect is Effect.DENY:
            raise refused(call, caller, need, f"with an explicit deny in {kind} policy")
    missing = _missing(caller, by_identity, by_session, by_resource, at_home=at_home)
    if missing:
        why = f"because no {missing} policy allows the {need.action} action"
        raise refused(call, caller, need, why)


def _missing(
    caller: Caller, by_identity: Effect, by_session: Effect, by_resource: Effect, *, at_home: bool
) -> str:
    if by_identity is Effect.NONE and not (at_home and by_resource is Effect.ALLOW):
        return "identity-based" if caller is not ANONYMOUS else "resource-based"
    if caller.session and caller.session.policies and by_session is Effect.NONE:
        return "session"
    # Another account's resource must let us in too.
    return "" if at_home or by_resource is Effect.ALLOW else "resource-based"


def _of_resource(need: Need, request: Request, caller: Caller) -> tuple[Effect, bool]:
    at_home = guests.owner(need.resource, caller.account) == caller.account
    documents = guests.documents(need.resource)
    if documents is None or (at_home and need.action.startswith("kms:")):
        # A kind of resource whose own policies we do not emulate, or a key that leaves it to its account's
        # policies, as keys do unless somebody took that out: the identity's word counts.
        return Effect.NONE, True
    anonymous = caller is ANONYMOUS
    return decide(documents, request, of_resource=True), at_home or anonymous


def _unknown(call: Call) -> Refusal:
    if call.service == "s3":
        sentence = "The AWS Access Key Id you provided does not exist in our records."
        return Refusal("InvalidAccessKeyId", sentence, 403)
    code = "InvalidClientTokenId" if call.protocol in QUERY else "UnrecognizedClientException"
    status = 403 if call.protocol in QUERY else 400
    return Refusal(code, "The security token included in the request is invalid.", status)


def expired(call: Call) -> Refusal:
    """Build AWS's answer to a session whose time is over."""
    if call.service == "s3":
        return Refusal("ExpiredToken", "The provided token has expired.", 400)
    sentence = "The security token included in the request is expired"
    if call.protocol in QUERY:
        return Refusal("ExpiredToken", sentence, 403)
    return Refusal("ExpiredTokenException", sentence, 400)


def _is_skewed(call: Call) -> bool:
    # Callers share the machine's clock, so their signatures are off by as much as AWS's clock is.
    return abs(clock.offset()) > (SKEW_S3 if call.service == "s3" else SKEW)


def _skewed(call: Call) -> Refusal:
    if call.service == "s3":
        sentence = "The difference between the request time and the current time is too large."
        return Refusal("RequestTimeTooSkewed", sentence, 403)
    when = "expired" if clock.offset() > 0 else "not yet current"
    sentence = f"Signature {when}: it is now {clock.now():%Y%m%dT%H%M%SZ} (5 min.)"
    if call.protocol in QUERY:
        return Refusal("SignatureDoesNotMatch", sentence, 403)
    return Refusal("InvalidSignatureException", sentence, 400)
