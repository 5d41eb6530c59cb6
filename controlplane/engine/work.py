"""Actions that workers and functions do: their jobs go on record with the claim, before anybody is called.

A job is put on record in the transaction that claims its action, once for its number: that is its start.
Whether it timed out is decided here, under the action's lock, so that a late word and a time-out never
both count. What is said of a job comes by `engine.jobs`.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from controlplane.actions.job_words import CUT
from controlplane.declarations.model import ActionDeclaration
from controlplane.declarations.registered import LAMBDA, id_of
from controlplane.engine import ids
from controlplane.engine.calls import Result
from controlplane.engine.tasks import JOB, Job, Key
from controlplane.engine.transaction import Transaction
from controlplane.states import OVER_JOB, ActionStatus, JobStatus
from controlplane.store import action_types, jobs

log = logging.getLogger(__name__)
S = JobStatus
WORKER: Key = ("Job", "Towpath", "Worker")
FUNCTION: Key = ("Job", "Towpath", "Lambda")
OUTPUTS: Key = ("Job", "Towpath", "Outputs")
BY_EXECUTOR: Mapping[str, Key] = {"JobWorker": WORKER, "Lambda": FUNCTION}

HEARTBEAT = 20 * 60
"""Seconds in which a function must say something, where its type says nothing else; as at CodePipeline."""
CALLED_AGAIN = 30
"""Seconds until a function is invoked again for a job that goes on."""
OURS: Mapping[str, Any] = {
    "executor": {"type": "Lambda"},
    "properties": [],
    "urls": {},
}
"""What Invoke/AWS/Lambda would be registered as."""


def action_of(job: Job) -> ActionDeclaration:
    """Answer the action that a job is of: no rule is one."""
    return cast("ActionDeclaration", job.declared)


def definition(tx: Transaction, declared: ActionDeclaration, *, deleted: bool) -> Any:
    """Answer what the type of an action is registered as; None where it is not."""
    if declared.driver == LAMBDA:
        return OURS
    return action_types.get(tx.connection, id_of(declared.action_type_id), deleted=deleted)


def on_record(tx: Transaction, found: Sequence[Job]) -> list[Job]:
    """Put the jobs of claimed actions on record, and tell their drivers of them."""
    known: list[Job] = []
    for one in found:
        if one.key != JOB or one.error:
            known.append(one)
            continue
        try:
            known.append(_known(tx, one))
        except (ValueError, TypeError, LookupError):
            log.exception("%s has no job; it is seen again after its lease", one.row.token)
    return known


def called(tx: Transaction, result: Result) -> None:
    """A function was invoked for its job, and the call is over: it is never invoked for that job again."""
    if result.job.key != FUNCTION or result.status is not ActionStatus.IN_PROGRESS:
        return
    id_ = result.job.task.known["job"]["id"]
    if result.handle.startswith(id_):
        jobs.move(tx.connection, id_, (S.DISPATCHED,), S.IN_PROGRESS)


def new_row(tx: Transaction, job: Job, type_: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A job of an action; one that goes on has the next number."""
    declared, executor = action_of(job), type_["executor"]
    worker = executor["type"] == "JobWorker"
    limit = executor.get("jobTimeout", None if worker else HEARTBEAT)
    wanted = [one["name"] for one in type_["properties"] if one.get("queryable")]
    given = job.task.configuration
    return {
        "id": ids.execution_id(tx.now),
        "action_id": job.row.id,
        "number": number,
        "type": "/".join(id_of(declared.action_type_id)),
        "client": declared.driver[2] if worker and declared.driver[1] == "ThirdParty" else "",
        "status": S.QUEUED if worker else S.CREATED,
        "nonce": "",
        "dispatched_at": None,
        "not_before": None if worker or number == 1 else tx.now + CALLED_AGAIN,
        "timeout_at": tx.now + limit if limit else None,
        "continuation": "",
        "query": json.dumps({name: given[name] for name in wanted if name in given}),
        "said": "{}",
        "created_at": tx.now,
        "ended_at": None,
    }


def say(tx: Transaction, job: Job, kind: str, text: str, id_: str) -> None:
    """A job moved."""
    tx.fact(
        kind, job.execution, stage=job.task.stage, action=job.row.name, text=text, data={"job": id_}
    )


# --- inside -------------------------------------------------------------------------------------


def _known(tx: Transaction, job: Job) -> Job:
    declared = action_of(job)
    row = jobs.latest(tx.connection, job.row.id)
    type_ = definition(tx, declared, deleted=row is not None)
    if type_ is None:
        named = "/".join(id_of(declared.action_type_id))
        mend = "create it anew under another version, and name that in the pipeline"
        return job._replace(error=f"the action type {named} is not registered any more: {mend}")
    if row is None and not _is_over(tx, job):
        row = _begin(tx, job, type_)
    elif row is not None and row.status not in OVER_JOB:
        _moved(tx, job, row)
        row = jobs.latest(tx.connection, job.row.id)
    key = BY_EXECUTOR[type_["executor"]["type"]]
    if row is None:  # it never began, and never will
        return job._replace(key=key)
    if row.status == S.SUCCEEDED and declared.output_artifacts:
        key = OUTPUTS
    task = replace(job.task, known={"job": _facts(tx, job, row, type_)})
    return job._replace(key=key, task=task)


def _begin(tx: Transaction, job: Job, type_: Mapping[str, Any]) -> Any:
    row = new_row(tx, job, type_, 1)
    if row["status"] == S.CREATED:  # it is called at once, and the claim is the intent to
        row |= {"status": S.DISPATCHED, "dispatched_at": tx.now}
    jobs.add(tx.connection, row)
    how = "waits for a worker" if row["status"] == S.QUEUED else "a function is called for it"
    say(tx, job, "job.created", how, row["id"])
    return jobs.latest(tx.connection, job.row.id)


def _moved(tx: Transaction, job: Job, row: Any) -> None:
    """What time, or a function that failed, makes of a job that nobody has said the last word of."""
    open_ = tuple(one for one in S if one not in OVER_JOB)
    failed = job.row.handle.partition(CUT)
    if _is_over(tx, job) or (row.timeout_at is not None and row.timeout_at <= tx.now):
        ended = jobs.move(tx.connection, row.id, open_, S.TIMED_OUT, ended_at=tx.now)
        if ended:
            say(tx, job, "job.timedout", "nobody said how it went", row.id)
    elif failed[0] == row.id and failed[1]:
        said = json.dumps({"type": "JobFailed", "message": failed[2]})
        values = {"said": said, "ended_at": tx.now}
        held = (S.DISPATCHED, S.IN_PROGRESS)  # what it reported before counts
        if jobs.move(tx.connection, row.id, held, S.FAILED, **values):
            say(tx, job, "job.failed", failed[2], row.id)
    elif row.status == S.CREATED and (row.not_before or 0.0) <= tx.now and not job.stopping:
        values = {"dispatched_at": tx.now}
        if jobs.move(tx.connection, row.id, (S.CREATED,), S.DISPATCHED, **values):
            say(tx, job, "job.dispatched", "a function is called for it again", row.id)


def _is_over(tx: Transaction, job: Job) -> bool:
    """The action's own time is over, or it was given up before it began: as the loop sees it."""
    timeout = job.row.timeout_at
    late = timeout is not None and timeout <= tx.now and not job.row.answer
    return late or (job.stopping and job.row.status == ActionStatus.STARTING)


def _facts(tx: Transaction, job: Job, row: Any, type_: Mapping[str, Any]) -> dict[str, Any]:
    """What the driver is told. left: seconds until a word must have been said."""
    executor = type_["executor"]
    times = [at - tx.now for at in (row.timeout_at, _next(row)) if at is not None]
    return {
        "id": row.id,
        "status": str(row.status),
        "continuation": row.continuation,
        "said": json.loads(row.said),
        "left": min(times) if times else None,
        "function": executor.get("functionArn") or job.task.configuration.get("FunctionName", ""),
        "url": type_["urls"].get("executionUrlTemplate", ""),
    }


def _next(row: Any) -> float | None:
    not_before: float | None = row.not_before
    return not_before if row.status == S.CREATED else None
