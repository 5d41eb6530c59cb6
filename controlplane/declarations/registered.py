"""Action types that somebody registered: what we then know of their actions.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreateCustomActionType.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from controlplane.declarations.findings import Finding
from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.model import ActionDeclaration, ActionTypeId, PipelineDeclaration
from controlplane.declarations.provider import Need, Provider
from controlplane.declarations.providers import ACTION_NAMES, RULE_NAMES

KINDS: Mapping[str, Kind] = {
    "String": Kind.TEXT,
    "Number": Kind.NUMBER,
    "Boolean": Kind.BOOLEAN,
}
OUR_OWN = frozenset({*ACTION_NAMES, *(f"{name}Recovered" for name in RULE_NAMES)})
"""Names of providers that nobody else may give to a type: those that may be declared, and those that stand
in plans of rollbacks only."""
Id = tuple[str, str, str, str]
Types = Mapping[Id, Provider]
"""What is registered, by category, owner, provider and version."""
LAMBDA = ("Invoke", "AWS", "Lambda")
EVERYBODY = "*"
ACCOUNT_AT = 4
"""Which part of a role's ARN is its account."""
NONE: Types = MappingProxyType({})


def provider(id_: Id, definition: Mapping[str, Any]) -> Provider:
    """Say of a registered type what `providers` says of our own.

    An action of it needs an account only where it brings artifacts out.
    """
    category, owner, name, version = id_
    keys = {
        one["name"]: Key(
            one.get("description") or "as its type says",
            KINDS[one.get("type") or "String"],
            required=one["required"],
            empty=not one["required"],
        )
        for one in definition["properties"]
    }
    least, most = definition["inputs"], definition["outputs"]
    return Provider(
        category,
        owner,
        name,
        keys,
        version,
        inputs=(least[0], least[1]),
        outputs=(most[0], most[1]),
        place=Need.OPTIONAL,
    )


def id_of(declared: ActionTypeId) -> Id:
    """Answer what a type is registered under."""
    return (declared.category, declared.owner, declared.provider, declared.version)


def may_be_registered(declared: ActionTypeId) -> bool:
    """Answer True where we do not run it ourselves, and its id is written out.

    A bare `provider: Name` in the friendly YAML names one of our own, so there it is a slip.
    """
    written_out = "version" in declared.model_fields_set
    return declared.owner != "AWS" and declared.provider not in OUR_OWN and written_out


def is_foreign(declared: ActionDeclaration) -> bool:
    """Answer True where a worker or a function must do the action: we do not run it ourselves."""
    kind = declared.action_type_id
    return kind.owner != "AWS" and kind.provider not in OUR_OWN


def is_job(declared: ActionDeclaration) -> bool:
    """Answer True where the action is a job: done outside, and whoever does it tells how it went.

    A function of Invoke/AWS/Lambda does, unless its own answer is declared to be the result.
    """
    if declared.driver == LAMBDA:
        return declared.configuration.get("ResultFrom") != "answer"
    return is_foreign(declared)


def refused(
    declaration: PipelineDeclaration,
    definitions: Mapping[Id, Mapping[str, Any]],
    homes: Mapping[str, str],
) -> list[Finding]:
    """Say of each action that its type is not for the AWS account that it acts in.

    definitions: what is registered. homes: AWS account id by the name of a registered account. A type
    without permissions is for everybody; an action that names no account is in its pipeline's role's.
    """
    found = []
    for i, stage in enumerate(declaration.stages):
        for j, action in enumerate(stage.actions):
            id_ = id_of(action.action_type_id)
            permissions = definitions.get(id_, {}).get("permissions") or {}
            allowed = permissions.get("allowedAccounts") or (EVERYBODY,)
            account = _account_of(action, declaration.role_arn, homes)
            if EVERYBODY in allowed or account in allowed:
                continue
            told = f"account {account}" if account else "an action that names no account"
            said = f"action type {'/'.join(id_)} is not for {told}"
            known = f": its allowedAccounts are {', '.join(allowed)}"
            path = ("stages", i, "actions", j, "actionTypeId", "provider")
            found.append(Finding(path, said + known))
    return found


def _account_of(action: ActionDeclaration, role: str | None, homes: Mapping[str, str]) -> str:
    """Answer the AWS account id that an action acts in; "" where it does not say."""
    named = homes.get(action.configuration.get("Account", ""), "")
    parts = (action.role_arn or role or "").split(":")
    return named or (parts[ACCOUNT_AT] if len(parts) > ACCOUNT_AT else "")


def strangers(declaration: PipelineDeclaration) -> list[str]:
    """Answer the types that must be registered where the pipeline is to run, as they are written."""
    found = {
        "/".join(id_of(action.action_type_id))
        for stage in declaration.stages
        for action in stage.actions
        if may_be_registered(action.action_type_id)
    }
    return sorted(found)
