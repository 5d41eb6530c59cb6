"""CodePipeline's structure -> ours, and back: what a client leaves to CodePipeline is filled in.

An action without a region acts in the pipeline's, which is the one that the request was signed for. An
action acts in the account of its role, or of the pipeline's role, where one of that id is registered.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from controlplane.codepipeline.asking import Ask
from controlplane.codepipeline.faults import WireError
from controlplane.declarations.json_spelling import dumps
from controlplane.declarations.load import DeclarationError, load_text
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.provider import Need
from controlplane.declarations.providers import BY_ID
from controlplane.declarations.registered import Types, provider
from controlplane.engine.structures import current
from controlplane.store import action_types
from controlplane.store.secret_values import Definitions, SecretError, hidden, masked

ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/.+")
WORDS = ("beforeEntry", "onSuccess", "onFailure")
UNSAID = frozenset(
    {
        "blockers",
        "commands",
        "conditions",
        "environmentVariables",
        "files",
        "notifications",
        "outputVariables",
        "triggers",
        "variables",
    }
)
"""What CodePipeline does not write where it is empty (and notifications never)."""
PLACE = (
    ". Towpath acts in registered accounts: name one as `Account` in the action's configuration, "
    "or give the action or the pipeline a roleArn in the AWS account of one"
)
MOST = 10
"""Problems that one refusal tells."""


def read(ask: Ask, tree: Mapping[str, Any]) -> PipelineDeclaration:
    """Build a declaration that can run; InvalidStructureException names each path and the mend."""
    filled = copy.deepcopy(dict(tree))
    filled.pop("version", None)
    names = _names(ask)
    with ask.read() as connection:
        definitions = action_types.all_(connection)
    types = {id_: provider(id_, one) for id_, one in definitions.items()}
    for item in _items(filled):
        _fill(item, filled, names, ask.region, types)
    registered = list(names.values())
    text = json.dumps({"pipeline": filled})
    try:
        found = load_text(text, "pipeline", registered, ask.desk.clock(), types)
    except DeclarationError as error:
        raise WireError("InvalidStructureException", _said(error)) from error
    return _hidden(ask, found, definitions)


def _hidden(ask: Ask, found: PipelineDeclaration, definitions: Definitions) -> PipelineDeclaration:
    """Seal the secrets of registered action types; **** is what it was before."""
    try:
        with ask.read() as connection:
            before = current(connection, ask.desk.structures, found.name)
        return hidden(found, before, definitions, ask.desk.secret)
    except SecretError as error:
        raise WireError("InvalidStructureException", str(error)) from error


def _said(error: DeclarationError) -> str:
    said = "; ".join(f"{one.field}: {one.message}" for one in error.problems[:MOST])
    more = len(error.problems) - MOST
    said += f"; and {more} more" if more > 0 else ""
    homeless = any(one.field.endswith((".account", ".Account")) for one in error.problems)
    return said + (PLACE if homeless else "")


def write(ask: Ask, declaration: PipelineDeclaration, version: int) -> dict[str, Any]:
    """Write a structure as get-pipeline does; an account that its role says is not said again."""
    tree: dict[str, Any] = _without_unsaid(json.loads(dumps(declaration)))
    names = _names(ask)
    for item in _items(tree):
        given = item.get("configuration", {})
        given |= masked(given)
        if given.get("Account") and given["Account"] == _account(item, tree, names):
            del given["Account"]
    return {**tree, "version": version}


def _names(ask: Ask) -> Mapping[str, str]:
    return {account.id: account.name for account in ask.desk.registry.all()}


def _items(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every action, and every rule of every condition."""
    for stage in tree.get("stages", ()):
        yield from stage.get("actions", ())
        for word in WORDS:
            for condition in stage.get(word, {}).get("conditions", ()):
                yield from condition.get("rules", ())


def _fill(
    item: dict[str, Any],
    tree: Mapping[str, Any],
    names: Mapping[str, str],
    region: str,
    types: Types,
) -> None:
    kind = item.get("actionTypeId") or item.get("ruleTypeId") or {}
    id_ = (
        kind.get("category", ""),
        kind.get("owner", "AWS"),
        kind.get("provider", ""),
        kind.get("version", "1"),
    )
    known, account = BY_ID.get(id_), _account(item, tree, names)
    foreign = id_ in types and bool(account or "Account" in item.get("configuration", {}))
    if not foreign and (known is None or known.place is not Need.REQUIRED):
        return
    item.setdefault("region", region)
    if account:
        item.setdefault("configuration", {}).setdefault("Account", account)


def _account(item: Mapping[str, Any], tree: Mapping[str, Any], names: Mapping[str, str]) -> str:
    found = ROLE.fullmatch(item.get("roleArn") or tree.get("roleArn") or "")
    return names.get(found[1], "") if found else ""


def _without_unsaid(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k != "notifications" and (v or k not in UNSAID)}
        return {key: _without_unsaid(one) for key, one in kept.items()}
    return [_without_unsaid(one) for one in value] if isinstance(value, list) else value
