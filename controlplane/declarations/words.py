"""The words of the friendly YAML and what each is in CodePipeline's spelling. One literal list."""

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
"""Of an action; a rule has the same but for the outputs."""

BAKE = MappingProxyType(
    {
        "time": "BakeTime",
        "interval": "Interval",
        "minimumSamples": "MinimumSamples",
        "maxAge": "MaxAge",
        "baseline": "Baseline",
    }
)
"""What a bake says of all its signals: a default for the configuration of each of its rules."""

CHANNELS = MappingProxyType({"slack": "Slack", "sns": "SNS", "webhook": "Webhook"})

PIPELINE_KEYS = (*PIPELINE, *own(PipelineDeclaration))
STAGE_KEYS = ("account", "region", "gate", "bake", *own(StageDeclaration))
ACTION_KEYS = (*ITEM, *own(ActionDeclaration))
RULE_KEYS = (*(word for word in ITEM if word != "outputs"), *own(RuleDeclaration))
BAKE_KEYS = (*BAKE, "onFail", "signals")
CONDITIONS_KEYS = own(OnSuccess)
CONDITION_KEYS = own(Condition)
FAILURE_KEYS = own(OnFailure)
NOTIFY_KEYS = (*CHANNELS, "with", *own(Notification))


def configuration_key(word: str) -> str:
    """Spell a channel's word as its configuration key: topicArn is TopicArn."""
    return word[:1].upper() + word[1:]


def channel_word(key: str) -> str:
    """Spell a channel's configuration key as its word: the way back of `configuration_key`."""
    return key[:1].lower() + key[1:]
