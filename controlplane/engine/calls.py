"""Calls to drivers, and what their answers mean for the row. No database here.

A driver returns or raises, never both. What it raises is turned into an outcome of the row: tried again
later with growing pauses, or failed where trying again cannot help.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from accounts.base import AccountError
from accounts.redact import hidden
from controlplane.actions.base import ActionDriver
from controlplane.engine.rows import ABANDONED, ASKED
from controlplane.engine.stores import COPY, copied
from controlplane.engine.tasks import Job, Key
from controlplane.states import ActionStatus
from monitors.base import Artifact, Judgement, MonitorError, Outcome, Progress, Verdict

log = logging.getLogger(__name__)

A = ActionStatus
STATUS = {
    Outcome.RUNNING: A.IN_PROGRESS,
    Outcome.SUCCEEDED: A.SUCCEEDED,
    Outcome.FAILED: A.FAILED,
}
BY_PERSON = frozenset({"wait", "abandon"})
"""How an execution is stopped so that nothing is rolled back."""
NOT_STOPPED = "it could not be stopped"
ROLLBACK = 0
"""Its lane (engine.lanes)."""
LOOK_EVERY = 5.0
LOOK_BOUNDS = (0.2, 60.0)
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before the first, second, ... new try after an error that may pass."""
LATER = 20.0
"""Seconds until what found its place full is tried again."""
LONGEST_AT_GATE = 900.0
"""Seconds: a window that opens next week needs nobody every minute; what changes wakes its row."""
JUDGING = frozenset({"rule", "watch", "gate", *ASKED})
"""Kinds of rows that an error never ends: the monitoring is unreachable, and is asked again."""
MOST_OUTPUT = 122_880
"""Bytes of output variables of an action, as at CodePipeline."""
SHORT = 200
"""Characters: what is no longer than that may be said by many."""
LONGEST = 4000
"""Characters of a summary."""
PATIENCE = 15
"""So often, which takes five minutes, a rollback asks again where it is refused: whoever revoked our rights
in the middle of it may give them back, and nobody else brings the last known good back."""
BUGS_TOLERATED = 5
"""An error that no driver should raise is tried this often, in case it is the vendor's bad day."""


class Result(NamedTuple):
    """What came of one job: the row's new values. due is in seconds from now; None: nobody looks.

    exactly: it is due after its pause and no sooner, to share a look with others.
    """

    job: Job
    status: ActionStatus
    handle: str
    summary: str
    url: str = ""
    output: str = "{}"
    due_in: float | None = None
    failures: int = 0
    exactly: bool = False
    artifacts: tuple[Artifact, ...] = ()
    judgement: Judgement | None = None


Drivers = Mapping[Key, ActionDriver]


def start(drivers: Drivers, job: Job) -> list[Result]:
    """Start one job."""
    driver = drivers[job.key]
    try:
        progress = driver.start(job.task)
        return [_brought(job, progress) if job.key == COPY else _progress(driver, job, progress)]
    except Exception as error:  # noqa: BLE001 - one bad driver must not stop the engine
        return [_error(job, error)]


def _brought(job: Job, progress: Progress) -> Result:
    """Its inputs lie in its store, or are on their way: then the action itself is to be started."""
    row, low = job.row, LOOK_BOUNDS[0]
    due_in = 0.0 if progress.outcome is Outcome.SUCCEEDED else low
    return Result(
        job, A(row.status), row.handle, _text(progress.summary), row.url, row.output,
        due_in=due_in, failures=row.failures, artifacts=tuple(map(copied, progress.artifacts)),
    )  # fmt: skip


def look(drivers: Drivers, group: Sequence[Job]) -> list[Result]:
    """Look at many jobs of one driver, account and region with one call."""
    driver = drivers[group[0].key]
    try:
        answers = driver.look([job.task for job in group])
    except Exception as error:  # noqa: BLE001 - as above
        return [_error(job, error) for job in group]
    return [_answer(driver, job, answers) for job in group]


def _answer(driver: ActionDriver, job: Job, answers: Any) -> Result:
    """One of many answers: whatever is wrong with it spoils no other."""
    try:
        answer = answers.get(job.task.token)
        if answer is None:
            answer = MonitorError("the answer does not say how it stands")
        if isinstance(answer, Exception):
            return _error(job, answer)
        return _progress(driver, job, answer)
    except Exception as error:  # noqa: BLE001 - as above
        return _error(job, error)


def time_out(drivers: Drivers, job: Job) -> list[Result]:
    """Its time is over: give it up at the vendor, and fail. What is only followed is followed no longer."""
    if job.row.kind == ABANDONED:
        return [_ended(job, A.FAILED, "it did not end in the time that any deployment has")]
    return [_end(drivers, job, _when_late(job), "timed out")]


def _when_late(job: Job) -> A:
    """What was asked whether it holds and gave no answer is not known to be bad."""
    return A.ABANDONED if job.row.kind in ASKED else A.FAILED


def give_up(drivers: Drivers, job: Job) -> list[Result]:
    """Its stage winds down between two tries to start it: the first may have reached the vendor.

    Where a person stops, no rollback comes that would find it: what cannot be stopped is tried for a while.
    """
    try:
        drivers[job.key].stop(job.task)
    except Exception as error:  # noqa: BLE001 - as above
        if getattr(error, "postponed", False):
            return [_postponed(job, error)]
        failures = job.row.failures + 1
        passes = not getattr(error, "permanent", False) and failures <= PATIENCE
        if job.execution.stop in BY_PERSON and passes:
            return [_again(job, error, failures, None)]
        why = f"not tried again (and {NOT_STOPPED}: {error})"
        return [_ended(job, A.ABANDONED, why)._replace(failures=failures)]
    return [_ended(job, A.ABANDONED, "not tried again")]


def _end(drivers: Drivers, job: Job, status: ActionStatus, why: str) -> Result:
    try:
        drivers[job.key].stop(job.task)
        note = ""
    except Exception as error:  # noqa: BLE001 - it ends all the same; say what could not be stopped
        log.warning("%s could not be stopped: %s", job.task.token, error)
        note = f" (and {NOT_STOPPED}: {error})"
    return _ended(job, status, why + note)


def _ended(job: Job, status: ActionStatus, why: str) -> Result:
    summary = f"{why}; the last that was seen: {job.row.summary or 'nothing'}"
    return Result(job, status, job.row.handle, _text(summary), job.row.url)


def is_inline(driver: ActionDriver) -> bool:
    """True for drivers that call nothing outside: they are run where the engine stands."""
    return bool(getattr(driver, "inline", False))


def side_by_side(driver: ActionDriver) -> int:
    """How many calls of a driver may run at the same time in one place."""
    return int(getattr(driver, "side_by_side", 1))


def place(drivers: Drivers, job: Job) -> tuple[str, ...]:
    """What a job's calls share an endpoint with: looks are grouped by it, and calls take turns."""
    named = getattr(drivers[job.key], "endpoint", ())
    where = (job.task.configuration.get(key, "") for key in named)
    return (*job.key, job.task.account, job.task.region, *where)


def refused(job: Job, why: str, *, late: bool) -> Result:
    """There is nothing to call; what judges says nothing of the release by that, and is asked again.

    A gate stays closed until its time is over; a bake is held.
    """
    if job.row.kind in JUDGING and not late:
        failures = job.row.failures + 1
        return _again(job, MonitorError(why), failures, Judgement(Verdict.UNREACHABLE, why))
    if job.row.kind == ABANDONED and not late:
        return _again(job, MonitorError(why), job.row.failures + 1, None)
    return Result(job, _when_late(job), job.row.handle, why)


def crowded_out(job: Job, *, late: bool) -> Result:
    """Its place is full, or was for too long: it is due again in a while, or over if its time is."""
    row = job.row
    if late:
        return _ended(
            job, _when_late(job), "timed out (and it was not stopped: too much waits there)"
        )
    return Result(
        job, A(row.status), row.handle, row.summary, row.url, row.output,
        due_in=LATER, failures=row.failures,
    )  # fmt: skip


def _progress(driver: ActionDriver, job: Job, progress: Progress) -> Result:
    due_in = None
    if progress.outcome is Outcome.RUNNING and not (is_inline(driver) and not progress.look_after):
        low, high = LOOK_BOUNDS
        hint = progress.look_after.total_seconds() if progress.look_after else LOOK_EVERY
        due_in = min(max(hint, low), LONGEST_AT_GATE if job.row.kind == "gate" else high)
    return Result(
        job=job,
        status=STATUS[progress.outcome],
        handle=progress.handle or job.row.handle,
        summary=_text(
            progress.summary or (progress.judgement.reason if progress.judgement else "")
        ),
        url=progress.url or job.row.url,
        output=_output(progress) or job.row.output,
        due_in=due_in,
        artifacts=progress.artifacts,
        judgement=progress.judgement,
    )


def _output(progress: Progress) -> str:
    """What it puts out, as it is stored; "" where that is nothing. MonitorError where it is too much."""
    if not progress.output:
        return ""
    text = json.dumps(dict(progress.output))
    if len(text) > MOST_OUTPUT:
        said = f"its output variables are {len(text):,} bytes, more than {MOST_OUTPUT:,}"
        raise MonitorError(said, permanent=True)
    return text


def _error(job: Job, error: Exception) -> Result:
    """Raised: permanent fails the row, anything else is tried again later."""
    expected = isinstance(error, MonitorError | AccountError)
    if not expected:
        log.error("%s: a driver raised what it should not", job.key, exc_info=error)
    if getattr(error, "postponed", False):
        return _postponed(job, error)
    failures = job.row.failures + 1
    summary = str(error) if expected else f"{type(error).__name__} in the driver of {job.key[2]}"
    permanent = error.permanent if expected else failures > BUGS_TOLERATED  # type: ignore[attr-defined]
    if job.row.kind in JUDGING:
        verdict = Judgement(Verdict.UNREACHABLE, summary)
        return _again(job, error, failures, verdict)
    if permanent and job.row.kind != ABANDONED and not _is_patient(job, error, failures):
        said = _text(summary)
        return Result(job, A.FAILED, job.row.handle, said, job.row.url, failures=failures)
    return _again(job, error, failures, None)


def _is_patient(job: Job, error: Exception, failures: int) -> bool:
    """A rollback's lane does not take the first no for an answer."""
    return job.row.lane == ROLLBACK and getattr(error, "refused", False) and failures <= PATIENCE


def _postponed(job: Job, error: Exception) -> Result:
    """We hold our own calls back: nothing was asked and nothing failed, so all stays as it is."""
    row, told = job.row, getattr(error, "retry_after", None) or 0.0
    low, high = LOOK_BOUNDS
    summary = row.summary if row.kind in JUDGING else _text(f"waits for its turn: {error}")
    return Result(
        job, A(row.status), row.handle, summary, row.url, row.output,
        due_in=min(max(told, low), high), failures=row.failures, exactly=True,
    )  # fmt: skip


def _again(job: Job, error: Exception, failures: int, judgement: Judgement | None) -> Result:
    told = getattr(error, "retry_after", None) or 0.0
    pause = max(PAUSES[min(failures, len(PAUSES)) - 1], min(told, LOOK_BOUNDS[1]))
    summary = judgement.reason if judgement else f"trying again: {error}"
    status: Any = A(job.row.status)
    if job.row.kind != "action":
        status = A.IN_PROGRESS
    return Result(
        job, status, job.row.handle, _text(summary), job.row.url, job.row.output,
        due_in=pause, failures=failures, judgement=judgement,
    )  # fmt: skip


_hidden = lru_cache(maxsize=512)(hidden)
"""What thousands of rows say alike is looked through once: it costs as much as all else of an outcome."""


def _text(said: str) -> str:
    """What a vendor said, as every database takes it: half a surrogate pair or a NUL it does not.

    It becomes an event and a line of a log: a variable that somebody put out may stand in it.
    """
    fit = said[:LONGEST].encode("utf-8", "replace").decode().replace("\0", "")
    return _hidden(fit) if len(fit) <= SHORT else hidden(fit)
