"""Questions that doors and commands ask. Reads only; bounded."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from controlplane.states import StageStatus
from controlplane.store.tables import (
    ActionExecution,
    Event,
    Execution,
    LedgerEntry,
    Quarantine,
    StageExecution,
    Transition,
    table,
)

ACTION, STAGE, EXECUTION = table(ActionExecution), table(StageExecution), table(Execution)
EVENT, LEDGER = table(Event), table(LedgerEntry)
QUARANTINE, TRANSITION = table(Quarantine), table(Transition)
A, S, E = ACTION.c, STAGE.c, EXECUTION.c
Rows = Sequence[Row[Any]]
INSIDE = (StageStatus.IN_PROGRESS, StageStatus.BAKING, StageStatus.STOPPING)


OPEN_APPROVALS = (
    select(ACTION)
    .join(STAGE, A.stage_id == S.id)
    .where(
        S.execution_id == bindparam("execution"),
        S.stage == bindparam("stage"),
        A.status == "InProgress",
        A.handle == A.token,  # an approval's handle is its token
    )
)


def open_approval(
    connection: Connection, execution_id: str, stage: str, action: str
) -> Row[Any] | None:
    """The approval that waits in a stage; action "" takes the only one."""
    found = connection.execute(OPEN_APPROVALS, {"execution": execution_id, "stage": stage}).all()
    rows = [row for row in found if action in ("", row.name)]
    return rows[0] if len(rows) == 1 else None


IN_STAGE = select(STAGE).where(
    S.pipeline == bindparam("pipeline"),
    S.stage == bindparam("stage"),
    S.ended_at.is_(None),
    S.status.in_(INSIDE),
)


def in_stage(connection: Connection, pipeline: str, stage: str) -> Row[Any] | None:
    """The newest execution that is in a stage now."""
    # Sorted here: there are few, and SQLite would walk through all that ever entered to sort them.
    rows = connection.execute(IN_STAGE, {"pipeline": pipeline, "stage": stage}).all()
    return max(rows, key=lambda row: row.execution_id, default=None)


def last_in_stage(connection: Connection, pipeline: str, stage: str) -> Row[Any] | None:
    """The last stage execution that ended there and had deployed something; a drill changes nothing."""
    statement = (
        select(STAGE)
        .where(
            S.pipeline == pipeline,
            S.stage == stage,
            S.since.is_not(None),
            S.ended_at.is_not(None),
            S.drill.is_(False),
        )
        .order_by(S.ended_at.desc())
    )
    return connection.execute(statement).first()


def stands_in(connection: Connection, pipeline: str, stage: str) -> Row[Any] | None:
    """Who is in a stage now, or else who deployed there last, unless that failed already."""
    inside = in_stage(connection, pipeline, stage)
    last = last_in_stage(connection, pipeline, stage) if inside is None else None
    return last if last is not None and last.status != StageStatus.FAILED else inside


def latest_in_stage(connection: Connection, pipeline: str, stage: str) -> Row[Any] | None:
    """Answer the newest stage execution that has entered it, whether it has left or not; no drill is asked."""
    statement = (
        select(STAGE)
        .where(
            S.pipeline == pipeline,
            S.stage == stage,
            S.entered_at.is_not(None),
            S.drill.is_(False),
        )
        .order_by(S.execution_id.desc(), S.attempt.desc())
        .limit(1)
    )
    return connection.execute(statement).first()


def newer_in_stage(connection: Connection, pipeline: str, stage: str, execution_id: str) -> bool:
    """True where an execution accepted later has entered the stage; a drill changes nothing there."""
    statement = select(S.id).where(
        S.pipeline == pipeline,
        S.stage == stage,
        S.execution_id > execution_id,
        S.entered_at.is_not(None),
        S.drill.is_(False),
    )
    return connection.execute(statement).first() is not None


def actions_of_stage(connection: Connection, stage_id: str) -> Rows:
    return connection.execute(select(ACTION).where(A.stage_id == stage_id).order_by(A.id)).all()


def actions_of_execution(connection: Connection, execution_id: str) -> Rows:
    return connection.execute(
        select(ACTION)
        .where(A.stage_id.in_(select(S.id).where(S.execution_id == execution_id)))
        .order_by(A.id)
    ).all()


def executions_of(connection: Connection, pipeline: str, limit: int = 50, before: str = "") -> Rows:
    """The newest executions of a pipeline; before: an id to page on from."""
    statement = select(EXECUTION).where(E.pipeline == pipeline)
    if before:
        statement = statement.where(E.id < before)
    return connection.execute(statement.order_by(E.id.desc()).limit(limit)).all()


def events_after(
    connection: Connection, after: int, *, pipeline: str = "", execution: str = "", limit: int = 500
) -> Rows:
    """Events in order, after an id."""
    statement = select(EVENT).where(EVENT.c.id > after)
    if pipeline:
        statement = statement.where(EVENT.c.pipeline == pipeline)
    if execution:
        statement = statement.where(EVENT.c.execution_id == execution)
    return connection.execute(statement.order_by(EVENT.c.id).limit(limit)).all()


def newest_events(connection: Connection, execution_id: str, limit: int = 200) -> Rows:
    """Answer an execution's newest events, the newest first."""
    statement = select(EVENT).where(EVENT.c.execution_id == execution_id)
    return connection.execute(statement.order_by(EVENT.c.id.desc()).limit(limit)).all()


def last_event(connection: Connection) -> int:
    """The id of the newest event; 0 where there is none."""
    return int(connection.execute(select(func.max(EVENT.c.id))).scalar() or 0)


def ledger_of(connection: Connection, pipeline: str, limit: int = 200, before: int = 0) -> Rows:
    """The newest entries of a pipeline's ledger; before: an id to page on from."""
    statement = select(LEDGER).where(LEDGER.c.pipeline == pipeline)
    if before:
        statement = statement.where(LEDGER.c.id < before)
    return connection.execute(statement.order_by(LEDGER.c.id.desc()).limit(limit)).all()


def quarantine_of(connection: Connection, digest: str) -> Row[Any] | None:
    return connection.execute(
        select(QUARANTINE).where(QUARANTINE.c.digest == digest, QUARANTINE.c.lifted_at.is_(None))
    ).first()


def quarantines(connection: Connection, limit: int = 500, after: int = 0) -> Rows:
    """The next digests in quarantine now, oldest first; after: an id to page on from."""
    held = select(QUARANTINE).where(QUARANTINE.c.lifted_at.is_(None), QUARANTINE.c.id > after)
    return connection.execute(held.order_by(QUARANTINE.c.id).limit(limit)).all()


def newest_quarantines(connection: Connection, limit: int, before: int = 0) -> Rows:
    """The digests in quarantine now, the newest first; before: an id to page on from."""
    held = select(QUARANTINE).where(QUARANTINE.c.lifted_at.is_(None))
    if before:
        held = held.where(QUARANTINE.c.id < before)
    return connection.execute(held.order_by(QUARANTINE.c.id.desc()).limit(limit)).all()


def quarantines_of(connection: Connection, pipeline: str, limit: int = 100) -> Rows:
    """The digests that a pipeline put into quarantine last and that are in it now, oldest first."""
    held = select(QUARANTINE).where(
        QUARANTINE.c.lifted_at.is_(None), QUARANTINE.c.pipeline == pipeline
    )
    return connection.execute(held.order_by(QUARANTINE.c.id.desc()).limit(limit)).all()[::-1]


def transitions(connection: Connection, pipeline: str) -> Rows:
    """The disabled transitions of a pipeline."""
    return connection.execute(select(TRANSITION).where(TRANSITION.c.pipeline == pipeline)).all()
