"""IAM's policy language: what one document says of one request. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
A condition that we do not know (its operator or its key) is satisfied in an Allow and not in a
Deny: the sandbox errs on the side of letting a call through, never of refusing one wrongly.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from controlplane.sandbox.aws.conditions import satisfied, wildcards

Document = Mapping[str, Any]


class Effect(StrEnum):
    """What the documents say: an explicit Deny wins over any Allow; NONE is silence."""

    ALLOW = "Allow"
    DENY = "Deny"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an action on a resource, by whom, under which condition keys.

    resource: an ARN; "*" where AWS knows no resource for the action (only Resource "*" matches);
      None where we do not know it (any Resource of an Allow matches, only "*" of a Deny).
    principals: every name under which a resource's policy may call the caller.
    context: condition keys in lower case; a key with None is known to be absent.
    """

    action: str
    resource: str | None = None
    principals: frozenset[str] = frozenset()
    context: Mapping[str, str | None] = field(default_factory=dict)


def parse(text: str | Document) -> Document:
    """Read a document as IAM keeps it (JSON); one that is no object says nothing."""
    document = json.loads(text) if isinstance(text, str) else text
    return document if isinstance(document, Mapping) else {}


def decide(documents: Iterable[Document], request: Request, *, of_resource: bool = False) -> Effect:
    """Answer what all documents together say of a request.

    of_resource: they are a resource's own (trust, bucket, queue); their Principal must match.
    """
    effect = Effect.NONE
    for document in documents:
        for statement in as_list(document.get("Statement")):
            if not _applies(statement, request, of_resource=of_resource):
                continue
            if statement.get("Effect") == Effect.DENY:
                return Effect.DENY
            effect = Effect.ALLOW
    return effect


def as_list(value: Any) -> list[Any]:
    """Answer IAM's one-or-many as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _applies(statement: Document, request: Request, *, of_resource: bool) -> bool:
    allows = statement.get("Effect") == Effect.ALLOW
    if of_resource and not _names_principal(statement, request.principals):
        return False
    return (
        _names_action(statement, request.action)
        and _names_resource(statement, request, allows=allows)
        and satisfied(statement.get("Condition") or {}, request.context, default=allows)
    )


def _names_action(statement: Document, action: str) -> bool:
    def named(key: str) -> bool:
        patterns = (str(text) for text in as_list(statement.get(key)))
        return any(wildcards(text, re.IGNORECASE).fullmatch(action) for text in patterns)

    return not named("NotAction") if "NotAction" in statement else named("Action")


def _names_resource(statement: Document, request: Request, *, allows: bool) -> bool:
    def named(key: str) -> bool:
        wanted = [_substituted(str(text), request.context) for text in as_list(statement.get(key))]
        if request.resource is None:
            return allows or "*" in wanted
        return any(wildcards(text).fullmatch(request.resource) for text in wanted)

    if "NotResource" in statement:
        return allows if request.resource is None else not named("NotResource")
    # Trust policies have no Resource: the role itself is meant.
    return named("Resource") if "Resource" in statement else True


def _substituted(text: str, context: Mapping[str, str | None]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda m: context.get(m[1].lower()) or m[0], text)


def _names_principal(statement: Document, principals: frozenset[str]) -> bool:
    def named(key: str) -> bool:
        given = statement.get(key)
        # Services and federated principals never call the sandbox themselves.
        names = as_list(given.get("AWS")) if isinstance(given, Mapping) else as_list(given)
        return not principals.isdisjoint(str(name) for name in names)

    if "NotPrincipal" in statement:
        return not named("NotPrincipal")
    return named("Principal")
