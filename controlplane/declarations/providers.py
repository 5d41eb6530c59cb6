"""Every provider that we run: what it may be told, and what it needs. Literal tables, one for each kind.

Read them as the reference of `with:` in a pipeline; the validation, the editors' schema and the
friendly names are made from them. Owner AWS means CodePipeline's own provider of that name with
CodePipeline's own keys
(https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html), and those of
WAY_BACK; a provider that CodePipeline does not have is of owner Custom.
"""

from collections.abc import Mapping
from types import MappingProxyType

from controlplane.declarations.check_providers import BUILDS, CHECKS
from controlplane.declarations.deploy_providers import DEPLOYS
from controlplane.declarations.model import ActionTypeId, RuleTypeId
from controlplane.declarations.provider import Provider
from controlplane.declarations.rule_providers import RULES
from controlplane.declarations.source_providers import SOURCES

ACTIONS: tuple[Provider, ...] = (*SOURCES, *BUILDS, *DEPLOYS, *CHECKS)

TOGETHER: Mapping[str, tuple[str, ...]] = {
    "MetricName": ("Namespace", "Statistic"),
    "MetricDataQueries": ("ResultId",),
    "TagKey": ("TagValue",),
}
"""Keys that are asked for as soon as another one is there."""

BY_ID = MappingProxyType({one.id: one for one in (*ACTIONS, *RULES)})
ACTION_NAMES = MappingProxyType({one.provider: one for one in reversed(ACTIONS)})
"""By the bare name; where several share it, the first of the table is meant."""
RULE_NAMES = MappingProxyType({one.provider: one for one in RULES})


def action_type(name: str) -> ActionTypeId:
    """Answer the type id behind a bare provider name; KeyError where we run none of that name."""
    return ActionTypeId.model_validate(type_id(ACTION_NAMES[name]))


def rule_type(name: str) -> RuleTypeId:
    """Answer the type id behind the bare name of a rule's provider; KeyError as above."""
    return RuleTypeId.model_validate(type_id(RULE_NAMES[name]))


def type_id(found: Provider) -> dict[str, str]:
    """Spell a provider as an actionTypeId or ruleTypeId."""
    return dict(zip(("category", "owner", "provider", "version"), found.id, strict=True))


def provider_by(type_id_: object) -> Provider | None:
    """Answer what we know of a type id as it is spelled; None where we do not run it."""
    entries = type_id_ if isinstance(type_id_, dict) else {}
    texts = [str(entries.get(key, "")) for key in ("category", "owner", "provider", "version")]
    category, owner, provider, version = texts
    return BY_ID.get((category, owner or "AWS", provider, version or "1"))


def provider_of(declared: ActionTypeId | RuleTypeId) -> Provider | None:
    """Answer what we know of a declared type; None where we do not run it."""
    return BY_ID.get((declared.category, declared.owner, declared.provider, declared.version))
