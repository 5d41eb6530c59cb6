"""The JSON Schema of the friendly YAML, for completion and checks in editors (draft 2020-12).

Made from the same tables as the loader, so that both know the same words. What a schema cannot say
(who makes an artifact, which account is registered) the loader says.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from controlplane.declarations.deploy_providers import WAY_BACK
from controlplane.declarations.durations import DURATION
from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.model import ExecutionMode, PipelineDeclaration, Result
from controlplane.declarations.notifiers import NOTIFIERS
from controlplane.declarations.provider import Need, Provider
from controlplane.declarations.providers import ACTIONS
from controlplane.declarations.retries import MOST, RETRY_KEYS
from controlplane.declarations.rule_providers import BAKE, RULES
from controlplane.declarations.wave_keys import WAVE_KEYS
from controlplane.declarations.wave_schema import wave_definitions
from controlplane.declarations.words import BAKE as BAKE_WORDS
from controlplane.declarations.words import CHANNELS, RETRY_MODES, channel_word
from controlplane.declarations.words import CONSEQUENCES as WHEN
from controlplane.declarations.words import WAY_BACK as WAY_BACK_WORDS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = r"#\{[^}]*\}"
NAME: Schema = {"type": ["string", "number"], "pattern": r"^[A-Za-z0-9.@_-]{1,100}$"}
SCALAR: Schema = {"type": ["string", "number", "boolean"]}
ANYTHING: Schema = {"type": ["string", "number", "boolean", "object", "array"]}
TEXT: Schema = {"type": ["string", "number"]}
TIMES: Schema = {
    "type": ["integer", "string"], "pattern": "^([1-9]|10)$", "minimum": 1, "maximum": MOST,
}  # fmt: skip
ITEMS: Schema = {"type": "array", "items": NAME}

KINDS: Mapping[Kind, Schema] = {
    Kind.TEXT: ANYTHING,
    Kind.URL: {"type": "string", "pattern": f"^https?://|{REFERENCE}"},
    Kind.DURATION: {"type": "string", "pattern": f"{DURATION}|{REFERENCE}"},
    Kind.INTEGER: {"type": ["integer", "string"], "pattern": f"^[0-9]+$|{REFERENCE}", "minimum": 0},
    Kind.NUMBER: {"type": ["number", "string"]},
    Kind.BOOLEAN: {"type": ["boolean", "string"], "pattern": f"^(true|false)$|{REFERENCE}"},
    Kind.JSON_LIST: {"type": ["array", "string"], "minItems": 1, "items": {"type": "object"}},
    Kind.JSON_OBJECT: {"type": ["object", "string"], "minProperties": 1},
}
"""What a value of each kind may look like in YAML; enums say their own choices."""


def json_schema() -> Schema:
    """Answer the schema of a pipeline file."""
    own: Schema = _as_written(PipelineDeclaration.model_json_schema(by_alias=True))
    definitions: Schema = own.pop("$defs")
    declared = {name: definitions.pop(f"{name}Declaration") for name in ("Action", "Rule", "Stage")}
    definitions |= {
        "Action": _item(declared["Action"], ACTIONS, "actionTypeId"),
        "Rule": _item(declared["Rule"], RULES, "ruleTypeId"),
        "Stage": _stage(declared["Stage"]),
        "Bake": _bake(),
        **wave_definitions(NAME, SCALAR, TEXT),
        "Notify": _notify(definitions.pop("Notification")),
    }
    definitions["Condition"]["properties"]["rules"]["items"] = _ref("Rule")
    return {
        "$schema": DIALECT,
        **_pipeline(own),
        "title": "Towpath pipeline",
        "description": "CodePipeline's structure in friendlier words; its own words do as well.",
        "$defs": definitions,
    }


def _ref(name: str, about: str = "") -> Schema:
    return {"$ref": f"#/$defs/{name}"} | ({"description": about} if about else {})


def _about(about: str, schema: Schema) -> Schema:
    return {"description": about, **schema}


def _as_written(schema: Any) -> Any:
    """Turn a schema of the model into one of the text: no nulls, and a bare number is text too."""
    if isinstance(schema, list):
        return [_as_written(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _as_written(item) for key, item in schema.items() if key != "title"}
    choices = [one for one in made.pop("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        made = {**choices[0], **{key: made[key] for key in made if key != "default"}}
    elif choices:
        made["anyOf"] = choices
    if made.get("type") == "string" and "enum" not in made and "const" not in made:
        made["type"] = ["string", "number"]
    return made


def _either(*pairs: tuple[str, str]) -> list[Schema]:
    """Refuse two words for the same thing side by side."""
    return [{"not": {"required": list(pair)}} for pair in pairs]


def _one_of(*words: str) -> Schema:
    """Ask for exactly one of some words."""
    return {"oneOf": [{"required": [word]} for word in words]}


def _choice(values: Iterable[str]) -> Schema:
    names = [str(value) for value in values]
    return {"enum": [*names, *(name.lower() for name in names)]}


def _pipeline(own: Schema) -> Schema:
    words = own["properties"]
    words |= {
        "stages": {"type": "array", "minItems": 2, "items": _ref("Stage")},
        "pipeline": _about("The pipeline's name.", NAME),
        "mode": _about("What a newer execution does to an older one.", _choice(ExecutionMode)),
        "notify": {"type": "array", "items": _ref("Notify"), "description": "Who is told."},
        "notifications": {"type": "array", "items": _ref("Notify")},
    }
    rules = _either(("mode", "executionMode"), ("notify", "notifications"))
    own |= {"required": ["stages"], "allOf": [_one_of("pipeline", "name"), *rules]}
    return own


def _stage(own: Schema) -> Schema:
    own["properties"] |= {
        "account": _about("The account of all here that acts in one.", TEXT),
        "region": _about("The region of all here that acts in one.", TEXT),
        "waves": _ref("Waves", "Release to many targets, wave behind wave."),
        "actions": {"type": "array", "minItems": 1, "items": _ref("Action")},
        "gate": {
            "description": "What must hold before the stage is entered.",
            "type": "array",
            "minItems": 1,
            "items": _ref("Rule"),
        },
        "bake": _ref("Bake", "Watch, from the start of the stage's first deployment."),
        **{w: _about(WAY_BACK[k].about, _value(WAY_BACK[k])) for w, k in WAY_BACK_WORDS.items()},
        "onFailure": {
            "description": "What follows where an action failed; beside retry, where no try helped.",
            "anyOf": [_choice(("ROLLBACK", "RETRY", "FAIL")), _ref("OnFailure")],
        },
        "retry": {
            "description": "Try a failed stage again by itself: so often, or a map.",
            "anyOf": [TIMES, _closed({"times": TIMES, "actions": {"enum": list(RETRY_MODES)}}, [])],
        },
    }
    own["allOf"] = _either(("gate", "beforeEntry"), ("bake", "onSuccess"))
    return own


def _bake() -> Schema:
    words: Schema = {
        word: _about(BAKE[key].about, _value(BAKE[key])) for word, key in BAKE_WORDS.items()
    }
    follows = {str(v): _about(BAKE[key].about, _value(BAKE[key])) for v, key in WHEN.items()}
    words["consequences"] = _about("What follows from each verdict.", _closed(follows, []))
    words["onFail"] = _about("What follows a breach.", _choice((Result.ROLLBACK, Result.FAIL)))
    words["signals"] = {"type": "array", "minItems": 1, "items": _ref("Rule")}
    return _closed(words, ["signals"])


def _notify(own: Schema) -> Schema:
    words = {
        word: _configuration(NOTIFIERS[channel], channel_word) for word, channel in CHANNELS.items()
    }
    own["properties"] |= {**words, "with": {"type": "object"}, "configuration": {"type": "object"}}
    own.pop("required")
    own["allOf"] = [_one_of(*CHANNELS, "provider"), *_either(("with", "configuration"))]
    return own


def _item(own: Schema, providers: Iterable[Provider], type_key: str) -> Schema:
    known = list(providers)
    words = own["properties"]
    words |= {
        "provider": {"enum": [one.provider for one in known], "description": "Who does it."},
        "account": _about("A registered account.", TEXT),
        "inputs": _about("Artifacts that it takes.", ITEMS),
        "with": {"type": "object", "description": "The provider's configuration."},
        "configuration": {"type": "object"},
    }
    pairs = [("provider", type_key), ("with", "configuration"), ("inputs", "inputArtifacts")]
    if type_key == "ruleTypeId":
        words["critical"] = _about("A FAIL of it alone is enough.", KINDS[Kind.BOOLEAN])
    else:
        words["outputs"] = _about("Artifacts that it makes.", ITEMS)
        pairs.append(("outputs", "outputArtifacts"))
    own.pop("required")
    own["anyOf"] = [{"required": ["provider"]}, {"required": ["name", type_key]}]
    own["allOf"] = [*_either(*pairs), *(_when(one) for one in known)]
    return own


def _when(one: Provider) -> Schema:
    """Say what holds where this provider is named."""
    inside = _configuration(one.keys)
    tries = RETRY_KEYS if one.category != "Rule" else {}
    words: Schema = {"with": inside, "configuration": inside}
    inside["properties"] |= {
        name: _about(key.about, _value(key)) for name, key in {**WAVE_KEYS, **tries}.items()
    }
    then: Schema = {"properties": words}
    if one.place is Need.NONE:
        words |= {"account": False, "region": False}
    else:
        inside["properties"]["Account"] = _about("A registered account.", SCALAR)
    if any(key.required for key in one.keys.values()):
        then["anyOf"] = [{"required": ["with"]}, {"required": ["configuration"]}]
    named = {"properties": {"provider": {"const": one.provider}}, "required": ["provider"]}
    return {"if": named, "then": then}


def _configuration(
    keys: Mapping[str, Key], spelled: Callable[[str], str] = lambda key: key
) -> Schema:
    words = {spelled(name): _about(key.about, _value(key)) for name, key in keys.items()}
    return _closed(words, [spelled(name) for name, key in keys.items() if key.required])


def _value(key: Key) -> Schema:
    if key.kind is Kind.ENUM:
        return {"anyOf": [{"enum": list(key.choices)}, {"type": "string", "pattern": REFERENCE}]}
    return KINDS[key.kind]


def _closed(words: Schema, required: list[str]) -> Schema:
    made: Schema = {"type": "object", "properties": words, "additionalProperties": False}
    return made | ({"required": required} if required else {})
