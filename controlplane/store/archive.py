"""Finished executions that may go: which, with all that hangs on them, and how they are taken out.

What stays whatever its age: what is open, or whose notification has not left; what stands in a stage, for a
person may roll it back; what a rollback that is kept rolled back; what is not tallied yet. The ledger, the
quarantine and the structures are never touched: a way back is not a matter of age.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
)

from controlplane.store import locks, tally
from controlplane.store.tables import (
    ActionExecution,
    Approval,
    ArtifactRow,
    Event,
    Execution,
    GateOverride,
    Job,
    MeasuredSeries,
    Measurement,
    Outbox,
    OutputVariable,
    StageExecution,
    Started,
    Thread,
    Vote,
    table,
)

EXECUTION, STAGE, ACTION = table(Execution), table(StageExecution), table(ActionExecution)
EVENT, OUTBOX, MEASUREMENT = table(Event), table(Outbox), table(Measurement)
ARTIFACT, VARIABLE, THREAD = table(ArtifactRow), table(OutputVariable), table(Thread)
STARTED, SERIES, OVERRIDE = table(Started), table(MeasuredSeries), table(GateOverride)
JOB, APPROVAL, VOTE = table(Job), table(Approval), table(Vote)
E, S, A, V, O, M = EXECUTION.c, STAGE.c, ACTION.c, EVENT.c, OUTBOX.c, MEASUREMENT.c  # noqa: E741

Ids = Collection[str]
Document = dict[str, Any]


def _of(target: Table) -> Callable[[Ids], ColumnElement[bool]]:
    in_: Callable[[Ids], ColumnElement[bool]] = target.c.execution_id.in_
    return in_


def _actions_of(ids: Ids) -> ColumnElement[bool]:
    return A.stage_id.in_(select(S.id).where(S.execution_id.in_(ids)))


def _by_action(target: Table) -> Callable[[Ids], ColumnElement[bool]]:
    return lambda ids: target.c.action_id.in_(select(A.id).where(_actions_of(ids)))


HANGS: Mapping[str, tuple[Table, Callable[[Ids], ColumnElement[bool]]]] = {
    "measurements": (MEASUREMENT, _by_action(MEASUREMENT)),
    "series": (SERIES, _by_action(SERIES)),
    "jobs": (JOB, _by_action(JOB)),
    "actions": (ACTION, _actions_of),
    "stages": (STAGE, _of(STAGE)),
    "artifacts": (ARTIFACT, _of(ARTIFACT)),
    "variables": (VARIABLE, _of(VARIABLE)),
    "events": (EVENT, _of(EVENT)),
    "outbox": (OUTBOX, _of(OUTBOX)),
    "threads": (THREAD, _of(THREAD)),
    "overrides": (OVERRIDE, _of(OVERRIDE)),
    "approvals": (APPROVAL, _of(APPROVAL)),
    "votes": (VOTE, _of(VOTE)),
}
"""All that hangs on an execution, in the order in which it can be taken out."""
OF_ACTIONS = frozenset({"measurements", "series", "jobs"})
"""What knows its action only, and by it its execution."""


def finished(connection: Connection, before: float, after: str, limit: int) -> list[str]:
    """The next executions that ended before a time and may go, oldest first, after an id."""
    milliseconds = f"{max(0, int(before * 1000)):012x}"  # ids begin with the time of the start
    oldest = (E.id > after) & (E.id < f"{milliseconds[:8]}-{milliseconds[8:]}")
    statement = select(E.id).where(oldest, *_may_go(connection, before))
    return list(connection.execute(statement.order_by(E.id).limit(limit)).scalars())


def documents(connection: Connection, ids: Sequence[str]) -> list[Document]:
    """Each of these executions with all that hangs on it, in the order of their ids."""
    rows = connection.execute(select(EXECUTION).where(E.id.in_(ids)).order_by(E.id)).all()
    found: dict[str, Document] = {
        row.id: {"execution": dict(row._mapping), **{name: [] for name in HANGS}}  # noqa: SLF001
        for row in rows
    }
    owners: dict[int, str] = {}
    for name, (target, of) in reversed(list(HANGS.items())):
        statement = select(target).where(of(ids)).order_by(*target.primary_key)
        for row in connection.execute(statement).mappings():
            if name == "actions":
                owners[row["id"]] = row["execution_id"]
            owner = owners[row["action_id"]] if name in OF_ACTIONS else row["execution_id"]
            found[owner][name].append(dict(row))
    return list(found.values())


def remove(connection: Connection, whole: Sequence[Document], before: float) -> int:
    """Take out those of these documents that still may go, unmoved; answers how many."""
    locks.stages(connection, [stage["id"] for one in whole for stage in one["stages"]])
    seen = {one["execution"]["id"]: one["execution"] for one in whole}
    still = select(EXECUTION).where(E.id.in_(list(seen)), *_may_go(connection, before))
    rows = connection.execute(still).mappings().all()
    gone = [row["id"] for row in rows if dict(row) == seen[row["id"]]]
    kept = [
        {"dedupe": seen[id_]["dedupe"], "execution_id": id_}
        for id_ in gone
        if (seen[id_]["dedupe"] or "").startswith("source:")
    ]
    if kept:
        connection.execute(insert(STARTED), kept)
    for target, of in HANGS.values():
        connection.execute(delete(target).where(of(gone)))
    connection.execute(delete(EXECUTION).where(E.id.in_(gone)))
    return len(gone)


def _may_go(connection: Connection, before: float) -> tuple[ColumnElement[bool], ...]:
    back = EXECUTION.alias("back")
    # `!= ''` for the index, which knows rollbacks only.
    rolled_back = exists().where(back.c.rolls_back == E.id, back.c.rolls_back != "")
    unsent = exists().where(O.execution_id == E.id, O.status == "PENDING")
    uncounted = exists().where(V.execution_id == E.id, V.id > tally.place(connection))
    followed = exists().where(
        S.execution_id == E.id, A.stage_id == S.id, A.kind == "abandoned", A.due_at.is_not(None)
    )
    return (
        E.ended_at < before,
        E.id.not_in(_last_of_each(connection)),
        ~rolled_back,
        ~unsent,
        ~uncounted,
        ~_stands(),
        ~followed,
    )


def _stands() -> ColumnElement[bool]:
    """In some stage it was the last that deployed, or the last that entered."""
    later = STAGE.alias("later")
    there = and_(later.c.pipeline == S.pipeline, later.c.stage == S.stage)
    deployed_later = exists().where(
        there,
        later.c.ended_at > S.ended_at,
        later.c.since.is_not(None),
        later.c.drill.is_(False),
    )
    entered_later = exists().where(
        there, later.c.execution_id > S.execution_id, later.c.entered_at.is_not(None)
    )
    return exists().where(
        S.execution_id == E.id,
        S.drill.is_(False),
        or_(
            and_(S.since.is_not(None), ~deployed_later),
            and_(S.entered_at.is_not(None), ~entered_later),
        ),
    )


def _last_of_each(connection: Connection) -> list[str]:
    """Who holds the highest number of a table: SQLite would give it out again once it is gone."""
    last = (
        select(A.execution_id).where(A.id == select(func.max(A.id)).scalar_subquery()),
        select(V.execution_id).where(V.id == select(func.max(V.id)).scalar_subquery()),
        select(O.execution_id).where(O.id == select(func.max(O.id)).scalar_subquery()),
        select(A.execution_id)
        .join(MEASUREMENT, M.action_id == A.id)
        .where(M.id == select(func.max(M.id)).scalar_subquery()),
    )
    return [str(id_) for one in last for id_ in connection.execute(one).scalars()]
