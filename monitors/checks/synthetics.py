"""A CloudWatch Synthetics canary as a check: its own scheduled runs since the deployment decide.

Only runs that started after task.since count; StartCanary is no "run now". CANARY_FAILURE is the
site's (or the script's) and fails at once, retried by the canary or not; EXECUTION_FAILURE is the
harness's own and is tolerated HarnessRetries times. One DescribeCanariesLastRun for five canaries
tells which of them have news, and only the runs of those are read.
https://docs.aws.amazon.com/AmazonSynthetics/latest/APIReference/API_CanaryRunStatus.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.base import Clients
from accounts.models import Purpose
from monitors.base import MonitorError, Outcome, Progress, Task
from monitors.edge import asking, declared, each_task
from monitors.pace import pace
from monitors.values import text, whole

NAMES = 5
"""Canaries that one call takes by name."""
PAGES = 10
NAME = re.compile(r"[0-9a-z_-]{1,255}")
COMING = frozenset({"RUNNING", "STARTING", "UPDATING"})
"""States of a canary in which a further run will come."""

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tally:
    """What the runs since the deployment came to."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    harness: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What one call tells of a canary. last: its last run (one for each of its browsers)."""

    state: str
    last: tuple[Item, ...]


class SyntheticsCanary:
    """Waits for `Runs` passed runs of CanaryName."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Read what is wanted; the canary runs by its own schedule."""
        with declared():
            name, runs, _ = _wanted(task)
        return Progress(
            Outcome.RUNNING, name, f"waits for {runs} passed runs of {name}", pace(task)
        )

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Count the runs that ended since each task's own start."""
        place = tasks[0]
        where = f"{place.account} ({place.region})"
        given = {task.configuration.get("CanaryName", "") for task in tasks}
        names = sorted(name for name in given if NAME.fullmatch(name))
        with asking(f"read canaries in {where}"):
            client = self._clients.client("synthetics", place.account, place.region, Purpose.WATCH)
        facts: dict[str, Facts | MonitorError] = {}
        for first in range(0, len(names), NAMES):
            facts |= _facts(client, names[first : first + NAMES], where)
        runs: dict[str, list[Item]] = {}

        def one(task: Task) -> Progress:
            name, wanted, retries = _wanted(task)
            about = facts[name]
            if isinstance(about, MonitorError):
                raise about
            found: Sequence[Item] = ()
            if any(_is_after(run, task.since) for run in about.last):
                if name not in runs:
                    with asking(f"read the runs of canary {name} in {where}"):
                        runs[name] = _runs(client, name, _oldest(tasks, name))
                found = [run for run in runs[name] if _is_after(run, task.since)]
            return _progress(task, tally(found), (wanted, retries), about.state)

        return each_task(tasks, one)

    def stop(self, task: Task) -> None:
        """Do nothing: the canary was not started by us."""


def _wanted(task: Task) -> tuple[str, int, int]:
    name = text(task.configuration, "CanaryName")
    if not NAME.fullmatch(name):
        raise ValueError(f"CanaryName {name!r} cannot be one: small letters, digits, _ and - only")
    return (
        name,
        whole(task.configuration, "Runs", 1, least=1),
        whole(task.configuration, "HarnessRetries", 1),
    )


def _facts(client: Any, names: Sequence[str], where: str) -> dict[str, Facts | MonitorError]:
    """Read the state and the last runs of up to five canaries.

    One that is not ours to see refuses the call for all: then each is asked about alone.
    """
    try:
        with asking(f"read canaries {', '.join(names)} in {where}"):
            last = _pages(client.describe_canaries_last_run, "CanariesLastRun", names)
            canaries = _pages(client.describe_canaries, "Canaries", names)
    except MonitorError as error:
        if not error.permanent or len(names) == 1:
            return dict.fromkeys(names, error)
        alone = [_facts(client, [name], where) for name in names]
        return {name: about for each in alone for name, about in each.items()}
    states = {one["Name"]: one.get("Status", {}).get("State", "") for one in canaries}
    return {
        name: Facts(
            str(states.get(name, "missing")),
            tuple(one.get("LastRun", {}) for one in last if one.get("CanaryName") == name),
        )
        for name in names
    }


def _pages(call: Any, key: str, names: Sequence[str]) -> list[Item]:
    found: list[Item] = []
    token: dict[str, str] = {}
    for _ in range(PAGES):
        answer = call(Names=list(names), **token)
        found += answer.get(key, ())
        if not answer.get("NextToken"):
            break
        token = {"NextToken": answer["NextToken"]}
    return found


def _runs(client: Any, name: str, since: datetime | None) -> list[Item]:
    """Read the runs back to `since`: Synthetics answers the newest first."""
    found: list[Item] = []
    token: dict[str, str] = {}
    for _ in range(PAGES):
        answer = client.get_canary_runs(Name=name, MaxResults=100, **token)
        page = answer.get("CanaryRuns", ())
        found += page
        if not answer.get("NextToken") or not any(_is_after(run, since) for run in page):
            return found
        token = {"NextToken": answer["NextToken"]}
    return found


def _oldest(tasks: Sequence[Task], name: str) -> datetime | None:
    times = [task.since for task in tasks if task.configuration.get("CanaryName") == name]
    known = [time for time in times if time]
    return min(known) if len(known) == len(times) else None


def _is_after(run: Item, since: datetime | None) -> bool:
    started = run.get("Timeline", {}).get("Started")
    return isinstance(started, datetime) and (since is None or started > since)


def tally(runs: Sequence[Item]) -> Tally:
    """Sort runs that ended into passed, failed by the site, and failed by the harness."""
    passed, failed, harness = [], [], []
    for run in runs:
        status = run.get("Status", {})
        state, reason = status.get("State"), status.get("StateReasonCode")
        told = str(status.get("StateReason") or run.get("Id", "a run"))
        if state == "PASSED" and status.get("TestResult", "PASSED") == "PASSED":
            passed.append(str(run.get("Id", "")))
        elif state == "PASSED" or (state == "FAILED" and reason == "EXECUTION_FAILURE"):
            harness.append(told)
        elif state == "FAILED":
            failed.append(told)
    return Tally(tuple(passed), tuple(failed), tuple(harness))


def _progress(task: Task, found: Tally, wanted: tuple[int, int], state: str) -> Progress:
    runs, retries = wanted
    name = task.configuration["CanaryName"]
    output = {"Passed": str(len(found.passed)), "HarnessFailures": str(len(found.harness))}
    count = f"{len(found.passed)} of {runs} runs of {name} passed since the deployment"

    def ended(outcome: Outcome, summary: str) -> Progress:
        return Progress(outcome, name, summary, url=_console(task, name), output=output)

    if found.failed:
        return ended(Outcome.FAILED, f"{name} failed (CANARY_FAILURE): {found.failed[0]}")
    if len(found.passed) >= runs:
        return ended(Outcome.SUCCEEDED, count)
    if len(found.harness) > retries:
        told = f"the harness of {name} failed {len(found.harness)} times (EXECUTION_FAILURE)"
        return ended(Outcome.FAILED, f"{told}, which says nothing of the site: {found.harness[0]}")
    if state not in COMING:
        raise MonitorError(
            f"canary {name} is {state}, so no run will come: create or start it "
            f"(or correct CanaryName); {count}",
            permanent=True,
        )
    return Progress(Outcome.RUNNING, name, count, pace(task), _console(task, name), output)


def _console(task: Task, name: str) -> str:
    region = task.region
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home"
        f"?region={region}#synthetics:canary/detail/{name}"
    )
