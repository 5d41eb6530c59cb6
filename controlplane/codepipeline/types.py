"""Which action and rule types are run: ListActionTypes, ListRuleTypes, GetActionType."""

from collections.abc import Mapping
from typing import Any

from controlplane.codepipeline import pages
from controlplane.codepipeline.asking import Answer, Ask
from controlplane.codepipeline.faults import WireError
from controlplane.declarations.keys import Kind
from controlplane.declarations.provider import Provider
from controlplane.declarations.providers import ACTIONS, RULES

NUMBERS = (Kind.INTEGER, Kind.NUMBER)


def list_actions(ask: Ask) -> Answer:
    """Answer every action type that Towpath runs: CodePipeline's own and its own, of owner Custom."""
    pages.after(ask.given, "actionTypes")  # all are on the first page
    owner = ask.given.get("actionOwnerFilter")
    return {"actionTypes": [_action(one) for one in ACTIONS if owner in (None, one.owner)]}


def list_rules(ask: Ask) -> Answer:
    """Answer every rule type that Towpath runs."""
    owner = ask.given.get("ruleOwnerFilter")
    return {"ruleTypes": [_rule(one) for one in RULES if owner in (None, one.owner)]}


def get_action(ask: Ask) -> Answer:
    """Refuse: only types with an executor of their own can be got, and Towpath has none of those yet."""
    id_ = tuple(ask.given[word] for word in ("category", "owner", "provider", "version"))
    known = any(one.id == id_ for one in ACTIONS)
    why = "it has no executor: Towpath runs it itself" if known else "there is no such action type"
    raise WireError("ActionTypeNotFoundException", f"{'/'.join(id_)}: {why}")


def _action(one: Provider) -> dict[str, Any]:
    return {
        "id": _id(one),
        "actionConfigurationProperties": _properties(one),
        "inputArtifactDetails": _counts(one.inputs),
        "outputArtifactDetails": _counts(one.outputs),
    }


def _rule(one: Provider) -> dict[str, Any]:
    return {
        "id": _id(one),
        "ruleConfigurationProperties": _properties(one),
        "inputArtifactDetails": _counts(one.inputs),
    }


def _id(one: Provider) -> Mapping[str, str]:
    words = ("category", "owner", "provider", "version")
    return dict(zip(words, one.id, strict=True))


def _properties(one: Provider) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "required": key.required,
            "key": False,
            "secret": False,
            "description": key.about,
            "type": _kind(key.kind),
        }
        for name, key in one.keys.items()
    ]


def _kind(kind: Kind) -> str:
    if kind is Kind.BOOLEAN:
        return "Boolean"
    return "Number" if kind in NUMBERS else "String"


def _counts(bounds: tuple[int, int]) -> Mapping[str, int]:
    return {"minimumCount": bounds[0], "maximumCount": bounds[1]}
