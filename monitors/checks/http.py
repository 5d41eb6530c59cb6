"""HTTP journeys as a check: a few requests in a row, each with what is expected of its answer.

A look runs the whole journey within ten seconds, so no state is kept between looks and a crash only
means that it runs once more. Right after a deployment the first tries may fail: `Attempts` and
`Every` say how long to keep trying; the time of the start and not a counter decides.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import httpx

from monitors.base import MonitorError, Outcome, Progress, Task
from monitors.checks.http_steps import Step, faults, steps
from monitors.edge import declared, each_task
from monitors.values import Configuration, duration, text, whole
from monitors.web import TooLargeError, TooSlowError, checked, fetch

BUDGET = timedelta(seconds=10)
"""How long one look may be at one journey, all steps together."""
LIMIT = 1024 * 1024
"""Bytes of an answer that are read."""
EVERY = timedelta(seconds=10)
AGENT = {"User-Agent": "towpath"}
SOON = timedelta(milliseconds=200)


class HttpJourney:
    """Walks through Steps. sites: base addresses by the names of the settings."""

    endpoint = ("Site", "BaseUrl")

    def __init__(
        self, http: httpx.Client, now: Callable[[], datetime], sites: Mapping[str, str]
    ) -> None:
        self._http = http
        self._now = now
        self._sites = sites

    def start(self, task: Task) -> Progress:
        """Read the journey; the first look walks it."""
        with declared():
            found = steps(task.configuration, self._base(task.configuration))
            self._patience(task)
            self._time_out(task.configuration)
        summary = f"a journey of {len(found)} steps"
        return Progress(Outcome.RUNNING, handle=task.token, summary=summary, look_after=SOON)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Walk each journey; those that this look has no time for are told so."""
        deadline = self._now() + BUDGET

        def one(task: Task) -> Progress:
            if self._now() > deadline - BUDGET * 0.8 and task is not tasks[0]:
                summary = "waits for other journeys"
                return Progress(Outcome.RUNNING, task.token, summary, look_after=SOON)
            return self._look(task)

        return each_task(tasks, one)

    def stop(self, task: Task) -> None:
        """Do nothing: nothing runs between looks."""

    def _look(self, task: Task) -> Progress:
        found = steps(task.configuration, self._base(task.configuration))
        fault = self._walk(found, self._time_out(task.configuration))
        if not fault:
            summary = f"all {len(found)} steps answered as expected"
            return Progress(Outcome.SUCCEEDED, task.token, summary)
        every, until = self._patience(task)
        if self._now() + every <= until:
            again = f"{fault}; again in {every.total_seconds():g}s"
            return Progress(Outcome.RUNNING, task.token, again, look_after=every)
        return Progress(Outcome.FAILED, task.token, fault)

    def _walk(self, found: Sequence[Step], time_out: timedelta) -> str:
        """Say what the first step that went wrong is, expected and got; "" where none did."""
        deadline = self._now() + BUDGET
        for number, step in enumerate(found, start=1):
            left = min(time_out, deadline - self._now())
            if left <= timedelta(0):
                return f"step {number} ({step.name}): the journey took longer than 10s before it"
            wrong = self._step(step, left)
            if wrong:
                return f"step {number} ({step.name}): {wrong}"
        return ""

    def _step(self, step: Step, within: timedelta) -> str:
        # Not the client's own request: that would carry cookies of other journeys.
        request = httpx.Request(
            step.method, step.url, headers={**AGENT, **step.headers}, content=step.body
        )
        try:
            answer = fetch(
                self._http, request, self._now, limit=LIMIT, within=within, follow=step.follow
            )
        except httpx.TimeoutException:
            return f"expected an answer within {within.total_seconds():g}s, got none"
        except (httpx.HTTPError, TooLargeError, TooSlowError) as error:
            return f"expected an answer, got {type(error).__name__}: {error}"
        return "; ".join(faults(step, answer))

    def _base(self, configuration: Configuration) -> str:
        name = configuration.get("Site", "")
        if not name:
            url = configuration.get("BaseUrl", "")
            return checked(url) if url else ""
        if name not in self._sites:
            known = ", ".join(sorted(self._sites)) or "none"
            raise ValueError(f"there is no site {name!r} in the settings; known: {known}")
        return checked(self._sites[text(configuration, "Site")])

    def _time_out(self, configuration: Configuration) -> timedelta:
        found = duration(configuration, "Timeout", BUDGET)
        if not timedelta(0) < found <= BUDGET:
            raise ValueError("Timeout: a step may take from 1s to 10s")
        return found

    def _patience(self, task: Task) -> tuple[timedelta, datetime]:
        """Say how far apart the tries are, and until when there may be a further one."""
        every = duration(task.configuration, "Every", EVERY)
        attempts = whole(task.configuration, "Attempts", 1, least=1)
        return every, (task.since or self._now()) + every * (attempts - 1) + every / 2
