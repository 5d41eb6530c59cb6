"""A webhook's filters: do all of them match what was sent? Pure.

A filter names a place in the body by JSONPath, and the text that must stand there; `{Branch}` in it
stands for the target action's own configuration.
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_WebhookFilterRule.html
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

PATH = re.compile(r"\$(?:\.[A-Za-z0-9_-]+|\[[0-9]{1,4}\]|\['[^'\]]{1,100}'\])*")
STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[([0-9]{1,4})\]|\['([^'\]]{1,100})'\]")
PLACE = re.compile(r"\{([A-Za-z0-9_-]{1,50})\}")
NOTHING = object()


def readable(path: str) -> bool:
    """Answer whether a JSONPath is one that we follow: names and indexes, no wildcards."""
    return PATH.fullmatch(path) is not None


def match(
    filters: Sequence[Mapping[str, str]], body: Any, configuration: Mapping[str, str]
) -> bool:
    """Answer whether all match; a filter without matchEquals wants the place to be there."""
    return all(_matches(one, body, configuration) for one in filters)


def _matches(one: Mapping[str, str], body: Any, configuration: Mapping[str, str]) -> bool:
    found = at(one["jsonPath"], body)
    wanted = one.get("matchEquals")
    if found is NOTHING or wanted is None:
        return found is not NOTHING
    filled = PLACE.sub(lambda place: configuration.get(place[1], place[0]), wanted)
    return filled == _written(found)


def _written(found: Any) -> str | None:
    """Answer what stands there as text; None for what is nested deeper than can be written."""
    try:
        return found if isinstance(found, str) else json.dumps(found)
    except RecursionError:
        return None


def at(path: str, body: Any) -> Any:
    """Answer what stands at a path; NOTHING where nothing does."""
    for name, index, quoted in STEP.findall(path):
        key = name or quoted
        if index and isinstance(body, list) and int(index) < len(body):
            body = body[int(index)]
        elif not index and isinstance(body, dict) and key in body:
            body = body[key]
        else:
            return NOTHING
    return body
