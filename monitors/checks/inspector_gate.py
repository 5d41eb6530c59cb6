"""Which of Inspector's findings stop a release, and how that is told. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from monitors.values import Configuration, choice, flag, json_list

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED")
"""From the worst down. What nobody has rated yet (UNTRIAGED) counts only where it is asked for."""
SUPPRESSIONS = 200
SHOWN = 5
LENGTH = 1000

Finding = Mapping[str, Any]
Kind = tuple[str, str]
"""What makes findings of two images the same one: the vulnerability and the package."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A finding (vulnerability id or finding ARN) that is accepted to the end of a day (UTC)."""

    id: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True)
class Gate:
    """What stops a release."""

    severities: tuple[str, ...]
    new_only: bool
    fix_available: bool
    exploit: bool
    suppressions: tuple[Suppression, ...]

    def matches(self, finding: Finding) -> bool:
        """Say whether a finding is of those that stop; the request's filter is not trusted."""
        return (
            finding.get("status") == "ACTIVE"
            and finding.get("severity") in self.severities
            and (not self.fix_available or finding.get("fixAvailable") in {"YES", "PARTIAL"})
            and (not self.exploit or finding.get("exploitAvailable") == "YES")
        )


@dataclass(frozen=True, slots=True)
class Sorted:
    """What became of the findings. expired: suppressions that would have hidden one."""

    stopping: tuple[Finding, ...]
    older: int
    suppressed: int
    expired: tuple[Suppression, ...]


def gate(configuration: Configuration) -> Gate:
    """Read what stops a release; ValueError with a sentence where it is wrong."""
    worst = choice(configuration, "FailOn", SEVERITIES, "HIGH")
    return Gate(
        severities=SEVERITIES[: SEVERITIES.index(worst) + 1],
        new_only=flag(configuration, "NewOnly", default=True),
        fix_available=flag(configuration, "FixAvailable"),
        exploit=flag(configuration, "Exploit"),
        suppressions=tuple(
            _suppression(entry)
            for entry in json_list(configuration, "Suppressions", most=SUPPRESSIONS)
        ),
    )


def _suppression(entry: Mapping[str, Any]) -> Suppression:
    name, until, reason = (entry.get(key) for key in ("id", "until", "reason"))
    if not isinstance(name, str) or not name:
        raise ValueError("Suppressions: every entry needs the id of a vulnerability or a finding")
    try:
        day = date.fromisoformat(str(until))
    except ValueError:
        raise ValueError(
            f"Suppressions: {name}: until {until!r} is no date such as 2026-03-31: "
            f"a suppression needs an end"
        ) from None
    return Suppression(name, day, str(reason or ""))


def kind(finding: Finding) -> Kind:
    """Tell the vulnerability (or the title, where it is none of a package) and its packages."""
    details = finding.get("packageVulnerabilityDetails") or {}
    packages = sorted(str(one.get("name", "")) for one in details.get("vulnerablePackages") or ())
    return str(details.get("vulnerabilityId") or finding.get("title", "")), ",".join(packages)


def is_of(finding: Finding, digest: str) -> bool:
    """Say whether a finding is of the image of that digest; no other one excuses anything."""
    return any(digest in str(one.get("id", "")) for one in finding.get("resources") or ())


def sort(
    gate: Gate,
    findings: Iterable[Finding],
    known: frozenset[Kind],
    since: datetime | None,
    today: date,
) -> Sorted:
    """Sort findings into those that stop, older ones and suppressed ones.

    Old (with NewOnly) is what the digest now in the target has too (known), and what was first seen
    before `since`.
    """
    stopping: list[Finding] = []
    older = suppressed = 0
    expired: dict[str, Suppression] = {}
    for finding in filter(gate.matches, findings):
        if gate.new_only and is_old(finding, known, since):
            older += 1
            continue
        hiding = [one for one in gate.suppressions if one.id in names(finding)]
        if any(one.until >= today for one in hiding):
            suppressed += 1
            continue
        expired.update((one.id, one) for one in hiding)
        stopping.append(finding)
    stopping.sort(key=lambda finding: SEVERITIES.index(str(finding["severity"])))
    return Sorted(tuple(stopping), older, suppressed, tuple(expired.values()))


def is_old(finding: Finding, known: frozenset[Kind], since: datetime | None) -> bool:
    """Say whether what stood there before had it, too."""
    first = finding.get("firstObservedAt")
    return kind(finding) in known or (
        since is not None and isinstance(first, datetime) and first < since
    )


def names(finding: Finding) -> set[str]:
    """What a suppression may call it."""
    return {kind(finding)[0], str(finding.get("findingArn", ""))} - {""}


def told(gate: Gate, found: Sorted) -> str:
    """Say it in a sentence: how many, the worst few, and what was left out and why."""
    new = "new " if gate.new_only else ""
    count = len(found.stopping)
    lowest = gate.severities[-1]
    parts = [f"{count or 'no'} {new}finding{'' if count == 1 else 's'} of {lowest} or worse"]
    if count:
        parts[0] += ": " + ", ".join(_short(finding) for finding in found.stopping[:SHOWN])
        parts[0] += f" and {count - SHOWN} more" if count > SHOWN else ""
    if found.older:
        parts.append(f"{found.older} were there before")
    if found.suppressed:
        parts.append(f"{found.suppressed} suppressed")
    parts += [f"the suppression of {one.id} expired on {one.until}" for one in found.expired]
    return "; ".join(parts)[:LENGTH]


def _short(finding: Finding) -> str:
    name, packages = kind(finding)
    told = [str(finding["severity"]), packages[:60]]
    told += ["fix available"] if finding.get("fixAvailable") in {"YES", "PARTIAL"} else []
    told += ["exploit known"] if finding.get("exploitAvailable") == "YES" else []
    return f"{name} ({', '.join(part for part in told if part)})"


def counts(found: Sorted, all_of: Sequence[str] = SEVERITIES) -> dict[str, str]:
    """Count per severity as output variables, and what was left out; the ids as evidence."""
    by = Counter(str(finding["severity"]) for finding in found.stopping)
    ids = ",".join(dict.fromkeys(kind(finding)[0] for finding in found.stopping))
    return {
        **{severity: str(by[severity]) for severity in all_of},
        "Older": str(found.older),
        "Suppressed": str(found.suppressed),
        "Findings": ids[:LENGTH],
    }
