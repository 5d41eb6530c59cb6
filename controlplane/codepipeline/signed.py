"""Who asks: the holder of the access key that signed. A signature that moves something counts once."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.codepipeline import scope, sigv4
from controlplane.codepipeline.asking import Desk
from controlplane.codepipeline.faults import WireError
from controlplane.store import access_keys, seen, tokens
from controlplane.store.grants import may, may_somewhere, refusal
from controlplane.store.roles import Permission
from controlplane.store.sealing import SealError
from controlplane.store.tokens import Holder

log = logging.getLogger(__name__)
KEPT = 2 * sigv4.SKEW + 60
"""Seconds for which a signature is remembered: from the earliest to the last moment at which it is taken."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key it is, and what the request says it was signed as. account: the AWS one he counts as."""

    holder: Holder
    secret: str
    signed: sigv4.Signed
    account: str = ""


def announce(desk: Desk, headers: Mapping[str, str]) -> Caller:
    """Find who claims to have signed, before a byte of the body is read; WireError for nobody we know."""
    signed = sigv4.read(headers)
    now = desk.clock().timestamp()
    sigv4.check_time(signed, now)
    try:
        with desk.database.read() as connection:
            found = access_keys.find(connection, signed.key_id, now, desk.secret)
    except SealError as error:
        log.error("access key %s: %s", signed.key_id, error)  # noqa: TRY400 - it says all there is
        found = None
    if found is None:
        said = "The security token included in the request is invalid."
        raise WireError("UnrecognizedClientException", said)
    return Caller(found.holder, found.secret, signed, found.account)


def check(desk: Desk, caller: Caller, headers: Mapping[str, str], path: str, body: bytes) -> None:
    """Raise WireError unless the key's holder signed exactly this."""
    sigv4.check(caller.signed, headers, path, body, caller.secret)
    tokens.touch(desk.database, caller.holder, desk.clock().timestamp())


def authorize(caller: Caller, operation: str, needed: Permission) -> None:
    """Raise AccessDeniedException where the key may nowhere do that, before the input is read."""
    if not may_somewhere(caller.holder.grants, needed):
        raise denied(caller, operation, refusal(caller.holder.grants, needed))


def authorize_there(
    desk: Desk, caller: Caller, operation: str, needed: Permission, given: Mapping[str, Any]
) -> None:
    """Raise AccessDeniedException where the key's grants do not reach what the input names."""
    grants = caller.holder.grants
    if may(grants, needed) or operation in scope.ANYWHERE:
        return
    place = scope.of(desk, operation, given)
    if not may(grants, needed, *place, desk.goes):
        raise denied(caller, operation, refusal(grants, needed, *place, desk.goes))


def denied(caller: Caller, operation: str, because: str) -> WireError:
    """Say so as AWS does."""
    who = f"User: {caller.holder.name} is not authorized to perform: codepipeline:{operation}"
    return WireError("AccessDeniedException", f"{who} because {because}")


def once(desk: Desk, caller: Caller) -> None:
    """Take a signature that moves something once; the database remembers, so every replica refuses it.

    SigV4 signs to the second, so an SDK that asks the same twice within one signs the same. Throttling
    is what SDKs wait for a moment after, and then sign anew: what was meant twice is done twice, and
    what somebody has recorded is never done again.
    """
    now = desk.clock().timestamp()
    with desk.database.begin() as connection:
        seen.forget(connection, "sigv4:", now - KEPT)
        first = seen.add(connection, f"sigv4:{caller.signed.signature}", now)
    if not first:
        said = "This signature was used already: sign the request again, a second later."
        raise WireError("ThrottlingException", said)
