"""Approvals: what nobody could ever fulfil is refused before it waits for a week."""

import re
from collections.abc import Iterator, Mapping

from accounts.yaml_text import Path
from controlplane.declarations.approval_keys import APPROVAL_KEYS, GROUP, approvers
from controlplane.declarations.durations import parse_duration
from controlplane.declarations.findings import Finding
from controlplane.declarations.keys import fault
from controlplane.declarations.model import ActionDeclaration, PipelineDeclaration
from controlplane.declarations.walk import actions

WEEK_MINUTES = 7 * 24 * 60
NAMED = re.compile(r"(group: ?)?(?!group:)[^\s,:\[\]{}\"'][^,\[\]{}\"\x00-\x1f]{0,199}")
MEND = "write names and group:NAME with commas between them, such as group:release, anne"


def check_approvals(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield what is wrong with what approvals ask for."""
    for placed in actions(declaration):
        if placed.item.action_type_id.category == "Approval":
            given = placed.item.configuration
            path = (*placed.path, "configuration")
            if all(fault(key, given[n]) is None for n, key in APPROVAL_KEYS.items() if n in given):
                yield from _approvers(path, given)
                yield from _reminder(path, placed.item)


def _approvers(path: Path, given: Mapping[str, str]) -> Iterator[Finding]:
    if "Approvers" not in given:
        return
    entries, path = approvers(given["Approvers"]), (*path, "Approvers")
    wrong = next((one for one in entries if not NAMED.fullmatch(one)), None)
    if wrong is not None or not entries:
        yield Finding(path, f"{wrong or ''!r} names nobody: {MEND}")
        return
    twice = next((one for one in entries if entries.count(one) > 1), None)
    if twice is not None:
        yield Finding(path, f"{twice} is there twice: keep it once")
    quorum = int(given.get("Quorum", "1"))
    names = set(entries)
    if quorum > len(names) and not any(one.startswith(GROUP) for one in names):
        said = f"only {len(names)} may approve, and Quorum asks for {quorum}: name more, or a group"
        yield Finding(path, said)


def _reminder(path: Path, action: ActionDeclaration) -> Iterator[Finding]:
    given = action.configuration.get("RemindAfter")
    minutes = action.timeout_in_minutes or WEEK_MINUTES
    if given is not None and parse_duration(given).total_seconds() >= minutes * 60:
        said = f"{given} is no sooner than the approval's end ({minutes} minutes): remind sooner"
        yield Finding((*path, "RemindAfter"), said)
