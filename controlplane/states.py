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


E, S, A, R = ExecutionStatus, StageStatus, ActionStatus, RollbackState

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


class IllegalMoveError(Exception):
    """A move was asked for that no table lists."""


def check(old: StrEnum, new: StrEnum) -> None:
    """Raise IllegalMoveError unless the table of that kind of state lists the move."""
    if new not in _TABLES[type(old)][old]:
        raise IllegalMoveError(f"{type(old).__name__}: {old} -> {new}")


def is_over(status: StrEnum) -> bool:
    """True where no move leads on (a failed execution is over too, until somebody retries it)."""
    return status == E.FAILED or not _TABLES[type(status)][status]


_TABLES: Mapping[type[StrEnum], Mapping[Any, frozenset[Any]]] = {
    ExecutionStatus: EXECUTION_MOVES,
    StageStatus: STAGE_MOVES,
    ActionStatus: ACTION_MOVES,
    RollbackState: ROLLBACK_MOVES,
}
