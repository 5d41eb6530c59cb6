"""What happened, who is told, and who decided it: events, the outbox and the audit log, in one transaction."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.declarations.model import Notification
from controlplane.notify.state_changes import CHANGES, CHANNEL
from controlplane.store import audit, events, locks

TOLD: Mapping[str, str] = {
    "abandoned.succeeded": "info",
    "abandoned.failed": "warning",
    "execution.started": "info",
    "execution.succeeded": "info",
    "execution.failed": "warning",
    "execution.stopped": "warning",
    "execution.superseded": "info",
    "source.waits": "warning",
    "stage.succeeded": "info",
    "stage.failed": "warning",
    "stage.retried": "info",
    "stage.held": "warning",
    "bake.extended": "info",
    "stage.extended": "info",
    "stage.noted": "warning",
    "stage.judged": "info",
    "judgement.needed": "warning",
    "watch.advised": "warning",
    "watch.held": "warning",
    "watch.recovered": "info",
    "gate.closed": "info",
    "gate.opened": "info",
    "freeze.set": "warning",
    "freeze.lifted": "info",
    "override.asked": "warning",
    "override.confirmed": "warning",
    "approval.needed": "info",
    "approval.decided": "info",
    "approval.invalidated": "warning",
    "approval.reminded": "warning",
    "approval.voted": "info",
    "rollback.requested": "warning",
    "rollback.done": "warning",
    "rollback.failed": "page",
    "digest.quarantined": "warning",
    "digest.released": "info",
    "transition.disabled": "warning",
    "transition.enabled": "info",
    "drill.started": "info",
    "drill.finished": "info",
    "drill.failed": "warning",
    "person.paged": "page",
    "day.told": "info",
}
"""The kinds of events that concern people, and how much."""

LEAVING = frozenset({*TOLD, *CHANGES})
"""The kinds that may go out: to people, or as CodePipeline's own events."""

DECISIONS = frozenset(
    {
        "approval.answered",
        "approval.refused",
        "approval.voted",
        "bake.extended",
        "digest.quarantined",
        "digest.released",
        "drill.started",
        "execution.started",
        "execution.stopping",
        "freeze.lifted",
        "freeze.set",
        "incident.resolved",
        "override.asked",
        "override.confirmed",
        "pipeline.applied",
        "pipeline.deleted",
        "pipeline.followed",
        "pipeline.left",
        "rollback.requested",
        "stage.judged",
        "stage.retried",
        "tags.changed",
        "transition.disabled",
        "transition.enabled",
    }
)
"""The kinds that somebody decided, a person or Towpath itself: these are in the audit log for good."""

ITSELF = ("towpath", "engine")
"""Who decides, and by which door, where nobody asked."""


class Fact(NamedTuple):
    """Something that happened; becomes an Event row. text is a sentence for a person."""

    kind: str
    pipeline: str
    execution_id: str = ""
    stage: str = ""
    action: str = ""
    text: str = ""
    data: Mapping[str, Any] = MappingProxyType({})


class Journal:
    """The facts of one transaction, in order; written by `flush`."""

    def __init__(
        self,
        connection: Connection,
        now: float,
        notifications: Callable[[str], Sequence[Notification]],
        by: tuple[str, str] = ITSELF,
    ) -> None:
        """notifications: what the pipeline of that name declares. by: who asked, and by which door."""
        self._connection = connection
        self._now = now
        self._notifications = notifications
        self._by = by
        self._facts: list[Fact] = []
        self.told = False

    def add(self, fact: Fact) -> None:
        """Keep a fact for this transaction."""
        self._facts.append(fact)

    def flush(self, *, tell: bool = False) -> bool:
        """Write everything in order; runs of untold facts go in one statement. False where there was nothing.

        tell: wake the other replicas with the commit.
        """
        if not self._facts:
            return False
        locks.order_of_events(self._connection, tell=tell)
        quiet: list[dict[str, Any]] = []
        for fact in self._facts:
            outbox = self._outbox(fact) if fact.kind in LEAVING else []
            if not outbox:
                quiet.append(self._row(fact))
                continue
            events.append(self._connection, quiet)
            quiet = []
            self.told = True
            events.append_told(self._connection, self._row(fact), outbox)
        events.append(self._connection, quiet)
        audit.append(
            self._connection, [self._decision(f) for f in self._facts if f.kind in DECISIONS]
        )
        self._facts = []
        return True

    def _row(self, fact: Fact) -> dict[str, Any]:
        return {
            "at": self._now,
            "kind": fact.kind,
            "pipeline": fact.pipeline,
            "execution_id": fact.execution_id,
            "stage": fact.stage,
            "action": fact.action,
            "text": fact.text,
            "data": json.dumps(fact.data, separators=(",", ":")) if fact.data else "{}",
        }

    def _decision(self, fact: Fact) -> audit.Decision:
        row = self._row(fact)
        return audit.Decision(who=self._by[0], door=self._by[1], **row)

    def _outbox(self, fact: Fact) -> list[dict[str, Any]]:
        declared = self._notifications(fact.pipeline)
        wanted = [n for n in declared if wants(n, fact.kind) and of_stage(n, fact.stage)]
        return [row_for(one, fact.execution_id, self._now) for one in wanted]


def row_for(notification: Notification, execution_id: str, now: float) -> dict[str, Any]:
    """The outbox row that tells an event there; due at once."""
    return {
        "execution_id": execution_id,
        "provider": notification.provider,
        "place": place(notification),
        "configuration": json.dumps(notification.configuration),
        "due_at": now,
    }


def place(notification: Notification) -> str:
    """Provider and address: messages to one place about one execution keep their order."""
    address = "|".join(f"{k}={v}" for k, v in sorted(notification.configuration.items()))
    return f"{notification.provider}|{address}"


def of_stage(notification: Notification, stage: str) -> bool:
    """A topic of its own for each environment: Stages names those that it is told of."""
    listed = notification.configuration.get("Stages", "")
    return not listed or stage in {name.strip() for name in listed.split(",")}


def wants(notification: Notification, kind: str) -> bool:
    """Whether a kind of event is told there."""
    if notification.provider == "SNS" and kind in notification.events and kind in CHANGES:
        return True  # CodePipeline's own that concern nobody (action.started), where they are named
    if kind not in (CHANGES if notification.provider == CHANNEL else TOLD):
        return False
    return not notification.events or any(
        kind == wanted or (wanted.endswith(".") and kind.startswith(wanted))
        for wanted in notification.events
    )
