"""A declaration -> the friendly YAML, in the shortest words that say the same.

Reading the text again (`load.parse_text`) gives an equal declaration, always: a shorthand is used
only where it says exactly what is declared, and CodePipeline's own words stand where none does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from controlplane.declarations.meaning import Json
from controlplane.declarations.model import (
    ActionDeclaration,
    ArtifactName,
    Condition,
    Model,
    Notification,
    OnFailure,
    PipelineDeclaration,
    Result,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.declarations.provider import Need
from controlplane.declarations.providers import ACTION_NAMES, RULE_NAMES, provider_of
from controlplane.declarations.spelled_values import dump, spelled
from controlplane.declarations.words import (
    BAKE,
    CHANNELS,
    CONSEQUENCES,
    channel_word,
    configuration_key,
)

Item = ActionDeclaration | RuleDeclaration
Words = dict[str, Any]


def to_yaml(declaration: PipelineDeclaration, *, exact: bool = False) -> str:
    """Write a declaration as friendly YAML.

    exact: also the defaults that somebody had written, so that reading the text again gives the
    very structure that was read, to the field.
    """
    if not exact:
        said = declaration.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        declaration = PipelineDeclaration.model_validate(said)
    plain = _plain(declaration, "name", "stages", "notifications", "triggers")
    words: Words = {"pipeline": declaration.name}
    if "executionMode" in plain:
        words["mode"] = plain.pop("executionMode")
    words |= plain
    if declaration.triggers or "triggers" in declaration.model_fields_set:
        words["triggers"] = list(declaration.triggers)
    words["stages"] = [_stage(stage) for stage in declaration.stages]
    if declaration.notifications:
        words["notify"] = [_notification(told) for told in declaration.notifications]
    return dump(words)


def _plain(model: Model, *but: str) -> Words:
    """Spell a model's fields as CodePipeline does, those that nobody had written left out."""
    dumped = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {key: value for key, value in dumped.items() if key not in but}


def _stage(stage: StageDeclaration) -> Words:
    place = _common_place(stage)
    words: Words = {"name": stage.name, **place}
    words["actions"] = [_item(action, place) for action in stage.actions]
    if stage.before_entry is not None:
        words |= _gate(stage.before_entry.conditions, place)
    if stage.on_success is not None:
        given = stage.on_success.conditions
        if len(given) == 1 and given[0].rules:
            words["bake"] = _bake(given[0], place)
        else:
            words["onSuccess"] = _conditions(given, place)
    if stage.on_failure is not None:
        words["onFailure"] = _failure(stage.on_failure, place)
    return words


def _needy(item: Item) -> bool:
    declared = item.action_type_id if isinstance(item, ActionDeclaration) else item.rule_type_id
    provider = provider_of(declared)
    return provider is not None and provider.place is Need.REQUIRED


def _common_place(stage: StageDeclaration) -> Words:
    """Answer the account and region that all who need one agree on."""
    groups = (stage.before_entry, stage.on_success, stage.on_failure)
    conditions = [condition for group in groups if group for condition in group.conditions]
    items: list[Item] = [*stage.actions, *(r for c in conditions for r in c.rules)]
    needy = [item for item in items if _needy(item)]
    accounts = {item.configuration.get("Account") for item in needy}
    regions = {item.region for item in needy}
    place: Words = {}
    if len(accounts) == 1 and None not in accounts:
        place["account"] = accounts.pop()
    if len(regions) == 1 and None not in regions:
        place["region"] = regions.pop()
    return place


def _item(item: Item, place: Mapping[str, str], said: Mapping[str, str] | None = None) -> Words:
    """Spell an action or rule. place and said: what its stage and its bake say already."""
    plain = _plain(item, "configuration", "inputArtifacts", "outputArtifacts", "name")
    words: Words = {"name": item.name, **_type(item, plain)}
    left = {key: item.configuration[key] for key in item.configuration if key not in (said or {})}
    if isinstance(item, RuleDeclaration) and left.get("Critical") == "true":
        words["critical"] = left.pop("Critical") == "true"
    account = left.pop("Account", None)
    if account is not None and not (_needy(item) and "account" in place):
        words["account"] = account
    if _needy(item) and "region" in place:
        plain.pop("region")
    words |= plain
    outputs = item.output_artifacts if isinstance(item, ActionDeclaration) else ()
    for word, artifacts in (("inputs", item.input_artifacts), ("outputs", outputs)):
        if artifacts or f"{word[:-1]}_artifacts" in item.model_fields_set:
            words |= _artifacts(word, artifacts)
    if left or (not item.configuration and "configuration" in item.model_fields_set):
        words["with"] = {key: spelled(value) for key, value in left.items()}
    return words


def _type(item: Item, plain: Words) -> Words:
    """Answer `provider: name` where the name alone says it all."""
    key, names = ("actionTypeId", ACTION_NAMES)
    declared: Any = item.action_type_id if isinstance(item, ActionDeclaration) else None
    if isinstance(item, RuleDeclaration):
        key, names, declared = "ruleTypeId", RULE_NAMES, item.rule_type_id
    own = plain.pop(key)
    known = provider_of(declared)
    if known is not None and names.get(known.provider) is known:
        return {"provider": known.provider}
    return {key: own}


def _artifacts(word: str, artifacts: Sequence[ArtifactName]) -> Words:
    """Spell artifacts by their names, where their names are all there is to them."""
    spelt = [artifact.model_dump(by_alias=True, exclude_unset=True) for artifact in artifacts]
    if any(set(one) != {"name"} for one in spelt):
        return {f"{word[:-1]}Artifacts": spelt}
    return {word: _names(artifacts)}


def _names(artifacts: Sequence[ArtifactName]) -> CommentedSeq:
    names = CommentedSeq([artifact.name for artifact in artifacts])
    names.fa.set_flow_style()
    return names


def _bake(condition: Condition, place: Mapping[str, str]) -> Words:
    """Spell a bake; what all its signals say alike is said once."""
    signals = condition.signals
    first = signals[0].configuration if signals else {}
    said = {
        key: first[key]
        for key in (*BAKE.values(), *CONSEQUENCES.values())
        if key in first and all(r.configuration.get(key) == first[key] for r in signals)
    }
    words: Words = {word: _scalar(said[key]) for word, key in BAKE.items() if key in said}
    follows = {str(v): _scalar(said[key]) for v, key in CONSEQUENCES.items() if key in said}
    if follows:
        words["consequences"] = CommentedMap(follows)
        if all(str(one).isalpha() for one in follows.values()):
            words["consequences"].fa.set_flow_style()
    if condition.result is not Result.ROLLBACK:
        words["onFail"] = condition.result.value
    words["signals"] = [
        _item(rule, place, None if rule.is_proof else said) for rule in condition.rules
    ]
    return words


def _scalar(value: str) -> Json:
    """Spell a value without quotes where that is read as the same text again."""
    meaning = spelled(value)
    return meaning if isinstance(meaning, bool | int | float) else value


def _conditions(conditions: Sequence[Condition], place: Mapping[str, str]) -> Words:
    spelt = []
    for condition in conditions:
        words = _plain(condition, "rules")
        if condition.rules:
            words["rules"] = [_item(rule, place) for rule in condition.rules]
        elif "rules" in condition.model_fields_set:
            words["rules"] = []
        spelt.append(words)
    return {"conditions": spelt} if spelt else {}


def _gate(conditions: Sequence[Condition], place: Mapping[str, str]) -> Words:
    """Spell a gate: one condition that fails is only its rules. A result left out is FAIL, unlike a bake's."""
    if len(conditions) == 1 and conditions[0].rules and conditions[0].result is Result.FAIL:
        return {"gate": [_item(rule, place) for rule in conditions[0].rules]}
    words = _conditions(conditions, place)
    for spelt, condition in zip(words.get("conditions", ()), conditions, strict=True):
        spelt.pop("result", None)
        if condition.result is not Result.FAIL:
            spelt["result"] = condition.result.value
    return {"beforeEntry": words}


def _failure(failure: OnFailure, place: Mapping[str, str]) -> str | Words:
    plain = _plain(failure, "conditions")
    if set(plain) == {"result"} and not failure.conditions:
        return str(plain["result"]).lower()
    return {**plain, **_conditions(failure.conditions, place)}


def _notification(told: Notification) -> Words:
    words: Words = {}
    back = {own: word for word, own in CHANNELS.items()}
    channel = {channel_word(key): value for key, value in told.configuration.items()}
    if {configuration_key(word): value for word, value in channel.items()} == told.configuration:
        inner = CommentedMap((key, spelled(value)) for key, value in channel.items())
        if all(word.isalnum() for word in channel):  # `{:x: 1}` is read as something else
            inner.fa.set_flow_style()
        words[back[told.provider]] = inner
    else:
        words["provider"] = told.provider
        words["with"] = {key: spelled(value) for key, value in told.configuration.items()}
    if told.events:
        words["events"] = list(told.events)
    return words
