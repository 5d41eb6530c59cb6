"""CodePipeline's structure -> ours, and back: what a client leaves to CodePipeline is filled in.

An action without a region acts in the pipeline's, which is the one that the request was signed for. An
action acts in the account of its role, or of the pipeline's role, where one of that id is registered.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any

from controlplane.codepipeline.asking import Ask
from controlplane.codepipeline.faults import WireError
from controlplane.declarations.homes import Homes, fill, items, role_of
from controlplane.declarations.json_spelling import dumps
from controlplane.declarations.load import DeclarationError, field_name, load_text
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.registered import provider, refused
from controlplane.engine.structures import current
from controlplane.store import action_types
from controlplane.store.secret_values import Definitions, SecretError, hidden, masked

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
    with ask.read() as connection:
        definitions = action_types.all_(connection)
    types = {id_: provider(id_, one) for id_, one in definitions.items()}
    fill(filled, Homes(ask.desk.registry.all()), ask.region, frozenset(types))
    registered = [account.name for account in ask.desk.registry.all()]
    text = json.dumps({"pipeline": filled})
    try:
        found = load_text(text, "pipeline", registered, ask.desk.clock(), types)
    except DeclarationError as error:
        raise WireError("InvalidStructureException", _said(error)) from error
    _refuse_types(ask, found, definitions)
    return _completed(ask, found, definitions)


def _refuse_types(ask: Ask, found: PipelineDeclaration, definitions: Definitions) -> None:
    """Raise InvalidActionDeclarationException for a type that is not for the account of its action."""
    homes = {account.name: account.id for account in ask.desk.registry.all()}
    wrong = refused(found, definitions, homes)
    if wrong:
        data = {"stages": found.model_dump(mode="json", by_alias=True)["stages"]}
        said = "; ".join(f"{field_name(one.path, data)}: {one.message}" for one in wrong[:MOST])
        raise WireError("InvalidActionDeclarationException", said)


def _completed(
    ask: Ask, found: PipelineDeclaration, definitions: Definitions
) -> PipelineDeclaration:
    """Seal the secrets of registered action types: **** is what it was before. And whoever is told stays told.

    Notifications are no part of CodePipeline's structure, so a client can neither see nor send them.
    """
    with ask.read() as connection:
        before = current(connection, ask.desk.structures, found.name)
    if before is not None:
        found = found.model_copy(update={"notifications": before.notifications})
    try:
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
    homes = Homes(ask.desk.registry.all())
    for item in items(tree):
        given = item.get("configuration", {})
        given |= masked(given)
        if given.get("Account") and given["Account"] == homes.of(role_of(item, tree)).name:
            del given["Account"]
    return {**tree, "version": version}


def _without_unsaid(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k != "notifications" and (v or k not in UNSAID)}
        return {key: _without_unsaid(one) for key, one in kept.items()}
    return [_without_unsaid(one) for one in value] if isinstance(value, list) else value
