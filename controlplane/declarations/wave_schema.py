"""`waves:` in the editors' schema."""

from typing import Any

from controlplane.declarations.durations import DURATION

Schema = dict[str, Any]
PERCENT = "^[1-9][0-9]{0,3}%?$"


def wave_definitions(name: Schema, scalar: Schema, text: Schema) -> dict[str, Schema]:
    """The definitions Waves and Target. name, scalar, text: what the schema calls these."""
    place = {"account": text, "region": text, "name": name}
    duration = {"type": "string", "pattern": DURATION}
    with_ = {
        "type": "object",
        "description": "What actions and signals are told of this target.",
        "additionalProperties": {"anyOf": [scalar, {"type": ["object", "array"]}]},
    }
    listed = {"type": "array", "minItems": 1, "items": text}
    words: Schema = {
        "targets": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Target"}},
        "accounts": {**listed, "description": "Each of them in each of the regions."},
        "regions": listed,
        "oneBox": {
            "description": "The first wave: a target of its own, or the name of one of the others.",
            "anyOf": [{"$ref": "#/$defs/Target"}, text],
        },
        "sizes": {
            "description": "Targets of each wave, or hundredths of all (50%); the last repeats.",
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    {"type": "integer", "minimum": 1},
                    {"type": "string", "pattern": PERCENT},
                ]
            },
        },
        "maxInFlight": {
            "description": "Targets of a wave that are under way at once.",
            "type": ["integer", "string"],
            "pattern": "^[0-9]+$",
            "minimum": 1,
        },
        "bake": {**duration, "description": "How long each wave bakes before the next."},
        "pause": {**duration, "description": "How much longer the next wave waits."},
    }
    return {
        "Waves": {"type": "object", "properties": words, "additionalProperties": False},
        "Target": {
            "type": "object",
            "properties": {**place, "with": with_},
            "additionalProperties": False,
        },
    }
