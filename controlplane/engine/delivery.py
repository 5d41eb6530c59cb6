"""Delivers the outbox: at least once, in order per execution and place, with growing pauses.

To one place about one execution one message is under way at a time, so order is kept whatever fails. A
channel that takes several by one call (`notify.base.Batching`) is given those of several executions.

The row is claimed under a lease before the send and written after it. A crash in between sends again:
receivers de-duplicate by the note's id. What waited here for longer than its lease, behind a slow channel,
is given back unsent: another replica may have sent it.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from controlplane.engine import owners
from controlplane.engine.notes import NoteMaker
from controlplane.notify.base import Batching, Note, Notifier, NotifyError
from controlplane.store import events
from controlplane.store.database import Database, reason

log = logging.getLogger(__name__)

Sent = tuple[Any, dict[str, Any], str]
"""An outbox row, what is written to it, and the channel's thread."""

BATCH = 20
LEASE = 30.0
IDLE = 2.0
THREADS = 4
GIVE_UP_AFTER = 24 * 3600.0
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class Delivery:
    """One thread that claims and writes, a few that send."""

    def __init__(
        self,
        database: Database,
        notifiers: Mapping[str, Notifier],
        notes: NoteMaker,
        now: Callable[[], float],
        lease: float = LEASE,
    ) -> None:
        self._database = database
        self._notifiers = notifiers
        self._notes = notes
        self._now = now
        self._lease = lease
        self.tick: Callable[[], float] = time.monotonic
        self._until = 0.0  # by tick: what is claimed is surely ours
        self._ahead = 0.0  # seconds by which the database's clock is ahead of this machine's
        self._owner = owners.me()
        self._wakeup = threading.Event()
        self._stop = threading.Event()
        database.on_wake(self._wakeup.set)

    def run(self) -> None:
        """Until `stop`."""
        self._take_over()
        with ThreadPoolExecutor(THREADS, thread_name_prefix="towpath-delivery") as pool:
            while not self._stop.is_set():
                self._wakeup.clear()
                try:
                    if not self.turn(pool):
                        self._wakeup.wait(self._nap())
                except OperationalError as error:
                    log.error("the database cannot be used: %s; trying again", reason(error))  # noqa: TRY400 - it says all
                    self._stop.wait(IDLE)
                except Exception:
                    log.exception("a turn of the delivery failed; the next one tries again")
                    self._stop.wait(IDLE)

    def _take_over(self) -> None:
        """Make due at once what dead processes of this host were sending."""
        try:
            with self._database.begin() as connection:
                now = self._database.time(connection, self._now)
                for owner in events.outbox_owners(connection):
                    if owners.is_dead(owner):
                        events.release_outbox(connection, owner, now)
        except SQLAlchemyError:
            log.exception("what dead processes held is left to its leases")

    def stop(self) -> None:
        self._stop.set()
        self._wakeup.set()

    def turn(self, pool: ThreadPoolExecutor | None = None) -> int:
        """Claim what is due, send it, write how it went; how many were tried."""
        self._until = self.tick() + self._lease
        with self._database.begin() as connection:
            now = self._database.time(connection, self._now)
            self._ahead = now - self._now()
            rows = events.claim_outbox(connection, self._owner, now, now + self._lease, BATCH)
        run = pool.map if pool else map
        for sent in run(self._send_group, self._groups(rows)):
            with self._database.begin() as connection:
                self._write(connection, sent)
        return len(rows)

    def _groups(self, rows: Sequence[Any]) -> list[list[Any]]:
        """What goes out by one call: by itself, but for what a channel takes several of."""
        groups: list[list[Any]] = []
        open_: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            notifier = self._notifiers.get(row.provider)
            most = notifier.at_once if isinstance(notifier, Batching) else 1
            group = open_.get((row.place, row.configuration))
            if group is None or len(group) >= most:
                group = open_[row.place, row.configuration] = []
                groups.append(group)
            group.append(row)
        return groups

    def _write(self, connection: Connection, sent: Sequence[Sent]) -> None:
        """How it went, row by row: what failed is tried again, and nothing else of its group."""
        events.record_outbox(connection, [outcome for _, outcome, _ in sent])
        for row, outcome, thread in sent:
            if outcome["status"] == "SENT" and thread and row.execution_id:
                # What concerns no execution is a message of its own, not one that is edited for ever.
                events.keep_thread(connection, row.execution_id, row.place, thread)

    def _note(self, row: Any) -> tuple[Note, str]:
        with self._database.read() as connection:
            thread = events.thread(connection, row.execution_id, row.place)
            return self._notes.note(connection, row.event_id, row.provider), thread

    def _send_group(self, rows: Sequence[Any]) -> list[Sent]:
        notifier = self._notifiers.get(rows[0].provider)
        if not isinstance(notifier, Batching):
            return [self._send(row) for row in rows]
        if self.tick() >= self._until:
            return [self._unsent(row) for row in rows]
        found: list[Sent] = []
        notes: list[tuple[Any, Note]] = []
        for row in rows:
            try:
                notes.append((row, self._note(row)[0]))
            except Exception as error:
                log.exception("what the event of notification %s says could not be told", row.id)
                found.append(self._lost(row, error))
        if notes:
            found += self._send_many(notifier, notes)
        return found

    def _send_many(self, notifier: Batching, notes: Sequence[tuple[Any, Note]]) -> list[Sent]:
        configuration = json.loads(notes[0][0].configuration)
        try:
            errors = notifier.send_many([note for _, note in notes], configuration)
        except Exception as error:
            log.exception("the notifier of %s raised what it should not", notes[0][0].provider)
            return [self._lost(row, error) for row, _ in notes]
        return [
            (row, {**_outcome(row), "status": "SENT", "sent_at": self._now()}, "")
            if problem is None
            else (row, {**_outcome(row), **self._failed(row, note.at.timestamp(), problem)}, "")
            for (row, note), problem in zip(notes, errors, strict=True)
        ]

    def _unsent(self, row: Any) -> Sent:
        due = self._now() + self._ahead
        return row, {**_outcome(row), "status": "PENDING", "due_at": due}, ""

    def _lost(self, row: Any, error: Exception) -> Sent:
        failed = NotifyError(f"{type(error).__name__} in the notifier of {row.provider}")
        return row, {**_outcome(row), **self._failed(row, self._since(row), failed)}, ""

    def _since(self, row: Any) -> float:
        """Since when it is tried, where its event cannot be asked: by how often that was."""
        return self._now() - float(row.attempts * PAUSES[-1])

    def _send(self, row: Any) -> Sent:
        outcome = _outcome(row)
        if self.tick() >= self._until:
            return self._unsent(row)
        since = self._since(row)
        try:
            note, thread = self._note(row)
            since = note.at.timestamp()
            thread = self._notifiers[row.provider].send(note, json.loads(row.configuration), thread)
        except NotifyError as error:
            return row, {**outcome, **self._failed(row, since, error)}, ""
        except Exception as error:
            log.exception("the notifier of %s raised what it should not", row.provider)
            failed = NotifyError(f"{type(error).__name__} in the notifier of {row.provider}")
            return row, {**outcome, **self._failed(row, since, failed)}, ""
        return row, {**outcome, "status": "SENT", "sent_at": self._now()}, thread

    def _failed(self, row: Any, since: float, error: NotifyError) -> dict[str, Any]:
        """Try again later, or give up and say so in the log: the row stays, as DEAD, for people."""
        now = self._now()
        if error.permanent or now - since > GIVE_UP_AFTER:
            log.error("notification %s to %s is given up: %s", row.id, row.provider, error)
            return {"status": "DEAD", "error": str(error)[:1000]}
        pause = PAUSES[min(row.attempts, len(PAUSES)) - 1]
        due = now + self._ahead + max(pause, error.retry_after or 0.0)
        return {"status": "PENDING", "error": str(error)[:1000], "due_at": due}

    def _nap(self) -> float:
        with self._database.read() as connection:
            due = events.next_due(connection)
        wait = IDLE if due is None else due - self._now() - self._ahead
        return min(IDLE, max(0.05, wait))


def _outcome(row: Any) -> dict[str, Any]:
    return {"b_id": row.id, "b_fence": row.fence, "due_at": None, "error": "", "sent_at": None}
