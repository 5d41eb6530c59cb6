"""Rules, read once before a release needs them: what cannot be read is named, and where an alarm really is.

For the doctor. Nothing is started or changed; what a rule says of the service now is told, not blamed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from accounts.base import Clients
from accounts.preflight import Finding, Hop, Problem, walk
from controlplane.actions.base import ActionDriver, MonitorError, Progress, Task
from controlplane.actions.hops import NO_ALARM
from monitors.base import Judgement, Verdict

READ = frozenset({"CloudWatchMetric", "DeploymentWindow", "OpenIncident", "PrometheusQuery"})
"""Providers of rules that are read as the gate reads them; an alarm is a hop of its own."""

MENDS: Mapping[Verdict, str] = {
    Verdict.NO_DATA: "Correct the name, or let the service send it: silence never passes.",
    Verdict.UNREACHABLE: "Correct what the message names.",
}


class Read(NamedTuple):
    """How it went. mend: "" where it could be read. silent: it could, and there was nothing to read."""

    ok: bool
    message: str
    mend: str = ""
    silent: bool = False


def read_once(driver: ActionDriver, task: Task) -> Read:
    """Look at a rule as it will be looked at; whatever is wrong with it is the answer."""
    try:
        driver.start(task)
        found: Any = driver.look([task]).get(task.token)
    except MonitorError as error:
        found = error
    if isinstance(found, MonitorError) or found is None:
        again = found is not None and not found.permanent
        return Read(False, f"{_name(task)}: {found or 'no answer'}", _mend(again=again))
    return _told(task, found)


def _told(task: Task, found: Progress) -> Read:
    seen = found.judgement or Judgement(Verdict.PASS, found.summary)
    mend = MENDS.get(seen.verdict, "")
    silent = seen.verdict is Verdict.NO_DATA
    return Read(not mend, f"{_name(task)}: {seen.verdict}, {seen.reason}", mend, silent)


def _name(task: Task) -> str:
    return f"{task.stage}/{task.action}"


def _mend(*, again: bool) -> str:
    return "Try again in a minute." if again else "Correct what the message names."


def elsewhere(clients: Clients, findings: Sequence[Finding]) -> list[Finding]:
    """Say of an alarm that is not where it is looked for in which region of the account it is."""
    return [_found_elsewhere(clients, one) if _is_missing(one) else one for one in findings]


def _is_missing(finding: Finding) -> bool:
    return not finding.ok and finding.message.startswith(NO_ALARM)


def _found_elsewhere(clients: Clients, finding: Finding) -> Finding:
    hop = finding.hop
    others = [r for r in clients.registry.get(hop.account).regions if r != hop.region]
    walked = walk(clients, [_there(hop, region) for region in others])
    found = [one.hop.region for one in walked if one.ok]
    if not found:
        return finding
    name = hop.parameters["AlarmNames"][0]
    message = f"Alarm {name} of {hop.account} is in {found[0]}, the rule looks in {hop.region}."
    return replace(finding, message=message, mend=f"Write region: {found[0]} on the rule.")


def _there(hop: Hop, region: str) -> Hop:
    def check(answer: Mapping[str, Any]) -> Problem | None:
        found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        return None if found else (NO_ALARM, "")

    return replace(hop, region=region, check=check)
