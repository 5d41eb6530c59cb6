"""What workers and functions may ask for: jobs to do, and to say how a job went. Each is one transaction.

A word counts once, and only while the action waits for it: said twice, said after the time-out, said of an
execution that went on without it, it is refused and changes nothing. Locks: the action's row, then the job's.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accounts.redact import redacted
from controlplane.engine import work
from controlplane.engine.conflicts import again
from controlplane.engine.structures import Structures
from controlplane.engine.tasks import Job
from controlplane.engine.tasks import jobs as make_jobs
from controlplane.engine.transaction import Transaction, transaction
from controlplane.states import OVER_JOB, JobStatus
from controlplane.store import actions, jobs
from controlplane.store.actions import OPEN
from controlplane.store.database import Database

S = JobStatus
REDELIVER = 60.0
"""Seconds until a job that was handed out and not acknowledged is handed out again."""
MOST = 10
"""Jobs of one poll: for each credentials are asked for."""
LONGEST = 3_900
"""Characters of what a worker says that are kept: a row's summary takes little more."""
PAGE = 100
LOOKED_AT = 2_000
"""Jobs of a type and a query that one poll looks through: some may be gone meanwhile, or unreadable."""


class Refusal(StrEnum):
    """Why a word does not count."""

    NOT_FOUND = "not found"
    NONCE = "nonce"
    STATE = "state"


class JobError(Exception):
    """It was refused, and nothing was changed."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Given:
    """A job as its worker gets it: its row, and the task of its action."""

    row: Any
    job: Job


class Jobs:
    """Hands jobs out and takes words in."""

    def __init__(
        self, database: Database, structures: Structures, now: Callable[[], float]
    ) -> None:
        self._database = database
        self._structures = structures
        self._now = now

    @again
    def poll(self, type_: str, limit: int, query: Mapping[str, str]) -> list[Given]:
        """Hand out waiting jobs of a type, oldest first; each to one worker, under a nonce."""
        given: list[Given] = []
        with self._transaction() as tx:
            for row in self._waiting(tx, type_, query):
                found = self._dispatched(tx, row)
                given += [] if found is None else [found]
                if len(given) == min(limit, MOST):
                    break
        return given

    @again
    def give_back(self, row: Any) -> None:
        """It could not be handed out after all: the next poll may have it, unless one has it already."""
        with self._transaction() as tx:
            jobs.take_back(tx.connection, row, secrets.token_hex(8))

    def details(self, id_: str) -> Given:
        """Answer a job, whatever its state."""
        with self._database.read() as connection:
            row = _row(connection, id_)
            action = jobs.action_of(connection, row.action_id)
            found = make_jobs(connection, self._structures, [action], self._now()) if action else []
        if not found:
            raise JobError(Refusal.NOT_FOUND, f"Job '{id_}' is of an execution that is gone")
        return Given(row, found[0])

    @again
    def acknowledge(self, id_: str, nonce: str) -> str:
        """Take a job for one's own: who has the newest nonce wins. Answers its state."""
        with self._transaction() as tx:
            row = _row(tx.connection, id_)
            if not row.nonce or not secrets.compare_digest(row.nonce.encode(), nonce.encode()):
                said = f"The nonce is not the one that job '{id_}' was handed out under last"
                raise JobError(Refusal.NONCE, said)
            found = self._job(tx, row)
            if row.status == S.DISPATCHED and (found is None or found.row.status not in OPEN):
                jobs.move(tx.connection, id_, (S.DISPATCHED,), S.FAILED, ended_at=tx.now)
                return str(S.FAILED)  # nobody waits for it any more: it is not worth beginning
            if found and jobs.move(tx.connection, id_, (S.DISPATCHED,), S.IN_PROGRESS):
                work.say(tx, found, "job.acknowledged", "a worker is at it", id_)
                return str(S.IN_PROGRESS)
        return str(row.status)  # the answer was lost, and is asked for again; or it is over

    @again
    def succeed(self, id_: str, said: Mapping[str, Any]) -> None:
        """A worker says that it is done; with a continuation token, that it goes on.

        said: continuationToken, currentRevision, executionDetails, outputVariables as CodePipeline has them.
        """
        goes_on = said.get("continuationToken", "")
        kept = _kept(said)
        with self._transaction() as tx:
            row, found = self._reported(tx, id_, last=not goes_on)
            self._end(tx, row, S.SUCCEEDED, kept)
            if goes_on:
                self._go_on(tx, row, found, goes_on, kept)
            told = kept.get("summary") or ("goes on" if goes_on else "done")
            kind = "job.continued" if goes_on else "job.succeeded"
            work.say(tx, found, kind, str(told), id_)

    @again
    def fail(self, id_: str, details: Mapping[str, Any]) -> None:
        """A worker says that it failed. details: type, message, externalExecutionId."""
        details = _fit({**details, "message": redacted(details["message"], LONGEST)})
        with self._transaction() as tx:
            row, found = self._reported(tx, id_, last=True)
            self._end(tx, row, S.FAILED, {**json.loads(row.said), **details})
            work.say(tx, found, "job.failed", f"{details['type']}: {details['message']}", id_)

    # --- inside -----------------------------------------------------------------------------------

    def _transaction(self) -> Any:
        return transaction(self._database, self._structures, self._now)

    def _waiting(self, tx: Transaction, type_: str, query: Mapping[str, str]) -> Iterator[Any]:
        after, seen, before = (0.0, ""), 0, tx.now - REDELIVER
        while seen < LOOKED_AT:
            page = jobs.waiting(tx.connection, type_, query, before, after, PAGE)
            yield from (row for row in page if query.items() <= json.loads(row.query).items())
            if len(page) < PAGE:
                break
            after, seen = (page[-1].created_at, page[-1].id), seen + PAGE

    def _dispatched(self, tx: Transaction, row: Any) -> Given | None:
        """Hand it out; None where another worker was quicker: the next one will do."""
        found, nonce = self._job(tx, row), secrets.token_hex(8)
        if found is None:
            return None
        if not jobs.dispatch(tx.connection, row, nonce, tx.now, tx.now - REDELIVER):
            return None
        work.say(tx, found, "job.dispatched", "a worker polled for it", row.id)
        return Given(jobs.by_id(tx.connection, row.id), found)

    def _job(self, tx: Transaction, row: Any) -> Job | None:
        """The action that a job is of; None where it cannot be read (that is logged)."""
        action = jobs.action_of(tx.connection, row.action_id)
        made = make_jobs(tx.connection, self._structures, [action], tx.now) if action else []
        return made[0] if made else None

    def _reported(self, tx: Transaction, id_: str, *, last: bool) -> tuple[Any, Job]:
        """Wake the action, or refuse; first its row, so that no claim decides about it meanwhile."""
        seen = _row(tx.connection, id_)
        woken = actions.wake(tx.connection, seen.action_id, tx.now, id_ if last else None)
        row = _row(tx.connection, id_)
        found = self._job(tx, row)
        late = row.timeout_at is not None and row.timeout_at <= tx.now
        if not woken or late or found is None or not _may_report(row):
            why = "its time is over" if late else "its action does not wait for it any more"
            state = row.status if row.status in OVER_JOB else f"{row.status}: {why}"
            if woken and not late and row.status in (S.QUEUED, S.DISPATCHED):
                state = f"{row.status}: acknowledge it first"
            raise JobError(Refusal.STATE, f"Job '{id_}' is {state}")
        timeout = found.row.timeout_at
        if timeout is not None and timeout <= tx.now:
            raise JobError(Refusal.STATE, f"Job '{id_}': the time of its action is over")
        return row, found

    def _end(self, tx: Transaction, row: Any, status: JobStatus, said: Mapping[str, Any]) -> None:
        held = (S.DISPATCHED, S.IN_PROGRESS)
        values = {"said": json.dumps(dict(said)), "ended_at": tx.now}
        if not jobs.move(tx.connection, row.id, held, status, **values):
            raise JobError(Refusal.STATE, f"Job '{row.id}' was ended at this moment")

    def _go_on(
        self, tx: Transaction, row: Any, found: Job, token: str, said: Mapping[str, Any]
    ) -> None:
        """Put the next job of the action on record: it is polled for, or called, with the token."""
        type_ = work.definition(tx, work.action_of(found), deleted=True)
        new = work.new_row(tx, found, type_, row.number + 1)
        jobs.add(tx.connection, {**new, "continuation": token, "said": json.dumps(dict(said))})


def _row(connection: Any, id_: str) -> Any:
    row = jobs.by_id(connection, id_)
    if row is None:
        raise JobError(Refusal.NOT_FOUND, f"There is no job '{id_}'")
    return row


def _may_report(row: Any) -> bool:
    """A worker has acknowledged it before; a function may report while its call still lasts."""
    if row.status == S.IN_PROGRESS:
        return True
    return bool(row.status == S.DISPATCHED and row.nonce == "")


def _fit(details: Mapping[str, Any]) -> dict[str, Any]:
    """A worker's own id is told in events, and shown: no credential stands there."""
    kept = dict(details)
    if "externalExecutionId" in kept:
        kept["externalExecutionId"] = redacted(kept["externalExecutionId"], LONGEST)
    return kept


def _kept(said: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a worker's report."""
    kept = _fit(said.get("executionDetails", {}))
    if "outputVariables" in said:
        kept["outputVariables"] = dict(said["outputVariables"])
    revision = said.get("currentRevision")
    if revision is not None:
        kept["currentRevision"] = dict(revision)
        kept.setdefault("summary", revision.get("revisionSummary") or revision["revision"])
    if "summary" in kept:
        kept["summary"] = redacted(kept["summary"], LONGEST)
    return kept
