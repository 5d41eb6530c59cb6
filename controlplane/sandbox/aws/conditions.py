"""IAM's condition operators, as far as the sandbox knows them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Compare = Callable[[str, str], bool]


@lru_cache(maxsize=4096)
def wildcards(text: str, flags: int = 0) -> re.Pattern[str]:
    """Compile IAM's wildcards: `*` any run of characters, `?` one."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in text)
    return re.compile("".join(parts), flags | re.DOTALL)


def _equals(given: str, wanted: str) -> bool:
    return given == wanted


def _like(given: str, wanted: str) -> bool:
    return wildcards(wanted).fullmatch(given) is not None


def _equals_ignoring_case(given: str, wanted: str) -> bool:
    return given.lower() == wanted.lower()


def _at_most(given: str, wanted: str) -> bool:
    return given.isdecimal() and wanted.isdecimal() and int(given) <= int(wanted)


OPERATORS: dict[str, tuple[Compare, bool]] = {
    "StringEquals": (_equals, True),
    "StringNotEquals": (_equals, False),
    "StringEqualsIgnoreCase": (_equals_ignoring_case, True),
    "StringNotEqualsIgnoreCase": (_equals_ignoring_case, False),
    "StringLike": (_like, True),
    "StringNotLike": (_like, False),
    "ArnEquals": (_like, True),
    "ArnLike": (_like, True),
    "ArnNotEquals": (_like, False),
    "ArnNotLike": (_like, False),
    "Bool": (_equals_ignoring_case, True),
    "NumericLessThanEquals": (_at_most, True),
}
"""How an operator compares, and whether it asks for a match or for none."""


def satisfied(
    conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str | None], *, default: bool
) -> bool:
    """Whether every condition holds; one that we do not know answers `default`."""
    return all(
        _holds(operator, key.lower(), wanted, context, default=default)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(
    operator: str, key: str, wanted: Any, context: Mapping[str, str | None], *, default: bool
) -> bool:
    name = operator.rpartition(":")[2]  # ForAnyValue:, ForAllValues: our keys have one value
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    values = [_text(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
    if name == "Null" and key in context:
        return (context[key] is None) == (values == ["true"])
    if name not in OPERATORS or key not in context:
        return default
    compare, positive = OPERATORS[name]
    given = context[key]
    if given is None:
        return optional or not positive or operator.startswith("ForAllValues:")
    return any(compare(given, value) for value in values) == positive


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
