"""What the metrics say, counted from the rows."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from controlplane.store.tables import Event, Execution, Outbox, StageExecution, table

E, S = table(Execution).c, table(StageExecution).c
V, O = table(Event).c, table(Outbox).c  # noqa: E741

Counted = tuple[str, str, tuple[str, ...], bool, dict[tuple[str, ...], float]]


def read(connection: Connection, now: float) -> Iterable[Counted]:
    """(name, help, labels, counter?, values) of every metric."""
    executions = connection.execute(
        select(E.pipeline, E.type, E.status, func.count()).group_by(E.pipeline, E.type, E.status)
    ).all()
    yield (
        "towpath_executions",
        "Pipeline executions by pipeline, type and status.",
        ("pipeline", "type", "status"),
        False,
        {(row[0], row[1], row[2]): float(row[3]) for row in executions},
    )
    stages = connection.execute(
        select(S.pipeline, S.stage, S.status, func.count())
        .where(S.since.is_not(None))
        .group_by(S.pipeline, S.stage, S.status)
    ).all()
    yield (
        "towpath_deployments",
        "Stage executions that deployed something, by how they ended or stand.",
        ("pipeline", "stage", "result"),
        False,
        {(row[0], row[1], row[2]): float(row[3]) for row in stages},
    )
    waiting = connection.execute(
        select(func.count(), func.min(O.due_at)).where(O.status == "PENDING")
    ).one()
    yield (
        "towpath_outbox_pending",
        "Notifications that have not left yet.",
        (),
        False,
        {(): float(waiting[0])},
    )
    yield (
        "towpath_outbox_age_seconds",
        "How long the oldest notification that is due has been waiting.",
        (),
        False,
        {(): max(0.0, now - waiting[1]) if waiting[1] else 0.0},
    )
