"""A signal at the gate: it must be good now. That it was bad before the release is no excuse here.

CloudWatchAlarm (an alarm that is in ALARM already), CloudWatchMetric and PrometheusQuery (such as the error
budget that is left). A monitoring that cannot be read, or is silent, opens nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from controlplane.gates.base import AT_ONCE, HANDLE, interval, now_of, said
from monitors.base import MonitorError, Outcome, Progress, Query, Series, Signal, Task
from monitors.criteria import Criteria, criteria
from monitors.edge import declared
from monitors.judge import judge
from monitors.values import duration

WINDOW = timedelta(minutes=5)
"""How far back is read where `Baseline` does not say it."""


class SignalGate:
    """Adapts a signal to the contract of a gate's rule."""

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        self.endpoint: Sequence[str] = getattr(signal, "endpoint", ())

    def start(self, task: Task) -> Progress:
        """Begin; the first look is due at once."""
        with declared():
            criteria(task.configuration)
            interval(task.configuration)
        return Progress(Outcome.RUNNING, HANDLE, "not looked at yet", AT_ONCE)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all of them in one call."""
        answers: dict[str, Progress | MonitorError] = {}
        rules: dict[str, Criteria] = {}
        queries = []
        for task in tasks:
            try:
                with declared():
                    rules[task.token] = criteria(task.configuration)
                    interval(task.configuration)
                    queries.append(_query(task))
            except MonitorError as error:
                answers[task.token] = error
        read = self._read(queries)
        for task in tasks:
            if task.token not in answers:
                answers[task.token] = _said(task, rules[task.token], read[task.token])
        return answers

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""

    def _read(self, queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        if not queries:
            return {}
        try:
            found = self._signal.read(queries)
        except MonitorError as error:
            return {query.key: error for query in queries}
        silent = MonitorError("the signal gave no answer")
        return {query.key: found.get(query.key, silent) for query in queries}


def _said(task: Task, rule: Criteria, found: Series | MonitorError) -> Progress:
    seen = judge(rule, Series(), found, now_of(task))
    reason = seen.reason.replace(" since the deployment", "")  # at a gate there is none yet
    return said(seen.verdict, reason, interval(task.configuration))


def _query(task: Task) -> Query:
    now = now_of(task)
    begins = now - duration(task.configuration, "Baseline", WINDOW)
    return Query(task.token, task.account, task.region, task.configuration, begins, now)
