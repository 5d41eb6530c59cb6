"""What a pipeline did, page by page, the newest first, as CodePipeline's listings ask for it."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, or_, select

from controlplane.store.tables import (
    ActionExecution,
    Event,
    Execution,
    LedgerEntry,
    StageExecution,
    table,
)

ACTION, STAGE, EXECUTION = table(ActionExecution), table(StageExecution), table(Execution)
A, S, E, L = ACTION.c, STAGE.c, EXECUTION.c, table(LedgerEntry).c
V = table(Event).c
Rows = Sequence[Row[Any]]
BATCH = 50
"""Executions whose actions are read at once."""


def executions(
    connection: Connection, pipeline: str, limit: int, before: str = "", succeeded_in: str = ""
) -> Rows:
    """The newest executions, before an id; succeeded_in: only those that this stage let through."""
    wanted = select(EXECUTION).where(E.pipeline == pipeline)
    if before:
        wanted = wanted.where(E.id < before)
    if succeeded_in:  # found in the order of the stages' own index: there may be a million others
        through = select(S.execution_id).where(
            S.pipeline == pipeline, S.stage == succeeded_in, S.status == "Succeeded"
        )
        if before:
            through = through.where(S.execution_id < before)
        through = through.order_by(S.execution_id.desc()).limit(limit)
        wanted = wanted.where(E.id.in_([row.execution_id for row in connection.execute(through)]))
    return connection.execute(wanted.order_by(E.id.desc()).limit(limit)).all()


def actions(
    connection: Connection, chosen: Collection[str], kinds: Collection[str], limit: int,
    after: tuple[str, int] | None = None,
) -> Rows:  # fmt: skip
    """The newest actions (or rules) of these executions, each with the name of its stage.

    after: the execution and the number of the last one that was seen.
    """
    wanted = (
        select(ACTION, S.stage, S.status.label("stage_status"))
        .join(STAGE, A.stage_id == S.id)
        .where(S.execution_id.in_(list(chosen)), A.kind.in_(list(kinds)))
    )
    if after is not None:
        execution, number = after
        wanted = wanted.where(
            or_(S.execution_id < execution, and_(S.execution_id == execution, A.id < number))
        )
    return connection.execute(
        wanted.order_by(S.execution_id.desc(), A.id.desc()).limit(limit)
    ).all()


def action(connection: Connection, number: int) -> Row[Any] | None:
    """One action by its number, with its stage."""
    wanted = select(ACTION, S.stage, S.pipeline).join(STAGE, A.stage_id == S.id)
    return connection.execute(wanted.where(A.id == number)).first()


def approvals(connection: Connection, pipeline: str, stage: str, action: str) -> Rows:
    """The newest approvals of an action, open and done. An approval's handle is its token."""
    wanted = (
        select(ACTION)
        .join(STAGE, A.stage_id == S.id)
        .where(S.pipeline == pipeline, S.stage == stage, A.name == action, A.handle == A.token)
    )
    return connection.execute(wanted.order_by(S.execution_id.desc(), A.id.desc()).limit(200)).all()


def let_through(connection: Connection, execution_id: str, stage: str) -> bool:
    """Answer whether an execution succeeded in a stage."""
    wanted = select(S.id).where(
        S.execution_id == execution_id, S.stage == stage, S.status == "Succeeded"
    )
    return connection.execute(wanted).first() is not None


def gone_back_to(connection: Connection, rollback: Any) -> str:
    """The execution that had released what a ROLLBACK execution brings back; "" where none is known."""
    wanted = (
        select(L.execution_id)
        .join(EXECUTION, L.execution_id == E.id)
        .where(
            L.pipeline == rollback.pipeline,
            L.digest == rollback.digest,
            L.execution_id < rollback.id,
            L.execution_id != rollback.rolls_back,
            E.type != "ROLLBACK",
        )
    )
    return str(connection.execute(wanted.order_by(L.id.desc()).limit(1)).scalar() or "")


def retries(connection: Connection, execution_id: str, until: int) -> list[tuple[int, str]]:
    """The retries of an execution that had been asked for when the event of this number was written.

    Each with its number and its stage; in order.
    """
    wanted = V.execution_id == execution_id, V.kind == "stage.retried", V.id <= until
    found = connection.execute(select(V.id, V.stage).where(*wanted).order_by(V.id))
    return [(row.id, row.stage) for row in found]


def action_of_event(connection: Connection, event: Any, attempt: int) -> Row[Any] | None:
    """The action execution that an event is about, in this attempt of its stage."""
    wanted = (
        select(ACTION)
        .join(STAGE, A.stage_id == S.id)
        .where(
            S.execution_id == event.execution_id,
            S.stage == event.stage,
            S.attempt == attempt,
            A.name == event.action,
            A.kind == "action",
        )
    )
    return connection.execute(wanted.order_by(A.id.desc()).limit(1)).first()


def had_started(connection: Connection, event: Any, since: int) -> bool:
    """True where an event between that number and this event says that its action had started."""
    wanted = (
        V.execution_id == event.execution_id,
        V.kind == "action.started",
        V.stage == event.stage,
        V.action == event.action,
        V.id > since,
        V.id < event.id,
    )
    return bool(connection.execute(select(exists().where(*wanted))).scalar_one())
