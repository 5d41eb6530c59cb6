"""Reading a rule's or an action's configuration: strings in, values out, bounded.

Everything here raises ValueError with a sentence that names the key and the mend; a driver turns it
into a permanent MonitorError.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

Configuration = Mapping[str, str]

JSON_LIMIT = 64 * 1024
"""Characters of JSON that a configuration value may hold."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,7})([smhd])")


def text(configuration: Configuration, key: str) -> str:
    """Read the value of a key that must be there."""
    value = configuration.get(key, "")
    if not value:
        raise ValueError(f"{key} is missing: write it into the configuration")
    return value


def duration(configuration: Configuration, key: str, default: timedelta) -> timedelta:
    """Read a length of time such as 20s, 5m, 2h or 7d."""
    value = configuration.get(key, "")
    if not value:
        return default
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(f"{key}: {value!r} is no duration: write one such as 20s, 5m or 2h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def whole(configuration: Configuration, key: str, default: int, *, least: int = 0) -> int:
    """Read a whole number that is at least `least`."""
    value = configuration.get(key, "")
    if not value:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < least:
        raise ValueError(f"{key}: {value!r} is no whole number from {least} up")
    return int(value)


def number(configuration: Configuration, key: str, default: float | None = None) -> float:
    """Read a finite number; it must be there where there is no default."""
    value = configuration.get(key, "")
    if not value and default is not None:
        return default
    try:
        found = float(text(configuration, key))
    except ValueError as error:
        wrong = f"{key}: {value!r} is no number, such as 0.05" if value else str(error)
        raise ValueError(wrong) from None
    if not math.isfinite(found):
        raise ValueError(f"{key}: {value!r} is no finite number")
    return found


def flag(configuration: Configuration, key: str, *, default: bool = False) -> bool:
    """Either of true and false."""
    value = configuration.get(key, "") or str(default).lower()
    if value not in {"true", "false"}:
        raise ValueError(f"{key}: {value!r} is neither true nor false")
    return value == "true"


def choice(configuration: Configuration, key: str, choices: Sequence[str], default: str) -> str:
    """One of the choices."""
    value = configuration.get(key, "") or default
    if value not in choices:
        raise ValueError(f"{key}: {value!r} is none of {', '.join(choices)}")
    return value


def json_list(configuration: Configuration, key: str, *, most: int) -> list[dict[str, Any]]:
    """Read a JSON list of at most `most` objects; empty where the key is not there."""
    found = _json(configuration, key, "[]")
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ValueError(f"{key} must be a JSON list of objects")
    if len(found) > most:
        raise ValueError(f"{key} has {len(found)} entries: at most {most} are taken")
    return found


def json_object(configuration: Configuration, key: str) -> dict[str, Any]:
    """Read a JSON object; empty where the key is not there."""
    found = _json(configuration, key, "{}")
    if not isinstance(found, dict):
        raise ValueError(f"{key} must be a JSON object")  # noqa: TRY004 - the text is wrong
    return found


def _json(configuration: Configuration, key: str, empty: str) -> Any:
    value = configuration.get(key, "") or empty
    if len(value) > JSON_LIMIT:
        raise ValueError(f"{key} is longer than {JSON_LIMIT} characters: write less")
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{key} is not JSON: {error}") from None
