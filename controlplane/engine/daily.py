"""The digest of the day: what the last 24 hours were, told once to each channel of a pipeline.

The key of the day commits with the outbox rows: once, whatever replicas there are and whenever one dies.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import Connection

from controlplane.clock import iso
from controlplane.declarations.model import Notification
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.journal import of_stage, place, row_for, wants
from controlplane.store import days, events, gates, locks, pipelines, seen
from controlplane.store.database import Database

KIND = "day.told"
DAY = 86_400.0
SHOWN = 10
"""Lines of one kind that are written out; the rest is counted."""
HAPPENED: Mapping[str, str] = {
    "rollback.requested": "Rollbacks",
    "execution.failed": "Failed executions",
    "digest.quarantined": "Digests put in quarantine",
}
STANDING = "Approvals waiting", "Freezes in force"
HEADINGS = ("Deployments", *HAPPENED.values(), *STANDING)
"""In the order in which they are told."""


@dataclass(slots=True)
class _Place:
    """One channel, and the pipelines that tell on it."""

    notification: Notification
    pipelines: set[str] = field(default_factory=set)

    def hears(self, pipeline: str, stage: str) -> bool:
        """A freeze of all pipelines concerns every channel."""
        ours = pipeline in self.pipelines or not pipeline
        return ours and (not stage or of_stage(self.notification, stage))


Lines = Sequence[tuple[str, str, str, str]]
"""Heading, pipeline, stage, text."""


class Daily:
    """Tells the day once it is over."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        now: Callable[[], float],
        at: time | None,
        *,
        quiet_too: bool = False,
    ) -> None:
        """at: when a day is over, UTC; None tells none. quiet_too: tell it where nothing happened, too."""
        self._database, self._structures, self._now = database, structures, now
        self._at, self._quiet_too = at, quiet_too

    def tell(self) -> int:
        """Tell the day that is over, unless it was told; how many channels are told."""
        now = self._now()
        today = datetime.fromtimestamp(now, UTC).date()
        if self._at is None:
            return 0
        until = datetime.combine(today, self._at, UTC).timestamp()
        if now < until:
            return 0
        with self._database.begin() as connection:
            if not seen.add(connection, f"day:{today.isoformat()}", now):
                return 0
            seen.forget(connection, "day:", now - 3 * DAY)
            return self._tell(connection, until, now)

    def _tell(self, connection: Connection, until: float, now: float) -> int:
        places = self._places(connection)
        lines = list(_lines(connection, until - DAY, until, now)) if places else []
        told = [(one, found) for one in places if (found := self._of(one, lines)) is not None]
        if told:
            locks.order_of_events(connection, tell=True)
        for one, text in told:
            row = _row(now, text, until)
            events.append_told(connection, row, [row_for(one.notification, "", now)])
        return len(told)

    def _of(self, one: _Place, lines: Lines) -> str | None:
        """What a channel is told; None where nothing happened there."""
        ours = [line for line in lines if one.hears(line[1], line[2])]
        if not ours and not self._quiet_too:
            return None
        return "\n".join(_written(ours)) or "Nothing happened."

    def _places(self, connection: Connection) -> list[_Place]:
        found: dict[str, _Place] = {}
        for row in pipelines.all_(connection):
            try:
                declared = self._structures.pipeline(connection, row.name, row.version)
            except BrokenStructureError:
                continue  # it cannot say whom it tells, and /readyz names it
            for notification in declared.notifications:
                if wants(notification, KIND):
                    one = found.setdefault(place(notification), _Place(notification))
                    one.pipelines.add(row.name)
        return list(found.values())


def _lines(
    connection: Connection, since: float, until: float, now: float
) -> Iterator[tuple[str, str, str, str]]:
    for row in days.deployed(connection, since, until):
        text = f"{row.pipeline} · {row.stage}: {row.digest[:19]} on {row.target}"
        yield "Deployments", row.pipeline, row.stage, text
    for row in days.happened(connection, list(HAPPENED), since, until):
        where = f"{row.pipeline} · {row.stage}" if row.stage else row.pipeline
        yield HAPPENED[row.kind], row.pipeline, row.stage, f"{where}: {row.text}"
    for row in days.waiting(connection):
        text = f"{row.pipeline} · {row.stage}: {row.name} of {row.execution_id}"
        yield STANDING[0], row.pipeline, row.stage, text
    for freeze in gates.freezes(connection, now):
        covers = " · ".join(one for one in (freeze.pipeline, freeze.stage, freeze.account) if one)
        ends = iso(freeze.until) or "it is lifted"
        text = f"{covers or 'everything'} until {ends}: {freeze.reason}"
        yield STANDING[1], freeze.pipeline, freeze.stage, text


def _written(lines: Lines) -> Iterator[str]:
    for heading in HEADINGS:
        ours = [text for kind, _, _, text in lines if kind == heading]
        if ours:
            yield f"{heading}: {len(ours)}"
            yield from (f"- {' '.join(text.split())[:300]}" for text in ours[:SHOWN])
            if len(ours) > SHOWN:
                yield f"- and {len(ours) - SHOWN} more"


def _row(now: float, text: str, until: float) -> dict[str, Any]:
    named = dict.fromkeys(("pipeline", "execution_id", "stage", "action"), "")
    said = f"The 24 hours until {iso(until)}.\n{text}"
    return {"at": now, "kind": KIND, **named, "text": said, "data": "{}"}
