"""What an unquoted scalar of a pipeline means: null, true, 12 and 1.5 are no text there."""

import re

from accounts.yaml_text import Plain, is_nothing

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_MAX_NUMBER = 300


def resolve(value: object) -> Json:
    """Say what a piece of data means as JSON: unquoted true, null, 12 and 1.5 are no text there.

    What JSON would not call a number (012, 1_000, 2026-06-01) stays the text that it is.
    """
    if isinstance(value, dict):
        return {str(key): resolve(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item) for item in value]
    return _scalar(value) if isinstance(value, Plain) else str(value)


def _scalar(text: Plain) -> Json:
    if is_nothing(text):
        return None
    if text.lower() in {"true", "false"} and text in {text.lower(), text.title(), text.upper()}:
        return text.lower() == "true"
    match = _NUMBER.fullmatch(text) if len(text) <= _MAX_NUMBER else None
    if match is None:
        return str(text)
    if match.group(1) is None and match.group(2) is None:
        return int(text)
    number = float(text)
    return number if abs(number) != float("inf") else str(text)
