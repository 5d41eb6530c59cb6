"""Which action and rule types are run: ListActionTypes, ListRuleTypes."""

from collections.abc import Mapping
from typing import Any

from controlplane.codepipeline import pages
from controlplane.codepipeline.action_types import listed
from controlplane.codepipeline.asking import Answer, Ask
from controlplane.declarations.keys import Kind
from controlplane.declarations.provider import Provider
from controlplane.declarations.providers import ACTIONS
from controlplane.declarations.rule_providers import RULES
from controlplane.store import action_types

NUMBERS = (Kind.INTEGER, Kind.NUMBER)


def list_actions(ask: Ask) -> Answer:
    """Answer every action type: CodePipeline's own, Towpath's (of owner Custom), and those registered.

    A type is one in every region that an account of ours has; of any other there is none.
    """
    pages.after(ask.given, "actionTypes")  # all are on the first page
    owner, region = ask.given.get("actionOwnerFilter"), ask.given.get("regionFilter")
    known = {name for account in ask.desk.registry.all() for name in account.regions}
    if region is not None and region not in {*known, ask.region}:
        return {"actionTypes": []}
    with ask.read() as connection:
        registered = action_types.all_(connection)
    found = [_action(one) for one in ACTIONS]
    found += [listed(id_, definition) for id_, definition in registered.items()]
    return {"actionTypes": [one for one in found if owner in (None, one["id"]["owner"])]}


def list_rules(ask: Ask) -> Answer:
    """Answer every rule type that Towpath runs."""
    owner = ask.given.get("ruleOwnerFilter")
    return {"ruleTypes": [_rule(one) for one in RULES if owner in (None, one.owner)]}


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
