"""The single findings of a scan, as they were stored with its result. Bounded where they were made. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from monitors.checks.inspector_evidence import KEY, LENGTHS
from monitors.checks.inspector_gate import SEVERITIES

PROVIDER = "InspectorFindings"
NONE: Mapping[str, Any] = {"findings": [], "more": 0, "all": True}
Document = dict[str, Any]


def single(output: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Document:
    """What is new of a scan: findings (the worst first), more (how many others), all (nothing was left unread).

    before: the output of the same scan of what stands where it goes; what that lists is no news there.
    """
    own, there = _read(output), _read(before or {})
    known = {_key(one) for one in there["findings"]}
    kept = [one for one in own["findings"] if _key(one) not in known]
    return {"findings": kept, "more": own["more"], "all": own["all"]}


def counts(output: Mapping[str, Any]) -> Document:
    """What a scan counted, without the single ones."""
    return {key: value for key, value in output.items() if key != KEY}


def line(one: Mapping[str, Any]) -> str:
    """One finding in a line of text."""
    package = " ".join(part for part in (one["package"], one["version"]) if part)
    fixed = f"fixed in {one['fixed']}" if one["fixed"] else "no fixed version"
    title = one["title"] if one["title"] and one["id"] not in one["title"] else ""
    said = [f"{one['severity']} {one['id']}", title, package, fixed]
    return ", ".join(part for part in said if part)


def _key(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["id"], one["package"]


def _read(output: Mapping[str, Any]) -> Document:
    """What an older version stored has none of it; what cannot be read is none."""
    try:
        found = json.loads(output[KEY])
        rows = [_finding(one) for one in found["findings"]]
        return {"findings": rows, "more": int(found["more"]), "all": bool(found["all"])}
    except (KeyError, ValueError, TypeError, AttributeError):
        return dict(NONE)


def _finding(one: Mapping[str, Any]) -> Document:
    return {
        "severity": SEVERITIES[SEVERITIES.index(one["severity"])],
        **{key: str(one[key]) for key in LENGTHS},
        "resources": int(one["resources"]),
        "stops": bool(one["stops"]),
    }
