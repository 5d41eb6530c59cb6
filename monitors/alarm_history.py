"""What alarms went through, read once for each change and not at every look.

DescribeAlarmHistory is asked for one alarm at a time, and is throttled sooner than anything else that
a watch calls; an alarm's history does not change while its state does not.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from monitors.base import Query
from monitors.edge import asking

PAGES = 10
"""Pages of 100 changes of one alarm that are read; more make the answer incomplete."""
LAG = timedelta(seconds=5)
"""The history may show a change later than the alarm does; so far apart may their two times be."""
KNOWN = 2000
"""Alarms whose history is kept."""

Changes = list[tuple[datetime, str, str]]
"""When, from, to; in rising order."""


@dataclass(frozen=True, slots=True)
class _Known:
    since: datetime
    changed: datetime
    changes: Changes
    whole: bool


class Histories:
    """The histories that one driver has read. Safe under threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str, str], _Known] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, client: Any, query: Query, name: str, changed: datetime) -> tuple[Changes, bool]:
        """All changes since query.start, and whether that is all. changed: when it last did."""
        key = (query.account, query.region, name)
        with self._lock:
            known = self._known.get(key)
        if known is None or known.changed != changed or known.since > query.start:
            changes, whole = _read(client, query, name)
            known = _Known(query.start, changed, changes, whole)
            if changes and changes[-1][0] >= changed - LAG:  # else the last one has yet to show
                self._keep(key, known)
        return [one for one in known.changes if one[0] >= query.start], known.whole

    def _keep(self, key: tuple[str, str, str], known: _Known) -> None:
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)


def _read(client: Any, query: Query, name: str) -> tuple[Changes, bool]:
    changes: Changes = []
    token: dict[str, str] = {}
    for _ in range(PAGES):
        with asking(f"read the history of alarm {name} in {query.account}"):
            answer = client.describe_alarm_history(
                AlarmName=name,
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                HistoryItemType="StateUpdate",
                StartDate=query.start,
                ScanBy="TimestampAscending",
                MaxRecords=100,
                **token,
            )
        for item in answer.get("AlarmHistoryItems", ()):
            changes += change(item)
        if not answer.get("NextToken"):
            return sorted(changes), True
        token = {"NextToken": answer["NextToken"]}
    return sorted(changes), False


def change(item: Mapping[str, Any]) -> Changes:
    """Read one history item; nothing where it tells no change of state."""
    try:
        data = json.loads(item["HistoryData"])
        old, new = data["oldState"]["stateValue"], data["newState"]["stateValue"]
        return [(item["Timestamp"].astimezone(UTC), str(old), str(new))] if old != new else []
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return []
