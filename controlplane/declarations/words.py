"""The words of the friendly YAML and what each is in CodePipeline's spelling. One literal list."""

from collections.abc import Mapping
from types import MappingProxyType

from controlplane.declarations.model import (
    ActionDeclaration,
    Condition,
    Model,
    Notification,
    OnFailure,
    OnSuccess,
    PipelineDeclaration,
    RuleDeclaration,
    StageDeclaration,
)
from monitors.base import Verdict


def own(model: type[Model]) -> tuple[str, ...]:
    """Name the fields of a model as CodePipeline spells them."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


PIPELINE = {"pipeline": "name", "mode": "executionMode", "notify": "notifications"}
ITEM = {
    "provider": "the type id",
    "with": "configuration",
    "account": "configuration.Account",
    "inputs": "inputArtifacts",
    "outputs": "outputArtifacts",
}
"""Of an action; a rule has the same but for the outputs, and `critical`."""

BAKE = MappingProxyType(
    {
        "time": "BakeTime",
        "interval": "Interval",
        "minimumSamples": "MinimumSamples",
        "maxAge": "MaxAge",
        "baseline": "Baseline",
        "extendUpTo": "ExtendUpTo",
        "quorum": "Quorum",
        "endEarly": "EndEarly",
        "earlyPower": "EarlyPower",
        "watch": "Watch",
    }
)
"""What a bake says of all its signals: a default for the configuration of each of its rules."""

WAY_BACK = MappingProxyType(
    {
        "rollbackSafe": "RollbackSafe",
        "maxRollbacks": "MaxRollbacks",
        "rollbackWindow": "RollbackWindow",
    }
)
"""What a stage says of the way back of all its deployments: a default for their configuration."""
CONSEQUENCES: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.FAIL: "WhenFail",
        Verdict.INCONCLUSIVE: "WhenInconclusive",
        Verdict.NO_DATA: "WhenNoData",
        Verdict.UNREACHABLE: "WhenUnreachable",
    }
)
"""What `consequences` of a bake says of each verdict."""

CHANNELS = MappingProxyType(
    {"eventBridge": "EventBridge", "slack": "Slack", "sns": "SNS", "webhook": "Webhook"}
)

PIPELINE_KEYS = (*PIPELINE, *own(PipelineDeclaration))
STAGE_KEYS = (
    "account",
    "region",
    "gate",
    "bake",
    "retry",
    "waves",
    *WAY_BACK,
    *own(StageDeclaration),
)
ACTION_KEYS = (*ITEM, *own(ActionDeclaration))
RULE_KEYS = (*(word for word in ITEM if word != "outputs"), "critical", *own(RuleDeclaration))
WAVES_KEYS = (
    "targets",
    "accounts",
    "regions",
    "oneBox",
    "sizes",
    "maxInFlight",
    "bake",
    "pause",
)
TARGET_KEYS = ("name", "account", "region", "with")
BAKE_KEYS = (*BAKE, "consequences", "onFail", "signals")
CONDITIONS_KEYS = own(OnSuccess)
CONDITION_KEYS = own(Condition)
FAILURE_KEYS = own(OnFailure)
RETRY_WORDS = ("times", "actions")
RETRY_MODES = MappingProxyType({"failed": "FAILED_ACTIONS", "all": "ALL_ACTIONS"})
NOTIFY_KEYS = (*CHANNELS, "with", *own(Notification))


def configuration_key(word: str) -> str:
    """Spell a channel's word as its configuration key: topicArn is TopicArn."""
    return word[:1].upper() + word[1:]


def channel_word(key: str) -> str:
    """Spell a channel's configuration key as its word: the way back of `configuration_key`."""
    return key[:1].lower() + key[1:]
