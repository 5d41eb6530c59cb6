"""The role that an action acts by at CodePipeline -> the registered account that it acts in here.

An action acts in the account of its own role, or else of the pipeline's.
https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Account
from controlplane.declarations.provider import Need
from controlplane.declarations.providers import BY_ID

ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/.+")
WORDS = ("beforeEntry", "onSuccess", "onFailure")
MEND = "say `account:` on the stage or the action"


TypeId = tuple[str, str, str, str]
"""Category, owner, provider, version."""


@dataclass(frozen=True, slots=True)
class Home:
    """name: of the registered account; "" where none can be told, and then why says it and the mend."""

    name: str = ""
    why: str = ""


class Homes:
    """The registered accounts, by their AWS ids."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self._by_id: dict[str, list[Account]] = {}
        for account in accounts:
            self._by_id.setdefault(account.id, []).append(account)

    def of(self, role: str | None, region: str | None = None) -> Home:
        """Answer where a role acts. region: the account must have it; None where it is not known."""
        found = ROLE.fullmatch(role or "")
        if found is None:
            return Home(why=MEND + (f"; it acted as {role}" if role else ""))
        named = self._by_id.get(found[1], [])
        if len(named) > 1:
            names = " and ".join(sorted(one.name for one in named))
            return Home(why=f"{MEND}: {names} are both AWS account {found[1]}, of {role}")
        if not named:
            return Home(why=f"register AWS account {found[1]}, or {MEND}; it acted as {role}")
        if region is not None and region not in named[0].regions:
            has = ", ".join(named[0].regions)
            return Home(
                why=f"account {named[0].name} has no region {region} (it has {has}): add it"
            )
        return Home(named[0].name)


def fill(
    tree: Mapping[str, Any],
    homes: Homes,
    region: str | None,
    types: Collection[TypeId] = frozenset(),
) -> None:
    """Say in a structure of CodePipeline's where each action and rule acts, where it is not said.

    region: the pipeline's own; None where nobody knows it. types: action types that somebody registered;
    their jobs need no account, but have one where it is told. What is not clear stays unsaid.
    """
    for item in items(tree):
        name = homes.of(role_of(item, tree)).name
        told = bool(name) or "Account" in item.get("configuration", {})
        if not (_acts(item) or (told and type_of(item) in types)):
            continue
        if region is not None:
            item.setdefault("region", region)
        if name:
            item.setdefault("configuration", {}).setdefault("Account", name)


def role_of(item: Mapping[str, Any], tree: Mapping[str, Any]) -> str | None:
    """Its own, or the pipeline's."""
    return item.get("roleArn") or tree.get("roleArn")


def items(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every action, and every rule of every condition."""
    for stage in tree.get("stages", ()):
        yield from stage.get("actions", ())
        for word in WORDS:
            for condition in (stage.get(word) or {}).get("conditions", ()):
                yield from condition.get("rules", ())


def type_of(item: Mapping[str, Any]) -> TypeId:
    """Answer the type id of an action or a rule, with CodePipeline's defaults."""
    kind = item.get("actionTypeId") or item.get("ruleTypeId") or {}
    owner, version = kind.get("owner", "AWS"), kind.get("version", "1")
    return kind.get("category", ""), owner, kind.get("provider", ""), version


def _acts(item: Mapping[str, Any]) -> bool:
    provider = BY_ID.get(type_of(item))
    return provider is not None and provider.place is Need.REQUIRED
