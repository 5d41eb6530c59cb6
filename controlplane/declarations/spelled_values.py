"""Values -> YAML text: a configuration's strings as `items.configured` reads them again."""

import io
import json

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from accounts.yaml_text import Plain
from controlplane.declarations.items import compact
from controlplane.declarations.meaning import Json, resolve

MAX_NESTING = 8
WIDTH = 1_000_000
"""Long lines stay whole: a query folded over lines is harder to read than a long one."""


class _Representer(RoundTripRepresenter):
    """Text with line breaks or odd characters in double quotes: nothing is folded or lost there."""

    def represent_str(self, data: str) -> ScalarNode:
        style = None if data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Representer.add_representer(str, _Representer.represent_str)


def dump(words: object) -> str:
    """Write words as YAML, lists indented below what they belong to."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(words, stream)
    return stream.getvalue()


def spelled(value: str) -> Json:
    """Answer a map or list for JSON, a number or boolean for what looks like one; else text."""
    if value[:1] in {"{", "["}:
        return _structure(value)
    meaning = resolve(Plain(value))
    if isinstance(meaning, bool | int) and str(meaning).lower() == value:
        return meaning
    if isinstance(meaning, float) and str(meaning) == value and "e" not in value:
        return meaning
    return value


def _structure(value: str) -> Json:
    try:
        parsed: Json = json.loads(value, parse_constant=_refuse, parse_int=_integer)
    except (ValueError, RecursionError):
        return value
    if not parsed or _depth(parsed) > MAX_NESTING or _again(parsed) != value:
        return value
    return parsed


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON, though Python reads it")


def _integer(digits: str) -> int:
    number = resolve(Plain(digits))
    if isinstance(number, int):
        return number
    raise ValueError("longer than what we read as a number")


def _again(parsed: Json) -> str:
    try:
        return compact(parsed)
    except (ValueError, RecursionError):
        return ""


def _depth(value: Json) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(item) for item in value), default=0)
    return 0
