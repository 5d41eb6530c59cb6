"""CloudWatch alarms as a signal: 1.0 is ALARM, 0.0 is OK, and everything else is silence.

A state holds until it changes, so a point of it is as new as the look (query.end). One call reads a
hundred alarms; the history is asked only for an alarm that changed within the window, and once.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.base import Clients
from accounts.models import Purpose
from monitors.alarm_history import Histories
from monitors.base import MonitorError, Point, Query, Series
from monitors.edge import asking, understood
from monitors.values import text

NAMES = 100
"""Alarms that one DescribeAlarms takes by name."""
PAGES = 10
"""Pages of one answer that are read."""
LIVE = timedelta(seconds=5)
"""A window that ends this close to now is about the state as it is now, whatever the clocks say.

Of the windows that are asked for together only the last: one before a deployment that began just now is over.
"""

VALUES = {"ALARM": 1.0, "OK": 0.0}
BLIND = {
    "PARTIAL_DATA": "it could not retrieve all of its data",
    "EVALUATION_FAILURE": "its evaluation fails for now",
    "EVALUATION_ERROR": "its evaluation fails until its configuration is mended",
}
"""EvaluationState: the alarm keeps its last StateValue, which then says nothing of the present."""


class CloudWatchAlarm:
    """Reads metric and composite alarms by name (AlarmName)."""

    def __init__(self, clients: Clients, now: Callable[[], datetime]) -> None:
        self._clients = clients
        self._now = now
        self._histories = Histories()

    def read(self, queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        """Answer with each alarm's changes within [start, end) and its state at the end."""
        asks, wrong = understood(queries, lambda query: text(query.configuration, "AlarmName"))
        answers: dict[str, Series | MonitorError] = dict(wrong)
        if not asks:
            return answers
        place = asks[0][0]
        with asking(f"read alarms in {place.account} ({place.region})"):
            client = self._clients.client("cloudwatch", place.account, place.region, Purpose.WATCH)
            alarms = _describe(client, sorted({name for _, name in asks}))
        recent, last = self._now() - LIVE, dict[str, datetime]()
        for query, name in asks:
            last[name] = max(last.get(name, query.end), query.end)
        for query, name in asks:
            about_now = query.end >= max(last[name], recent)
            answers[query.key] = self._answer(
                client, query, name, alarms.get(name), about_now=about_now
            )
        return answers

    def _answer(
        self,
        client: Any,
        query: Query,
        name: str,
        alarm: Mapping[str, Any] | None,
        *,
        about_now: bool,
    ) -> Series | MonitorError:
        if alarm is None:
            return MonitorError(
                f"there is no metric or composite alarm {name!r} in {query.account} "
                f"({query.region}): correct AlarmName, or create the alarm",
                permanent=True,
            )
        changed = _changed(alarm)
        if changed is None or changed <= query.start:
            return _series(query, alarm, [])
        try:
            changes, whole = self._histories.read(client, query, name, changed)
        except MonitorError as error:
            if about_now or changed < query.end:
                return _series(query, alarm, [], note=f"; its history is unknown: {error}")
            return error
        inside = [(at, new) for at, _, new in changes if query.start <= at < query.end]
        if about_now or changed < query.end:
            return _series(query, alarm, inside, whole=whole)
        return _past(query, name, changes, inside, whole=whole)


def _describe(client: Any, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for first in range(0, len(names), NAMES):
        token: dict[str, str] = {}
        for _ in range(PAGES):
            answer = client.describe_alarms(
                AlarmNames=list(names[first : first + NAMES]),
                # Left out, composite alarms would be missing without a word.
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                MaxRecords=NAMES,
                **token,
            )
            for alarm in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
                found[str(alarm["AlarmName"])] = alarm
            if not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}
    return found


def _changed(alarm: Mapping[str, Any]) -> datetime | None:
    found = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    # botocore gives times in the machine's own zone
    return found.astimezone(UTC) if isinstance(found, datetime) else None


def _series(
    query: Query,
    alarm: Mapping[str, Any],
    inside: Sequence[tuple[datetime, str]],
    *,
    whole: bool = True,
    note: str = "",
) -> Series:
    """Answer with the changes, and the state as it is now."""
    state, evaluation = str(alarm.get("StateValue", "")), str(alarm.get("EvaluationState", ""))
    changed = _changed(alarm)
    since = f" since {changed:%Y-%m-%d %H:%M:%S}" if changed else ""
    told = f"alarm {alarm['AlarmName']} is in {state or 'no state'}{since}{note}"
    if evaluation:
        why = BLIND.get(evaluation, "it cannot be evaluated")
        return Series(note=f"{told}, but it is in {evaluation}: {why}")
    if state not in VALUES:
        return Series(note=told)
    return Series((*_points(inside), Point(query.end, VALUES[state])), whole, told)


def _past(
    query: Query,
    name: str,
    changes: Sequence[tuple[datetime, str, str]],
    inside: Sequence[tuple[datetime, str]],
    *,
    whole: bool,
) -> Series:
    """Answer for a window that ended before the last change: what held at its end."""
    later = [old for at, old, _ in changes if at >= query.end]
    state = inside[-1][1] if inside else next(iter(later), "")
    if state not in VALUES:
        return Series(note=f"alarm {name} was in {state or 'a state that is not known'}")
    told = f"alarm {name} was in {state} at {query.end:%Y-%m-%d %H:%M:%S}"
    return Series((*_points(inside), Point(query.end, VALUES[state])), whole, told)


def _points(changes: Sequence[tuple[datetime, str]]) -> list[Point]:
    return [Point(at, VALUES[state]) for at, state in changes if state in VALUES]
