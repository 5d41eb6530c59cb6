"""What a key of a `configuration` map may hold, and what is wrong with a value that it may not."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from controlplane.declarations.durations import parse_duration

HOUR = 3600
VARIABLE = re.compile(r"#\{([^}]{0,256})\}")
"""A variable's place in a value (`#{namespace.name}`); its value is not known beforehand."""


class Kind(StrEnum):
    """How a value is read; all values are strings, as in CodePipeline."""

    TEXT = "text"
    DURATION = "duration"
    INTEGER = "whole number"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ENUM = "enum"
    URL = "URL"
    JSON_LIST = "JSON list"
    JSON_OBJECT = "JSON object"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. least and most are bounds: seconds for a duration, the number for a whole number.

    empty: an empty text is an answer too. literal: must be known beforehand, so no variable will do.
    why: why an enum has no other choice, for the mend.
    """

    about: str
    kind: Kind = Kind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None
    empty: bool = False
    literal: bool = False
    why: str = ""


def fault(key: Key, value: str) -> str | None:
    """Say what is wrong with a value, and the mend; None where nothing is."""
    if not value and not key.empty:
        return "is empty: write a value (or leave the key out, where it is not required)"
    if VARIABLE.search(value):
        return "must be written out, not be a variable" if key.literal else None
    return READERS[key.kind](key, value)


def _text(key: Key, value: str) -> str | None:
    del key, value
    return None


def _duration(key: Key, value: str) -> str | None:
    try:
        length = parse_duration(value)
    except ValueError as error:
        return str(error)
    if length < timedelta(seconds=key.least):
        return f"{value} is too short: at least {key.least}s"
    if key.most is not None and length > timedelta(seconds=key.most):
        most = f"{key.most // HOUR}h" if key.most >= HOUR else f"{key.most}s"
        return f"{value} is too long: at most {most}"
    return None


def _integer(key: Key, value: str) -> str | None:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        return f"{value!r} is no whole number"
    if int(value) < key.least:
        return f"{value} is too small: at least {key.least}"
    if key.most is not None and int(value) > key.most:
        return f"{value} is too large: at most {key.most}"
    return None


def _number(key: Key, value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return f"{value!r} is no number, such as 0.05"
    if not math.isfinite(number):
        return f"{value!r} is no finite number"
    return f"{value} is too small: at least {key.least}" if number < (key.least or number) else None


def _choice(key: Key, value: str) -> str | None:
    if value in key.choices:
        return None
    return f"{value!r} is none of {', '.join(key.choices)}" + (f": {key.why}" if key.why else "")


def _boolean(key: Key, value: str) -> str | None:
    del key
    return None if value in {"true", "false"} else f"{value!r} is neither true nor false"


def _url(key: Key, value: str) -> str | None:
    del key
    if re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value):
        return None
    return f"{value!r} is no http(s) address (and may hold no user name and password)"


def _json(wanted: type, example: str) -> Callable[[Key, str], str | None]:
    def read(key: Key, value: str) -> str | None:
        del key
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError) as error:
            return f"is not JSON ({error}): write {example}, in YAML or as JSON text"
        if not isinstance(parsed, wanted) or not parsed:
            return f"must be {example}"
        if isinstance(parsed, list) and not all(isinstance(entry, dict) for entry in parsed):
            return f"must be {example}, and every entry a map"
        return None

    return read


READERS: Mapping[Kind, Callable[[Key, str], str | None]] = {
    Kind.TEXT: _text,
    Kind.DURATION: _duration,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.ENUM: _choice,
    Kind.URL: _url,
    Kind.JSON_LIST: _json(list, "a list with at least one entry"),
    Kind.JSON_OBJECT: _json(dict, "a map with at least one entry"),
}
