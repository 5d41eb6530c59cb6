"""Checks an answer that botocore parsed against botocore's own output shape."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "double": (float, int),
    "float": (float, int),
    "integer": (int,),
    "long": (int,),
    "string": (str,),
    "timestamp": (datetime,),
}


def faults(value: Any, shape: Any, where: str = "") -> Iterator[str]:
    """Answer every way in which a value is not of its shape: types, required members, enums."""
    if shape.type_name == "structure":
        yield from _structure(value, shape, where)
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from faults(item, shape.member, f"{where}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from faults(item, shape.value, f"{where}[{key!r}]")
    elif shape.type_name in TYPES and not isinstance(value, TYPES[shape.type_name]):
        yield f"{where} is no {shape.type_name} but {value!r}"
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{where} is {value!r}, none of {shape.enum}"


def _structure(value: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is no structure but {value!r}"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{where}.{name} is missing"
    for name, item in value.items():
        if name in shape.members:
            yield from faults(item, shape.members[name], f"{where}.{name}")
        elif name != "ResponseMetadata":
            yield f"{where}.{name} is not in the shape"
