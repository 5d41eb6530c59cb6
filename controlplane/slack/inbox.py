"""Does what was asked for in Slack, once: one replica claims a row under a lease, and writes how it went.

What is done and what its asker is told are two steps of a row: where Slack does not take the answer, only the
answer is tried again. That it was done is written in the transaction of what was done, so whoever is killed
between the two leaves nothing that another would do again, or would refuse because it is done already. No lane
sleeps for Slack's sake: the row becomes due later.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from controlplane.engine import owners
from controlplane.engine.approval_evidence import new_findings
from controlplane.engine.refusals import CommandError
from controlplane.engine.structures import BrokenStructureError
from controlplane.notify import buttons
from controlplane.notify.base import NotifyError
from controlplane.slack import modals, slash
from controlplane.slack.desk import Desk, Door
from controlplane.slack.drawing import draw
from controlplane.slack.moves import DECISIONS, move, still_open, who
from controlplane.slack.payloads import Asked
from controlplane.slack.people import NotAllowedError
from controlplane.store import executions, slack_inbox

log = logging.getLogger(__name__)

BATCH = 16
THREADS = 8
LEASE = 30.0
IDLE = 1.0
LATE = 300.0
"""Seconds after which nothing is done any more: whoever pressed has looked elsewhere by then."""
KEPT = 24 * 3600.0
FORGETTING = 600.0
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
ANSWERED_WITHIN = 1_800.0
"""Seconds for which Slack takes answers at a response_url."""


DONE = "It was done, and Towpath was interrupted before it could say more. See /towpath status."


Values = dict[str, Any]
"""New values of a row, by column."""


class TakenOverError(Exception):
    """The claim ran out, and another replica has what was asked for: nothing was done here."""


class Inbox:
    """One thread that claims, a few that do."""

    def __init__(self, desk: Desk, lease: float = LEASE) -> None:
        self._desk = desk
        self._lease = lease
        self._owner = owners.me()
        self._wakeup = threading.Event()
        self._stop = threading.Event()
        self._forgot = 0.0
        self.tick: Callable[[], float] = time.monotonic
        desk.door.database.on_wake(self._wakeup.set)

    def run(self) -> None:
        """Until `stop`."""
        with ThreadPoolExecutor(THREADS, thread_name_prefix="towpath-slack") as pool:
            while not self._stop.is_set():
                self._wakeup.clear()
                try:
                    if not self.turn(pool):
                        self._wakeup.wait(self._nap())
                except Exception:
                    log.exception("a turn of Slack's inbox failed; the next one tries again")
                    self._stop.wait(IDLE)

    def stop(self) -> None:
        """Finish what is claimed, and claim no more."""
        self._stop.set()
        self._wakeup.set()

    def turn(self, pool: ThreadPoolExecutor | None = None) -> int:
        """Claim what is due and do it; how many."""
        began = self.tick()
        until = began + self._lease
        database = self._desk.door.database
        with database.begin() as connection:
            now = database.time(connection, self._desk.door.now)
            rows = slack_inbox.claim(connection, self._owner, now, now + self._lease, BATCH)
            if now - self._forgot > FORGETTING:
                self._forgot = now
                slack_inbox.forget(connection, now - KEPT)
        run = pool.map if pool else map
        done: list[tuple[Any, Values]] = []
        for row, values in run(lambda row: (row, self._take(row, now, until)), rows):
            done += [(row, values)] if values else []
            if self.tick() >= began + self._lease / 2:  # what is slow lets no other's claim run out
                self._finish(done)
                done = []
        self._finish(done)
        return len(rows)

    def _finish(self, done: Sequence[tuple[Any, Values]]) -> None:
        """One commit for all: those who press wait for the same disk."""
        if done:
            with self._desk.door.database.begin() as connection:
                for row, values in done:
                    slack_inbox.write(connection, row, **values)

    def _take(self, row: Any, now: float, until: float) -> Values:
        """What is to be written to the row. Nothing raises out of here: what fails is due again in time."""
        if self.tick() >= until:
            return {}  # it waited here for longer than it was ours
        try:
            asked = Asked.model_validate_json(row.payload)
            answer = asked.text if row.kind == "answer" else self._do(row, asked, now)
            if answer and row.kind != "answer":
                told = asked.model_copy(update={"text": answer}).model_dump_json()
                self._write(row, kind="answer", payload=told)
            return self._told(row, asked, answer, now)
        except TakenOverError:
            log.info("what was asked for in Slack is done by another replica")
        except SQLAlchemyError:
            log.exception("what was asked for in Slack is tried again when its lease is over")
        except Exception:
            log.exception("what was asked for in Slack cannot be done")
            return {"due_at": None, "owner": None, "error": "it cannot be done: see the log"}
        return {}

    def _write(self, row: Any, **values: Any) -> None:
        with self._desk.door.database.begin() as connection:
            slack_inbox.write(connection, row, **values)

    def _told(self, row: Any, asked: Asked, answer: str, now: float) -> Values:
        """Answer whoever asked; what is written to the row."""
        done = {"due_at": None, "owner": None, "error": ""}
        if not answer:
            return done
        try:
            self._desk.web.whisper(asked.user, asked.channel, asked.response_url, answer)
        except NotifyError as error:
            if error.permanent or now - row.received_at > ANSWERED_WITHIN:
                log.warning("a person in Slack could not be answered: %s", error)
                return {**done, "error": str(error)[:1000]}
            pause = PAUSES[min(row.attempts, len(PAUSES)) - 1]
            due = now + max(pause, error.retry_after or 0.0)
            return {"due_at": due, "owner": None, "error": str(error)[:1000]}
        return done

    def _do(self, row: Any, asked: Asked, now: float) -> str:
        """Do it; what whoever asked is told, "" for nothing."""
        if now - row.received_at > LATE:
            minutes = int((now - row.received_at) // 60)
            return (
                f"Nothing was done: Towpath only came to this after {minutes} minutes. See how things "
                "stand, and ask again."
            )
        try:
            if row.kind == "command":
                return slash.answer(self._noting(row, asked, DONE), asked, row.key)
            return self._pressed(self._noting(row, asked, ""), asked)
        except (CommandError, NotAllowedError) as error:
            return str(error)
        except (SQLAlchemyError, TakenOverError):
            raise
        except Exception:
            log.exception("what was asked for in Slack cannot be done")
            return "Towpath could not do this: whoever runs it finds the reason in its log."

    def _noting(self, row: Any, asked: Asked, text: str) -> Door:
        """The door, where what is done is written to its row at once. text: what is left to tell then."""
        told = asked.model_copy(update={"text": text}).model_dump_json()

        def note(connection: Connection) -> None:
            if not slack_inbox.write(connection, row, kind="answer", payload=told):
                raise TakenOverError

        door = self._desk.door
        return replace(door, commands=door.commands.noting(note))

    def _pressed(self, door: Door, asked: Asked) -> str:
        try:
            press = buttons.read(asked.text, self._desk.door.secret)
        except ValueError as error:
            return f"Nothing was done. {error}"
        if press.action in DECISIONS:
            return self._open(asked, press)
        try:
            move(door, asked.user, press)
        finally:
            self._draw(asked, press)
        return ""

    def _draw(self, asked: Asked, press: buttons.Press) -> None:
        draw(self._desk, press.execution, f"{asked.channel}:{asked.message_ts}")

    def _open(self, asked: Asked, press: buttons.Press) -> str:
        """Open the window first, for Slack allows three seconds; look up then what stands in it."""
        who(self._desk.door, asked.user, press)
        about = f"{press.stage} of {press.execution}"
        try:
            opened = self._desk.web.call(
                "views.open",
                trigger_id=asked.trigger_id,
                view=modals.asking(press, asked.text, about),
            )
        except NotifyError as error:
            mend = str(error) if error.permanent else "Slack has trouble: press again in a moment."
            return f"Nothing was decided: the window could not be opened. {mend}"
        self._fill(asked, press, str(opened["view"]["id"]))
        return ""

    def _fill(self, asked: Asked, press: buttons.Press, view_id: str) -> None:
        desk, stale = self._desk, True
        try:
            still_open(desk.door, press)
            with desk.door.database.read() as connection:
                note = desk.notes.of(connection, press.execution)
                row = executions.by_id(connection, press.execution)
                found = new_findings(connection, desk.door.structures, row, press.stage)
            view = modals.asking(press, asked.text, modals.evidence(note, press, found))
            stale = asked.text not in {button.value for button in note.buttons}
        except (CommandError, BrokenStructureError) as error:
            view = modals.closed(str(error))
        try:
            desk.web.call("views.update", view_id=view_id, view=view)
        except NotifyError as error:  # the window is open, and decides without
            log.warning("a window in Slack shows less than it could: %s", error)
        if stale:  # closed, or there is something else to see; else a window changes nothing of the message
            self._draw(asked, press)

    def _nap(self) -> float:
        database = self._desk.door.database
        with database.read() as connection:
            due = slack_inbox.next_due(connection)
            now = database.time(connection, self._desk.door.now)
        return IDLE if due is None else min(IDLE, max(0.05, due - now))
