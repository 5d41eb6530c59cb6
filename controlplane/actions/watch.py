"""Rules that watch: a signal before and after the stage's first deployment, judged at every look.

The engine ends a watch when its bake is over; a watch never ends itself. After a rollback the same
signals are asked whether it is well again (RecoveryDriver), which does end.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from monitors.base import Judgement, Query, Series, Signal, Verdict
from monitors.edge import declared
from monitors.judge import Rule, rule
from monitors.values import duration, whole

INTERVAL = timedelta(seconds=10)
SETTLED = timedelta(minutes=5)
KEPT = 256
BEFORE, AFTER = "before", "after"
LIMITED = frozenset({"threshold"})
"""Tests that ask a limit and not what was before: a short baseline, and none after a rollback."""
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
        self._baselines = Baselines()
        self.endpoint: Sequence[str] = getattr(signal, "endpoint", ())

    def start(self, task: Task) -> Progress:
        """Begin to watch: the first look is due at once, for the deployment began before."""
        with declared():
            rule(task.configuration)
        return Progress(Outcome.RUNNING, HANDLE, "watching", AT_ONCE)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all windows in one call, and judge each signal. Never ends a watch."""
        watched, answers = _understood(tasks)
        asked = [query for one in watched for query in _windows(one)]
        known = self._baselines.known(asked)
        read = {
            **_read(self._signal, [query for query in asked if query.key not in known]),
            **known,
        }
        for one in watched:
            token, now = one.task.token, _now(one.task)
            self._baselines.keep(one, read)
            named = _named(one, read)
            if (error := _held_back(named)) is not None:
                answers[token] = _postponed(one, error, now)
                continue
            seen = one.rule.judge(named, now)
            answers[token] = Progress(
                Outcome.RUNNING, HANDLE, seen.reason, one.interval, judgement=seen
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
            rule(task.configuration)
            _points(task)
        return Progress(Outcome.RUNNING, HANDLE, "waiting for fresh points", timedelta(seconds=1))

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all signals in one call; a limit or an alarm needs nothing from before."""
        watched, answers = _understood(tasks)
        asked = [
            query
            for one in watched
            for query in _windows(one)
            if one.rule.test not in LIMITED or query.key.endswith(AFTER)
        ]
        read = _read(self._signal, asked)
        for one in watched:
            seen = one.rule.well(_named(one, read), _now(one.task), _points(one.task))
            answers[one.task.token] = _recovered(seen, one.interval)
        return answers

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A task whose configuration was understood."""

    task: Task
    rule: Rule
    interval: timedelta


class Baselines:
    """Baselines of a day or more that were read whole, so that not every look reads them again.

    The last points before a deployment arrive late: only what was read a while after it is kept.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Series] = OrderedDict()

    def known(self, asked: Sequence[Query]) -> dict[str, Reading]:
        """Give what need not be read."""
        return {query.key: self._kept[query.key] for query in asked if query.key in self._kept}

    def keep(self, one: Watched, read: Mapping[str, Reading]) -> None:
        """Keep what will not change any more, the newest KEPT of them."""
        if one.rule.test in LIMITED or _now(one.task) - _since(one.task) < SETTLED:
            return
        for asked in one.rule.asked:
            key = _key(one.task, asked.name, BEFORE)
            found = read[key]
            if isinstance(found, Series) and found.complete and found.points:
                self._kept[key] = found
                self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _understood(
    tasks: Sequence[Task],
) -> tuple[list[Watched], dict[str, Progress | MonitorError]]:
    """Read each task's rule; a wrong one gets its error and spoils no other."""
    watched: list[Watched] = []
    wrong: dict[str, Progress | MonitorError] = {}
    for task in tasks:
        try:
            with declared():
                _points(task)
                every = duration(task.configuration, "Interval", INTERVAL)
                watched.append(Watched(task, rule(task.configuration), every))
        except MonitorError as error:
            wrong[task.token] = error
    return watched, wrong


def _held_back(read: Mapping[str, Reading]) -> MonitorError | None:
    """Answer the error of a reading that our own throttle put off; None where there is none."""
    errors = (one for one in read.values() if isinstance(one, MonitorError))
    return next((error for error in errors if error.postponed), None)


def _postponed(one: Watched, error: MonitorError, now: datetime) -> Progress | MonitorError:
    """No verdict is a look that we put off ourselves: the last one stands, until it is too old."""
    last = one.task.judged or _since(one.task)
    if now - last <= one.rule.patience:
        return error
    reason = (
        f"{one.rule.label} has not been looked at for {(now - last).total_seconds():.0f}s: "
        f"Towpath's own throttle holds the calls back ({error})"
    )
    seen = Judgement(Verdict.UNREACHABLE, reason)
    return Progress(Outcome.RUNNING, HANDLE, reason, AGAIN, judgement=seen)


def _points(task: Task) -> int:
    return whole(task.configuration, "RecoveryDatapoints", RECOVERED_AFTER, least=1)


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


def _windows(one: Watched) -> list[Query]:
    """Ask for each series of a rule before and since the deployment."""
    task, since = one.task, _since(one.task)
    start = max(since, _now(task) - LONGEST)
    spans = {BEFORE: (since - one.rule.baseline, since), AFTER: (start, _now(task))}
    return [
        Query(
            _key(task, asked.name, word),
            task.account,
            task.region,
            asked.configuration,
            *spans[word],
        )
        for asked in one.rule.asked
        for word in spans
    ]


def _named(one: Watched, read: Mapping[str, Reading]) -> dict[str, Reading]:
    """Give the readings of one rule by the names that its judge knows them by."""
    return {
        f"{asked.name} {word}".strip(): read[key]
        for asked in one.rule.asked
        for word in (BEFORE, AFTER)
        if (key := _key(one.task, asked.name, word)) in read
    }


def _key(task: Task, name: str, word: str) -> str:
    return f"{task.token}/{name}/{word}" if name else f"{task.token}/{word}"


def _since(task: Task) -> datetime:
    return task.since or _now(task)


def _now(task: Task) -> datetime:
    if task.now is None:
        raise ActionError(f"{task.action} was not told the time.")
    return task.now
