"""A handler's answer -> what the operation's shape has: nothing else goes out, and nothing empty."""

from collections.abc import Mapping
from typing import Any

from botocore.model import Shape


def build(shape: Shape | None, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Write an answer. Times are seconds since the epoch already, as JSON 1.1 has them.

    KeyError where a handler answers what the shape does not have: a fault of ours, not a silent loss.
    """
    if shape is None:
        return {}
    built: dict[str, Any] = _write(shape, answer)
    return built


def _write(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        members = shape.members
        kept = {name: one for name, one in value.items() if one is not None and one != ""}
        return {name: _write(members[name], one) for name, one in kept.items()}
    if shape.type_name == "list":
        return [_write(shape.member, one) for one in value]
    return dict(value) if shape.type_name == "map" else value
