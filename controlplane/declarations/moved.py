"""A pipeline that came from CodePipeline: what runs as it is, what it needs, what is retired."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from controlplane.declarations.cloudformation.symbols import is_symbolic
from controlplane.declarations.model import ActionTypeId, PipelineDeclaration, RuleTypeId
from controlplane.declarations.provider import Need
from controlplane.declarations.registered import NONE, may_be_registered
from controlplane.declarations.validate import validate
from controlplane.declarations.walk import Placed, PlacedAction, everything

TypeId = tuple[str, str, str]
"""Category, owner, provider."""


class Standing(StrEnum):
    """How one action or rule fares here."""

    RUNS = "runs as it is"
    ACCOUNT = "needs a registered account"
    CONNECTION = "needs a connection"
    SECRET = "needs a secret"  # noqa: S105 - no password
    NOT_RUN = "is not run yet"
    RETIRED = "is retired"


RETIRED: Mapping[TypeId, str] = {
    ("Source", "ThirdParty", "GitHub"): "GitHub version 1 signs in by OAuth: use a connection "
    "(CodeStarSourceConnection), https://docs.aws.amazon.com/codepipeline/latest/userguide/update-github-action-connections.html",
    ("Deploy", "AWS", "OpsWorks"): "OpsWorks Stacks ended on 26 May 2024: deploy with CodeDeploy",
}
"""What has ended, and what takes its place. (Inspector Classic ended in May 2026; no action of
CodePipeline's own used it: InspectorScan is Amazon Inspector's.)"""

INSTEAD: Mapping[TypeId, str] = {
    ("Invoke", "AWS", "InspectorScan"): "InspectorFindings asks Amazon Inspector for what it found",
}
"""What is not run here, and what does the same."""

CONNECTIONS: Mapping[TypeId, str] = {
    ("Source", "AWS", "CodeStarSourceConnection"): "put its ARN under connections of a "
    "Git host in TOWPATH_GIT (docs/triggers.md), and say `account:` on the stage",
}

SECRETS = ("OAuthToken", "Password", "Token", "SecretToken", "ApiKey")
"""Configuration keys whose values are secrets; CodePipeline answers them as ****."""
MASK = "****"


@dataclass(frozen=True, slots=True)
class Line:
    """One action or rule of the report; where is "Stage.Action"."""

    where: str
    what: str
    standing: Standing
    why: str = ""

    def __str__(self) -> str:
        """Write it for a person."""
        return f"{self.where}: {self.what} {self.standing}" + (f": {self.why}" if self.why else "")


def report(declaration: PipelineDeclaration) -> list[Line]:
    """Say of every action and rule how it fares here, in the order of the pipeline."""
    return [line for placed in everything(declaration) for line in _lines(declaration, placed)]


def refusals(declaration: PipelineDeclaration) -> list[str]:
    """What `towpath apply` would still refuse, in sentences."""
    return [
        f"{'.'.join(str(part) for part in found.path)}: {found.message}"
        for found in validate(declaration, types=NONE)
    ]


def _lines(declaration: PipelineDeclaration, placed: Placed) -> Iterator[Line]:
    item = placed.item
    declared = type_of(placed)
    where = f"{declaration.stages[placed.stage].name}.{item.name}"
    what = f"{declared.category}/{declared.owner}/{declared.provider}"
    kind = (declared.category, declared.owner, declared.provider)
    secrets = [key for key in SECRETS if key in item.configuration]
    if kind in RETIRED:
        yield Line(where, what, Standing.RETIRED, RETIRED[kind])
    elif kind in CONNECTIONS:
        yield Line(where, what, Standing.CONNECTION, CONNECTIONS[kind])
    elif placed.provider is None:
        yield Line(where, what, Standing.NOT_RUN, _instead(declared))
    elif placed.provider.place is Need.REQUIRED and "Account" not in item.configuration:
        yield Line(where, what, Standing.ACCOUNT, _role(item.role_arn))
    else:
        yield Line(where, what, Standing.RUNS)
    for key in secrets:
        told = f"{key} {_secret(item.configuration[key])}: keep it in a secret store"
        yield Line(where, what, Standing.SECRET, told)


def _instead(declared: ActionTypeId | RuleTypeId) -> str:
    kind = (declared.category, declared.owner, declared.provider)
    if isinstance(declared, ActionTypeId) and may_be_registered(declared):
        return "create its action type here, and let its worker poll here"
    return INSTEAD.get(kind, "no driver here does it")


def type_of(placed: Placed) -> ActionTypeId | RuleTypeId:
    """Answer the type id of an action or a rule."""
    if isinstance(placed, PlacedAction):
        return placed.item.action_type_id
    return placed.item.rule_type_id


def _secret(value: str) -> str:
    if value == MASK:
        return "was masked"
    if is_symbolic(value) or value.startswith("{{resolve:"):
        return "comes from outside"
    return "stands in the text"


def _role(arn: str | None) -> str:
    mend = "say `account:` on the stage or the action"
    return f"{mend}; it acted as {arn}" if arn else mend
