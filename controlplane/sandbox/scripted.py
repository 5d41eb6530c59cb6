"""A vendor in memory: it does what its script says, and records what it was asked. No threads, no network.

For the engine's tests, its simulations and its benchmarks; the same contract as any driver.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from typing import Any

from monitors.base import (
    Artifact,
    Judgement,
    MonitorError,
    Outcome,
    Point,
    Progress,
    Task,
    Verdict,
)

Script = Callable[[Task, int], Progress | MonitorError]
"""Answers the n-th question (0: the start, then the looks) about a task."""


def succeed(task: Task, _asked: int) -> Progress:
    """Done at once; what was put in is put out."""
    artifacts = tuple(
        Artifact(name, source.digest, source.location, source.version, source.account)
        for name, source in zip(task.outputs, task.inputs, strict=False)
    )
    return Progress(Outcome.SUCCEEDED, handle=f"h-{task.token}", artifacts=artifacts)


def source_of(digest: str) -> Script:
    """A source whose newest revision has this digest."""

    def script(task: Task, _asked: int) -> Progress:
        location = f"s3://source/{digest[-8:]}.zip"
        made = tuple(Artifact(name, digest, location, "v1", "tools") for name in task.outputs)
        return Progress(Outcome.SUCCEEDED, handle="source", artifacts=made)

    return script


def after(looks: int, last: Outcome = Outcome.SUCCEEDED, summary: str = "") -> Script:
    """Running for so many looks, then ended."""

    def script(task: Task, asked: int) -> Progress:
        outcome = Outcome.RUNNING if asked < looks else last
        return Progress(outcome, handle=f"h-{task.token}", summary=summary)

    return script


def judging(*verdicts: Verdict) -> Script:
    """A watched signal: one verdict a look, the last for ever."""

    def script(_task: Task, asked: int) -> Progress:
        if not asked:
            return Progress(Outcome.RUNNING, handle="watching")
        verdict = verdicts[min(asked, len(verdicts)) - 1]
        return Progress(Outcome.RUNNING, judgement=Judgement(verdict, f"said {verdict}", samples=9))

    return script


def measuring(before: Sequence[float], after: Sequence[float], verdict: Verdict) -> Script:
    """A watched signal with one point a second on both sides; the verdict once every point was seen.

    Before that it passes, each look seeing one point more.
    """

    def script(task: Task, asked: int) -> Progress:
        since = task.since
        if not asked or since is None:
            return Progress(Outcome.RUNNING, handle="watching")
        seen = _points(after[:asked], since)
        said = verdict if asked >= len(after) else Verdict.PASS
        judged = Judgement(
            said,
            f"p95 {seen[-1].value:g} ms in {len(seen)} points",
            samples=len(seen),
            value=seen[-1].value,
            newest=seen[-1].at,
            before=_points(before, since - timedelta(seconds=len(before))),
            after=seen,
            chance=0.001,
            power=0.9,
        )
        return Progress(Outcome.RUNNING, judgement=judged)

    return script


def _points(values: Sequence[float], start: datetime) -> tuple[Point, ...]:
    return tuple(Point(start + timedelta(seconds=n), value) for n, value in enumerate(values))


class Scripted:
    """A driver that plays scripts: one for each action by name, or `default`."""

    def __init__(self, default: Script = succeed, *, inline: bool = False) -> None:
        self.default = default
        self.inline = inline
        self.scripts: dict[str, Script] = {}
        self.started: list[Task] = []
        self.stopped: list[Task] = []
        self.asked: dict[str, int] = defaultdict(int)

    def start(self, task: Task) -> Progress:
        """Idempotent under the token: a second start finds the first."""
        if task.token not in {known.token for known in self.started}:
            self.started.append(task)
        return self._answer(task, 0)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """One question about each."""
        answers: dict[str, Progress | MonitorError] = {}
        for task in tasks:
            self.asked[task.token] += 1
            answers[task.token] = self._script(task)(task, self.asked[task.token])
        return answers

    def stop(self, task: Task) -> None:
        """Only recorded."""
        self.stopped.append(task)

    def _script(self, task: Task) -> Script:
        return self.scripts.get(task.action, self.default)

    def _answer(self, task: Task, asked: int) -> Progress:
        answer = self._script(task)(task, asked)
        if isinstance(answer, MonitorError):
            raise answer
        return answer


class ScriptedAlarm:
    """An alarm that a drill sets; CloudWatch sets it back as often as it is told to, before anybody looks."""

    def __init__(self, setbacks: int = 0, error: MonitorError | None = None) -> None:
        self.value, self.reason = "OK", "it is well"
        self.setbacks = setbacks
        self.error = error
        self.set_to: list[str] = []

    def state(self, _alarm: Any) -> tuple[str, str]:
        """As it is; error: what is raised instead."""
        if self.error is not None:
            raise self.error
        return self.value, self.reason

    def set(self, _alarm: Any, state: str, reason: str) -> None:
        """Set it, and set it back where that is due."""
        self.set_to.append(state)
        if state == "ALARM" and self.setbacks:
            self.setbacks -= 1
            return
        self.value, self.reason = state, reason

    def watched(self, _task: Task, asked: int) -> Progress:
        """The rule that watches it: a script."""
        if not asked:
            return Progress(Outcome.RUNNING, handle="watching")
        verdict = Verdict.FAIL if self.value == "ALARM" else Verdict.PASS
        return Progress(
            Outcome.RUNNING, judgement=Judgement(verdict, f"the alarm is {self.value}", samples=1)
        )


class AtOnce(Executor):
    """Runs what is submitted where it stands: one thread, one order, no surprises."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it now."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future
