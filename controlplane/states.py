"""Every state there is and every move there may be. Read this file first.

The words are CodePipeline's. Ours: `Inbound` (waits in front of a stage), `Baking` (deployed is not yet
good), `Ready` and `Starting` (the intent to call outside is on record before the call is made).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class ExecutionStatus(StrEnum):
    """Where a pipeline execution stands."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"


class StageStatus(StrEnum):
    """Where a stage execution stands."""

    INBOUND = "Inbound"
    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    BAKING = "Baking"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


class ActionStatus(StrEnum):
    """Where an action execution (or a rule's) stands."""

    READY = "Ready"
    STARTING = "Starting"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ABANDONED = "Abandoned"


class RollbackState(StrEnum):
    """How far a ROLLBACK execution is; FAILED pages a person."""

    REQUESTED = "requested"
    STOPPING = "stopping"
    REDEPLOYING = "redeploying"
    VERIFYING = "verifying"
    DONE = "done"
    FAILED = "failed"


class WatchState(StrEnum):
    """How a stage is watched after it is done; "" in its row where it is not."""

    AUTOMATIC = "automatic"
    ADVICE = "advice"
    OVER = "over"


class DrillState(StrEnum):
    """How far a drill is."""

    DEPLOYING = "deploying"  # the good release goes through the stage once more
    ALARMED = "alarmed"  # the alarm is set, or about to be: nobody has noticed yet
    NOTICED = "noticed"  # a rule failed; the rollback is followed to its end
    DONE = "done"
    FAILED = "failed"


class JobStatus(StrEnum):
    """Where a job of a worker or a function stands; CodePipeline's own words.

    Created: put on record for a function that is not called yet. Queued: a worker may have it.
    """

    CREATED = "Created"
    QUEUED = "Queued"
    DISPATCHED = "Dispatched"
    IN_PROGRESS = "InProgress"
    TIMED_OUT = "TimedOut"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


E, S, A, R = ExecutionStatus, StageStatus, ActionStatus, RollbackState
W, D, J = WatchState, DrillState, JobStatus

EXECUTION_MOVES: Mapping[ExecutionStatus, frozenset[ExecutionStatus]] = {
    E.IN_PROGRESS: frozenset({E.STOPPING, E.STOPPED, E.SUCCEEDED, E.SUPERSEDED, E.FAILED}),
    E.STOPPING: frozenset({E.STOPPED, E.FAILED}),
    # Not terminal: CodePipeline retries a failed stage within the same execution.
    E.FAILED: frozenset({E.IN_PROGRESS}),
    E.STOPPED: frozenset(),
    E.SUCCEEDED: frozenset(),
    E.SUPERSEDED: frozenset(),
}

STAGE_MOVES: Mapping[StageStatus, frozenset[StageStatus]] = {
    # Failed or Skipped at the gate: a rule of beforeEntry does not hold, for good.
    S.INBOUND: frozenset({S.IN_PROGRESS, S.CANCELLED, S.FAILED, S.SKIPPED}),
    S.IN_PROGRESS: frozenset({S.BAKING, S.STOPPING, S.SUCCEEDED, S.FAILED, S.STOPPED}),
    S.BAKING: frozenset({S.SUCCEEDED, S.STOPPING, S.FAILED, S.STOPPED}),
    S.STOPPING: frozenset({S.FAILED, S.STOPPED}),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset(),
    S.STOPPED: frozenset(),
    S.CANCELLED: frozenset(),
    S.SKIPPED: frozenset(),
}

ACTION_MOVES: Mapping[ActionStatus, frozenset[ActionStatus]] = {
    A.READY: frozenset({A.STARTING, A.ABANDONED}),
    A.STARTING: frozenset({A.IN_PROGRESS, A.SUCCEEDED, A.FAILED, A.ABANDONED}),
    A.IN_PROGRESS: frozenset({A.SUCCEEDED, A.FAILED, A.ABANDONED}),
    A.SUCCEEDED: frozenset(),
    A.FAILED: frozenset(),
    A.ABANDONED: frozenset(),
}

ROLLBACK_MOVES: Mapping[RollbackState, frozenset[RollbackState]] = {
    R.REQUESTED: frozenset({R.STOPPING, R.REDEPLOYING, R.FAILED}),
    R.STOPPING: frozenset({R.REDEPLOYING, R.VERIFYING, R.FAILED}),
    R.REDEPLOYING: frozenset({R.VERIFYING, R.DONE, R.FAILED}),
    R.VERIFYING: frozenset({R.DONE, R.FAILED}),
    R.DONE: frozenset(),
    R.FAILED: frozenset(),
}

WATCH_MOVES: Mapping[WatchState, frozenset[WatchState]] = {
    W.AUTOMATIC: frozenset({W.ADVICE, W.OVER}),
    W.ADVICE: frozenset({W.OVER}),
    W.OVER: frozenset(),
}


DRILL_MOVES: Mapping[DrillState, frozenset[DrillState]] = {
    D.DEPLOYING: frozenset({D.ALARMED, D.FAILED}),
    D.ALARMED: frozenset({D.NOTICED, D.FAILED}),
    D.NOTICED: frozenset({D.DONE, D.FAILED}),
    D.DONE: frozenset(),
    D.FAILED: frozenset(),
}


OVER_JOB = frozenset({J.TIMED_OUT, J.SUCCEEDED, J.FAILED})
JOB_MOVES: Mapping[JobStatus, frozenset[JobStatus]] = {
    J.CREATED: frozenset({J.DISPATCHED, J.TIMED_OUT, J.FAILED}),
    J.QUEUED: frozenset({J.DISPATCHED, J.TIMED_OUT, J.FAILED}),
    # Again: nobody acknowledged it. A function may report while its call still lasts.
    J.DISPATCHED: frozenset({J.DISPATCHED, J.QUEUED, J.IN_PROGRESS, *OVER_JOB}),
    J.IN_PROGRESS: frozenset(OVER_JOB),
    J.TIMED_OUT: frozenset(),
    J.SUCCEEDED: frozenset(),
    J.FAILED: frozenset(),
}


class IllegalMoveError(Exception):
    """A move was asked for that no table lists."""


def check(old: str, new: StrEnum) -> None:
    """Raise IllegalMoveError unless the table of that kind of state lists the move.

    old: as a row says it will do.
    """
    if new not in _TABLES[type(new)][old]:
        raise IllegalMoveError(f"{type(new).__name__}: {old} -> {new}")


def is_over(status: StrEnum) -> bool:
    """True where no move leads on (a failed execution is over too, until somebody retries it)."""
    return status == E.FAILED or not _TABLES[type(status)][status]


_TABLES: Mapping[type[StrEnum], Mapping[Any, frozenset[Any]]] = {
    ExecutionStatus: EXECUTION_MOVES,
    StageStatus: STAGE_MOVES,
    ActionStatus: ACTION_MOVES,
    RollbackState: ROLLBACK_MOVES,
    WatchState: WATCH_MOVES,
    DrillState: DRILL_MOVES,
    JobStatus: JOB_MOVES,
}
