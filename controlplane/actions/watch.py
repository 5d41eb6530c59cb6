"""Rules that watch: a signal before and after the stage's first deployment, judged at every look.

The engine ends a watch when its bake is over; a watch never ends itself. After a rollback the same
signals are asked whether it is well again (RecoveryDriver), which does end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from monitors.base import Judgement, Query, Series, Signal, Verdict
from monitors.criteria import Criteria, criteria
from monitors.edge import declared
from monitors.judge import judge
from monitors.values import duration, whole

INTERVAL = timedelta(seconds=10)
BASELINE = timedelta(minutes=5)
AT_ONCE = timedelta(milliseconds=200)
AGAIN = timedelta(seconds=1)
RECOVERED_AFTER = 2
LONGEST = timedelta(hours=6)
"""So much is read back at a look: a watch may last for days, and vendors answer with so many points only."""
HANDLE = "watching"

Reading = Series | MonitorError


class WatchDriver:
    """Adapts a signal to the contract of a rule's driver."""

    def __init__(self, signal: Signal) -> None:
        """Take the signal; its clock is the tasks' own `now`."""
        self._signal = signal
        self.endpoint: Sequence[str] = getattr(signal, "endpoint", ())

    def start(self, task: Task) -> Progress:
        """Begin to watch: the first look is due at once, for the deployment began before."""
        with declared():
            criteria(task.configuration)
        return Progress(Outcome.RUNNING, HANDLE, "watching", AT_ONCE)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all windows in one call, and judge each signal. Never ends a watch."""
        rules, answers = _understood(tasks, lambda task: criteria(task.configuration))
        read = _read(self._signal, [query for rule in rules for query in _windows(rule.task)])
        for rule in rules:
            token, now = rule.task.token, _now(rule.task)
            before, after = read[f"{token}/before"], read[f"{token}/after"]
            if isinstance(after, MonitorError) and after.postponed:
                answers[token] = _postponed(rule, after, now)
                continue
            seen = judge(rule.criteria, before, after, now)
            answers[token] = Progress(
                Outcome.RUNNING, HANDLE, seen.reason, rule.interval, judgement=seen
            )
        return answers

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""


class RecoveryDriver:
    """Ends well once the newest points since it began are good: the rollback has helped.

    RecoveryDatapoints (2) are wanted; one look at an alarm is enough, it has counted for itself. It
    waits for as long as it is let: the engine's time-out is what says that it has not helped.
    """

    def __init__(self, signal: Signal) -> None:
        """Take the signal."""
        self._signal = signal
        self.endpoint: Sequence[str] = getattr(signal, "endpoint", ())

    def start(self, task: Task) -> Progress:
        """Begin: what was measured before this moment was under the bad release."""
        with declared():
            _recovery(task)
        return Progress(Outcome.RUNNING, HANDLE, "waiting for fresh points", timedelta(seconds=1))

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all signals in one call."""
        rules, answers = _understood(tasks, _recovery)
        read = _read(self._signal, [_after(rule.task) for rule in rules])
        for rule in rules:
            after = read[f"{rule.task.token}/after"]
            seen = judge(rule.criteria, Series(), after, _now(rule.task))
            answers[rule.task.token] = _recovered(seen, rule.interval)
        return answers

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A task whose configuration was understood."""

    task: Task
    criteria: Criteria
    interval: timedelta


def _understood(
    tasks: Sequence[Task], read: Callable[[Task], Criteria]
) -> tuple[list[Rule], dict[str, Progress | MonitorError]]:
    """Read each task's rule; a wrong one gets its error and spoils no other."""
    rules: list[Rule] = []
    wrong: dict[str, Progress | MonitorError] = {}
    for task in tasks:
        try:
            with declared():
                duration(task.configuration, "Baseline", BASELINE)
                every = duration(task.configuration, "Interval", INTERVAL)
                rules.append(Rule(task, read(task), every))
        except MonitorError as error:
            wrong[task.token] = error
    return rules, wrong


def _postponed(rule: Rule, error: MonitorError, now: datetime) -> Progress | MonitorError:
    """No verdict is a look that we put off ourselves: the last one stands, until it is too old."""
    last = rule.task.judged or _since(rule.task)
    if not rule.criteria.overdue(last, now):
        return error
    reason = (
        f"{rule.criteria.label} has not been looked at for {(now - last).total_seconds():.0f}s: "
        f"Towpath's own throttle holds the calls back ({error})"
    )
    seen = Judgement(Verdict.UNREACHABLE, reason)
    return Progress(Outcome.RUNNING, HANDLE, reason, AGAIN, judgement=seen)


def _recovery(task: Task) -> Criteria:
    """Read what must hold of the newest points: a bad one among them is waited on."""
    rule = criteria(task.configuration)
    if rule.alarm:
        return rule
    points = whole(task.configuration, "RecoveryDatapoints", RECOVERED_AFTER, least=1)
    return replace(rule, needed=1, window=points, minimum_samples=points)


def _recovered(seen: Judgement, every: timedelta) -> Progress:
    if seen.verdict is Verdict.PASS:
        return Progress(Outcome.SUCCEEDED, HANDLE, f"recovered: {seen.reason}")
    return Progress(Outcome.RUNNING, HANDLE, f"not recovered yet: {seen.reason}", every)


def _read(signal: Signal, queries: Sequence[Query]) -> Mapping[str, Reading]:
    """Read every query; where nothing could be read at all, that is the answer to each."""
    if not queries:
        return {}
    try:
        found = signal.read(queries)
    except MonitorError as error:
        return {query.key: error for query in queries}
    silent = MonitorError("the signal gave no answer")
    return {query.key: found.get(query.key, silent) for query in queries}


def _windows(task: Task) -> list[Query]:
    since = _since(task)
    baseline = duration(task.configuration, "Baseline", BASELINE)
    return [_query(task, "before", since - baseline, since), _after(task)]


def _after(task: Task) -> Query:
    start = max(_since(task), _now(task) - LONGEST)
    return _query(task, "after", start, _now(task))


def _query(task: Task, window: str, start: datetime, end: datetime) -> Query:
    key = f"{task.token}/{window}"
    return Query(key, task.account, task.region, task.configuration, start, end)


def _since(task: Task) -> datetime:
    return task.since or _now(task)


def _now(task: Task) -> datetime:
    if task.now is None:
        raise ActionError(f"{task.action} was not told the time.")
    return task.now
