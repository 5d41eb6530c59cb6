"""The single findings that are new, the worst first, as a person who decides sees them. Pure, and bounded.

What stops a release is only a part of it: what is below FailOn, and what is suppressed, is new all the same.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from monitors.checks.inspector_gate import (
    SEVERITIES,
    Finding,
    Gate,
    Kind,
    Sorted,
    is_old,
    kind,
    names,
)

KEY = "NewFindings"
"""The output variable that holds them, as JSON: findings, more (how many are not in it), all (False where
Inspector had more than was read)."""
MOST = 20
NONE = frozenset({"", "NotAvailable"})
"""What Inspector says for a fixed version that there is none of."""
LENGTHS: Mapping[str, int] = {
    "id": 100,
    "title": 160,
    "package": 100,
    "version": 60,
    "fixed": 60,
    "accepted": 160,
}
"""Characters of each text; severity is one of SEVERITIES."""


def new_findings(
    gate: Gate,
    found: Sorted,
    listed: Iterable[Finding],
    old: tuple[frozenset[Kind], datetime | None],
    today: date,
    *,
    whole: bool,
) -> dict[str, str]:
    """One output variable. listed: findings besides those that stop. old: known, and since, as of `sort`.

    whole: nothing was left unread.
    """
    stopping = {kind(one) for one in found.stopping}
    active = [one for one in listed if one.get("status") == "ACTIVE" and not is_old(one, *old)]
    places: dict[Kind, list[Finding]] = {}
    for one in (*found.stopping, *active):
        places.setdefault(kind(one), []).append(one)
    worst = sorted(places, key=lambda of: (_rank(places[of][0]), of not in stopping, of))
    said = [_said(gate, places[of], today, stops=of in stopping) for of in worst[:MOST]]
    document = {"findings": said, "more": len(worst) - len(said), "all": whole}
    return {KEY: json.dumps(document, separators=(",", ":"))}


def _rank(finding: Finding) -> int:
    severity = finding.get("severity")
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _said(gate: Gate, same: Sequence[Finding], today: date, *, stops: bool) -> dict[str, Any]:
    """One vulnerability, however many resources have it."""
    one = same[0]
    details = one.get("packageVulnerabilityDetails") or {}
    packages = details.get("vulnerablePackages") or ()
    texts = {
        "id": kind(one)[0],
        "title": str(one.get("title", "")),
        "package": _each(packages, "name"),
        "version": _each(packages, "version"),
        "fixed": _each(packages, "fixedInVersion"),
        "accepted": next(
            (
                f"until {hiding.until}: {hiding.reason}"
                for hiding in gate.suppressions
                if hiding.id in names(one) and hiding.until >= today
            ),
            "",
        ),
    }
    return {
        "severity": SEVERITIES[_rank(one)] if _rank(one) < len(SEVERITIES) else "UNTRIAGED",
        **{key: _cut(text, LENGTHS[key]) for key, text in texts.items()},
        "resources": len({str(r.get("id", "")) for f in same for r in f.get("resources") or ()}),
        "stops": stops,
    }


def _each(packages: Iterable[Mapping[str, Any]], key: str) -> str:
    found = (str(one.get(key) or "") for one in packages)
    return ", ".join(dict.fromkeys(text for text in found if text not in NONE))


def _cut(text: str, most: int) -> str:
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    return text if len(text) <= most else f"{text[: most - 1]}…"
