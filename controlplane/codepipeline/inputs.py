"""Is a request what its operation's shape says? Types, required members, lengths, patterns, enums.

AWS's own sentences, without the value that was sent: it may hold a secret.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.model import Shape

from controlplane.codepipeline.faults import WireError, invalid

MOST_ERRORS = 20
DEEPEST = 40


def check(shape: Shape | None, given: Any) -> dict[str, Any]:
    """Answer the input as its shape has it (members it does not know are left out); WireError otherwise."""
    if not isinstance(given, dict):
        raise WireError("SerializationException", "The body must be a JSON object.")
    if shape is None:
        return {}
    found: list[str] = []
    for number, wrong in enumerate(_structure(shape, given, "")):
        found.append(wrong)
        if number >= MOST_ERRORS:
            break
    if found:
        many = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: "
        raise invalid(many + "; ".join(found))
    known: dict[str, Any] = _known(shape, given)
    return known


def _known(shape: Any, given: Any) -> Any:
    """Take along only what the shape has; null is what is not there."""
    if shape.type_name == "structure":
        members = shape.members
        kept = {n: v for n, v in given.items() if n in members and v is not None}
        return {name: _known(members[name], value) for name, value in kept.items()}
    if shape.type_name == "list":
        return [_known(shape.member, one) for one in given]
    return given


def _value(shape: Any, given: Any, where: str) -> Iterator[str]:
    kind = shape.type_name
    if not TYPES[kind](given):
        yield f"Value at '{where}' failed to satisfy constraint: Member must be of type {kind}"
        return
    yield from INSIDE.get(kind, _nothing)(shape, given, where)


def _structure(shape: Any, given: Mapping[str, Any], where: str) -> Iterator[str]:
    if where.count(".") > DEEPEST:
        yield f"Value at '{where[:100]}' failed to satisfy constraint: Member is nested too deeply"
        return
    dot = f"{where}." if where else ""
    for name in shape.required_members:
        if given.get(name) is None:
            yield f"Value null at '{dot}{name}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if given.get(name) is not None:
            yield from _value(member, given[name], f"{dot}{name}")


def _list(shape: Any, given: list[Any], where: str) -> Iterator[str]:
    yield from _bounds(shape, len(given), where, "length")
    for number, one in enumerate(given):
        yield from _value(shape.member, one, f"{where}.{number + 1}.member")


def _map(shape: Any, given: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _bounds(shape, len(given), where, "length")
    for key, one in given.items():
        yield from _value(shape.key, key, f"{where}.key")
        yield from _value(shape.value, one, f"{where}.value")


def _string(shape: Any, given: str, where: str) -> Iterator[str]:
    yield from _bounds(shape, len(given), where, "length")
    allowed = shape.metadata.get("enum")
    if allowed and given not in allowed:
        listed = ", ".join(allowed)
        yield _must(where, f"satisfy enum value set: [{listed}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(_ours(pattern), given):
        yield _must(where, f"satisfy regular expression pattern: {pattern}")
    if "\x00" in given or any("\ud800" <= letter <= "\udfff" for letter in given):
        yield _must(where, "be text without NUL and without lone surrogates")


def _number(shape: Any, given: float, where: str) -> Iterator[str]:
    yield from _bounds(shape, given, where, "value")


def _bounds(shape: Any, size: float, where: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _must(where, f"have {what} greater than or equal to {least}")
    if most is not None and size > most:
        yield _must(where, f"have {what} less than or equal to {most}")


def _must(where: str, what: str) -> str:
    return f"Value at '{where}' failed to satisfy constraint: Member must {what}"


def _ours(pattern: str) -> str:
    """Python warns of `[` inside a set, which Java's patterns (AWS's) may write so."""
    return pattern.replace("[[", "[\\[")


def _nothing(_: Any, __: Any, ___: str) -> Iterator[str]:
    return iter(())


def _is_integer(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


def _is_number(given: Any) -> bool:
    return _is_integer(given) or (isinstance(given, float) and math.isfinite(given))


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "structure": lambda given: isinstance(given, dict),
    "list": lambda given: isinstance(given, list),
    "map": lambda given: isinstance(given, dict),
    "string": lambda given: isinstance(given, str),
    "boolean": lambda given: isinstance(given, bool),
    "integer": lambda given: _is_integer(given) and -(2**31) <= given < 2**31,
    "long": lambda given: _is_integer(given) and -(2**63) <= given < 2**63,
    "timestamp": _is_number,
}
INSIDE: Mapping[str, Callable[[Any, Any, str], Iterator[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
}
