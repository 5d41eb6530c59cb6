"""CloudWatch of one account and region: alarms and metrics that follow what the instances serve.

What is bad is remembered as it changed, so a window of the past answers as it was. The monitoring has
bad days of its own: no data, late data, part of it, alarms that flap or cannot be evaluated.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import Any


class Sight(StrEnum):
    """What the monitoring of an account sees."""

    CLEAR = "clear"
    ABSENT = "no data at all"
    LATE = "data that comes late"
    PARTIAL = "part of the data"
    SHUFFLED = "data out of order"


PERIOD = 20.0
LATENESS = 150.0
MOST = 60
"""Changes that are remembered of one alarm."""
BAD, WELL = 9.0, 0.0


@dataclass(slots=True)
class Watched:
    """One deployment group's health: the changes of its alarm, and since when it is bad."""

    name: str
    changes: list[tuple[float, str]]
    bad: list[tuple[float, bool]]
    flaps: float = 0.0
    """Until when the alarm goes on and off by itself."""
    answered_well: float = -1.0
    """When a good answer about it was last given: what a verdict may rest on."""

    @property
    def state(self) -> str:
        """How the alarm stands."""
        return self.changes[-1][1]

    def is_bad(self, at: float) -> bool:
        """Whether it was bad at a time."""
        return next((bad for when, bad in reversed(self.bad) if when <= at), False)

    def turn(self, now: float, *, bad: bool, state: str) -> None:
        """Take over what holds now."""
        if bad != self.bad[-1][1]:
            self.bad = [*self.bad[-MOST:], (now, bad)]
        if state != self.state:
            self.changes = [*self.changes[-MOST:], (now, state)]


@dataclass(slots=True)
class CloudWatch:
    """Answers as of the time it was last told."""

    chance: Random
    watched: dict[str, Watched] = field(default_factory=dict)
    sight: Sight = Sight.CLEAR
    sight_until: float = 0.0
    now: float = 0.0

    def watch(self, name: str, now: float) -> None:
        """A new alarm and metric, that have been well for long."""
        long_ago = now - 86_400
        self.watched[name] = Watched(name, [(long_ago, "OK")], [(long_ago, False)])

    def tick(self, now: float, bad: Mapping[str, bool]) -> None:
        """It is this time, and these groups serve something bad."""
        self.now = now
        if self.sight_until <= now:
            self.sight = Sight.CLEAR
        for name, one in self.watched.items():
            one.turn(now, bad=bad[name], state=self._state(one, bad=bad[name]))

    def _state(self, one: Watched, *, bad: bool) -> str:
        if self.sight in (Sight.ABSENT, Sight.LATE):
            return "INSUFFICIENT_DATA"
        if one.flaps > self.now and int(self.now / 7) % 2:
            return "ALARM"
        return "ALARM" if bad else "OK"

    # --- by boto3's names -----------------------------------------------------------------------

    def describe_alarms(self, **asked: Any) -> dict[str, Any]:
        """By name."""
        found = [self.watched[name] for name in asked["AlarmNames"] if name in self.watched]
        return {"MetricAlarms": [self._alarm(one) for one in found], "CompositeAlarms": []}

    def _alarm(self, one: Watched) -> dict[str, Any]:
        changed = _at(one.changes[-1][0])
        told: dict[str, Any] = {
            "AlarmName": one.name,
            "StateValue": one.state,
            "StateUpdatedTimestamp": changed,
            "StateTransitionedTimestamp": changed,
        }
        if self.sight is Sight.PARTIAL:
            told["EvaluationState"] = "PARTIAL_DATA"
        elif one.state == "OK":
            one.answered_well = self.now
        return told

    def describe_alarm_history(self, **asked: Any) -> dict[str, Any]:
        """Changes since a time."""
        one = self.watched[asked["AlarmName"]]
        start = asked["StartDate"].timestamp()
        pairs = zip(one.changes, one.changes[1:], strict=False)
        items = [_item(old, new, at) for (_, old), (at, new) in pairs if at >= start]
        return {"AlarmHistoryItems": items}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        """One point a period that has ended."""
        start, end = asked["StartTime"].timestamp(), asked["EndTime"].timestamp()
        return {
            "MetricDataResults": [
                self._result(query, start, end)
                for query in asked["MetricDataQueries"]
                if self.sight is not Sight.ABSENT
            ]
        }

    def _result(self, query: Mapping[str, Any], start: float, end: float) -> dict[str, Any]:
        metric = query["MetricStat"]["Metric"]
        one = self.watched[metric["Dimensions"][0]["Value"]]
        upto = min(end, self.now) - (LATENESS if self.sight is Sight.LATE else 0.0)
        first = -(-start // PERIOD) * PERIOD
        count = max(0, int((upto - first) // PERIOD))
        points = [(first + n * PERIOD, self._value(one, first + n * PERIOD)) for n in range(count)]
        if self.sight is Sight.SHUFFLED:
            self.chance.shuffle(points)
        partial = self.sight is Sight.PARTIAL
        if points and not partial and not any(value for _, value in points[-1:]):
            one.answered_well = self.now
        return {
            "Id": query["Id"],
            "Timestamps": [_at(at) for at, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "PartialData" if partial else "Complete",
        }

    @staticmethod
    def _value(one: Watched, at: float) -> float:
        return BAD if one.is_bad(at + PERIOD) else WELL


def _item(old: str, new: str, at: float) -> dict[str, Any]:
    data = {"oldState": {"stateValue": old}, "newState": {"stateValue": new}}
    return {"Timestamp": _at(at), "HistoryData": json.dumps(data)}


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
