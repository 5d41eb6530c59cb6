"""May this caller assume that role? The role's trust policy and its limits decide.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import json
from collections.abc import Mapping
from typing import Any

from controlplane.sandbox.aws.auth import context_of
from controlplane.sandbox.aws.identity import Caller
from controlplane.sandbox.aws.policy import Effect, Request, decide, parse

CHAINED_LIMIT = 3600
"""Seconds that a session may last which was assumed from another session."""

DEFAULT_SECONDS = 3600


def actions(parameters: Mapping[str, Any]) -> list[str]:
    """Answer the actions that the caller and the role's trust policy must both allow."""
    wanted = ["sts:AssumeRole"]
    if parameters.get("Tags"):
        wanted.append("sts:TagSession")
    if parameters.get("SourceIdentity"):
        wanted.append("sts:SetSourceIdentity")
    return wanted


def context(caller: Caller, parameters: Mapping[str, Any], region: str) -> dict[str, str | None]:
    """Answer the condition keys of an AssumeRole call; an ExternalId that is missing is absent."""
    tags = {
        f"aws:requesttag/{tag['Key'].lower()}": tag["Value"] for tag in parameters.get("Tags") or ()
    }
    return {
        **context_of(caller, region),
        "sts:externalid": parameters.get("ExternalId"),
        "sts:rolesessionname": parameters.get("RoleSessionName"),
        "sts:sourceidentity": parameters.get("SourceIdentity"),
        **tags,
    }


def refused_by_trust(
    document: str, caller: Caller, parameters: Mapping[str, Any], region: str
) -> str:
    """Answer the first action that the trust policy refuses this caller, "" if none."""
    known = context(caller, parameters, region)
    for action in actions(parameters):
        request = Request(action, None, caller.principals, known)
        if decide([parse(document)], request, of_resource=True) is not Effect.ALLOW:
            return action
    return ""


def wrong_duration(caller: Caller, seconds: int, longest: int) -> str:
    """Answer what is wrong with a session of so many seconds, "" if nothing."""
    if caller.session and seconds > CHAINED_LIMIT:
        return (
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining"
        )
    if seconds > longest:
        return "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    return "" if seconds >= SHORTEST else SHORT.format(seconds)


SHORTEST = 900
SHORT = (
    "1 validation error detected: Value '{}' at 'durationSeconds' failed to satisfy constraint: "
    "Member must have value greater than or equal to 900"
)


def wrong_policy(text: str) -> str:
    """Answer what is wrong with a session policy, "" if nothing."""
    if len(text) > MAX_POLICY:
        return "1 validation error detected: 'policy' must have length less than or equal to 2048"
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "This policy contains invalid Json"
    ok = isinstance(document, dict) and "Statement" in document
    return "" if ok else "Syntax errors in policy."


MAX_POLICY = 2048
