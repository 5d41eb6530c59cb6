"""Every hop that a pipeline will need, walked before it is needed: what is missing is named.

A hop is one read-only call as one role. The doctor, who knows the pipelines, makes the hops.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody

from accounts.base import AccountError, Clients
from accounts.codes import REFUSED
from accounts.errors import action_of, explain
from accounts.models import Purpose
from accounts.statements import TEMPLATE, granting

READING = ("batch_get_", "describe_", "get_", "head_", "list_")
"""What operations that change nothing are called; others are refused."""

Problem = tuple[str, str]
"""What is wrong, and the mend."""


@dataclass(frozen=True)
class Hop:
    """One read-only call as one role.

    operation: the client's method ("describe_alarms"); "" where assuming the role is the whole hop.
    statement: the Sid that grants it. why: what it is needed for ("read alarm shop-errors").
    check: judges the answer: None where it is well, else what is wrong and the mend.
    """

    account: str
    region: str
    purpose: Purpose
    service: str = "sts"
    operation: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    statement: str = ""
    why: str = ""
    check: Callable[[Mapping[str, Any]], Problem | None] | None = None


@dataclass(frozen=True)
class Finding:
    """How a hop went. blocked: it was not tried, because its role could not be assumed before."""

    ok: bool
    hop: Hop
    message: str
    mend: str = ""
    blocked: bool = False


def walk(clients: Clients, hops: Iterable[Hop]) -> list[Finding]:
    """Walk all hops in their order; answers a Finding for each, and raises nothing for a bad one.

    Where a role cannot be assumed, its later hops are reported as blocked and not tried.
    """
    refused: dict[tuple[str, Purpose], str] = {}
    return [_walked(clients, hop, refused) for hop in hops]


def _walked(clients: Clients, hop: Hop, refused: dict[tuple[str, Purpose], str]) -> Finding:
    role = (hop.account, hop.purpose)
    doing = hop.why or f"{hop.service} {hop.operation or 'assume'}"
    if role in refused:
        message = f"Not tried: {doing}, because the {hop.purpose} role of {hop.account} failed."
        return Finding(ok=False, hop=hop, message=message, mend=refused[role], blocked=True)
    if hop.operation and not hop.operation.startswith(READING):
        message = f"{hop.operation} is no reading call, so the preflight does not make it."
        return Finding(ok=False, hop=hop, message=message, mend="Walk a describe_ or get_ instead.")
    unknown = _unknown(clients, hop)
    if unknown:
        return Finding(ok=False, hop=hop, message=unknown, mend="Correct it, or register it.")
    try:
        client = clients.client(hop.service, hop.account, hop.region, hop.purpose)
    except AccountError as error:
        refused[role] = f"Mend the {hop.purpose} role of {hop.account} first."
        return Finding(ok=False, hop=hop, message=str(error), mend=_assume_mend(hop))
    return _called(client, hop, doing)


def _unknown(clients: Clients, hop: Hop) -> str:
    """Say that the account or its region is not registered; no role is to blame for that."""
    try:
        regions = clients.registry.get(hop.account).regions
    except AccountError as error:
        return str(error)
    if hop.region in regions:
        return ""
    return f"Account {hop.account} has no region {hop.region[:40]!r}, it has {', '.join(regions)}."


def _called(client: Any, hop: Hop, doing: str) -> Finding:
    if not hop.operation:
        return Finding(ok=True, hop=hop, message=f"{doing}: assumed")
    try:
        answer = getattr(client, hop.operation)(**hop.parameters)
    except (ClientError, BotoCoreError, AttributeError) as error:
        return _refusal(error, hop, f"{doing} in {hop.account}")
    _close(answer)
    problem = hop.check(answer) if hop.check else None
    if problem is not None:
        return Finding(ok=False, hop=hop, message=problem[0], mend=problem[1])
    return Finding(ok=True, hop=hop, message=f"{doing}: ok")


def _refusal(error: Exception, hop: Hop, what: str) -> Finding:
    explained = explain(error, what)
    if not isinstance(error, ClientError) or error.response["Error"].get("Code") not in REFUSED:
        return Finding(ok=False, hop=hop, message=str(explained), mend=_other_mend(explained))
    action = action_of(error)
    sid = hop.statement or " or ".join(granting(action, hop.purpose)) or "a statement"
    mend = f"Add {sid} ({action}{_resource(hop)}) of {TEMPLATE} to the {hop.purpose} role."
    return Finding(ok=False, hop=hop, message=str(explained), mend=mend)


def _assume_mend(hop: Hop) -> str:
    sid = granting("sts:AssumeRole")[0]
    return (
        f"Update the stack of {hop.account} from {TEMPLATE}: {sid} must name Towpath's own role "
        "and the account's external id, and Towpath's own role needs sts:AssumeRole on it."
    )


def _other_mend(explained: AccountError) -> str:
    return "Correct what the message names." if explained.permanent else "Try again in a minute."


def _resource(hop: Hop) -> str:
    """Name what the call was about, from its parameters of plain text."""
    named = [str(value) for value in hop.parameters.values() if isinstance(value, str)]
    return f" on {'/'.join(named)[:200]}" if named else ""


def _close(answer: Any) -> None:
    """Close a body that nobody reads; it would keep its connection."""
    body = answer.get("Body") if isinstance(answer, dict) else None
    if isinstance(body, StreamingBody):
        with closing(body):
            pass
