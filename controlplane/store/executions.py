"""Execution and stage rows: inserted once, moved by compare-and-swap."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from controlplane.states import StageStatus
from controlplane.store.bulk import Reading, among, inserting, updating
from controlplane.store.swap import swap
from controlplane.store.tables import (
    Execution,
    Freeze,
    OutputVariable,
    Quarantine,
    StageExecution,
    Started,
    Transition,
    table,
)

EXECUTION = table(Execution)
STAGE = table(StageExecution)
V = table(OutputVariable)
STARTED = table(Started)
E, S = EXECUTION.c, STAGE.c
Q, T, F = table(Quarantine).c, table(Transition).c, table(Freeze).c


ADD = {
    name: insert_(EXECUTION).on_conflict_do_nothing(index_elements=["dedupe"]).returning(E.id)
    for name, insert_ in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def add(connection: Connection, row: Mapping[str, Any]) -> Any:
    """A new execution, as it is stored; None where its `dedupe` key was accepted before, archived or not."""
    whole = {"ended_at": None, "restores": "", **row}
    if connection.execute(ADD[connection.dialect.name], whole).first() is None:
        return None
    # Asked after the insert, which waits for a transaction that is archiving the same key.
    if row.get("dedupe") and _archived(connection, row["dedupe"]):
        connection.execute(delete(EXECUTION).where(E.id == row["id"]))
        return None
    return SimpleNamespace(**whole)


def by_dedupe(connection: Connection, key: str) -> str | None:
    """The execution that an accepted event made; of an archived one, the id that it had."""
    found = connection.execute(select(E.id).where(E.dedupe == key)).scalar()
    return found or _archived(connection, key)


def _archived(connection: Connection, key: str) -> str | None:
    wanted = select(STARTED.c.execution_id).where(STARTED.c.dedupe == key)
    return connection.execute(wanted).scalar()


def open_versions(connection: Connection, pipeline: str) -> list[int]:
    """The versions of a pipeline that executions which have not ended run."""
    wanted = select(E.version).where(E.pipeline == pipeline, E.ended_at.is_(None)).distinct()
    return list(connection.execute(wanted).scalars())


def open_ones(connection: Connection, pipeline: str, most: int) -> int:
    """How many executions of a pipeline have not ended; counted up to `most`."""
    wanted = select(E.status).where(E.pipeline == pipeline, E.ended_at.is_(None)).limit(most)
    return int(connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one())


def open_beside(connection: Connection, pipeline: str, but: str) -> str:
    """The newest execution of a pipeline that has not ended, another one than this; "" where none is."""
    wanted = select(func.max(E.id)).where(E.pipeline == pipeline, E.ended_at.is_(None), E.id != but)
    return str(connection.execute(wanted).scalar() or "")


def open_rollbacks(connection: Connection, limit: int = 1_000) -> Sequence[Row[Any]]:
    """The ROLLBACK executions that have not ended."""
    wanted = select(EXECUTION).where(E.type == "ROLLBACK", E.ended_at.is_(None))
    return connection.execute(wanted.limit(limit)).all()


def rollbacks_of(connection: Connection, execution_id: str, limit: int = 5) -> Sequence[Row[Any]]:
    """The newest executions that rolled this one back, in order of time."""
    # `!= ''` for the index, which knows rollbacks only.
    wanted = select(EXECUTION).where(E.rolls_back == execution_id, E.rolls_back != "")
    return connection.execute(wanted.order_by(E.id.desc()).limit(limit)).all()[::-1]


BY_ID = select(EXECUTION).where(E.id == bindparam("id"))


def by_id(connection: Connection, execution_id: str) -> Row[Any] | None:
    return connection.execute(BY_ID, {"id": execution_id}).first()


MANY = Reading(select(EXECUTION).where(among(E.id, "ids")))


def many(connection: Connection, ids: Collection[str]) -> dict[str, Any]:
    """Executions by id."""
    return {row.id: row for row in MANY(connection, {"ids": list(ids)})}


MOVE_EXECUTION = updating(
    EXECUTION,
    {
        "b_id": "id",
        "b_old": "status",
        "status": "status",
        "reason": "reason",
        "ended_at": "ended_at",
    },
    lambda statement, given: statement.where(
        E.id == given["b_id"], E.status == given["b_old"]
    ).values(status=given["status"], reason=given["reason"], ended_at=given["ended_at"]),
)


def move(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Move executions, each only from the status it was seen in."""
    swap(connection, MOVE_EXECUTION, rows)


def update_execution(connection: Connection, execution_id: str, **values: Any) -> None:
    """Set what is not a state: the digest, a request to stop, how far a rollback is."""
    connection.execute(update(EXECUTION).where(E.id == execution_id).values(**values))


ADD_STAGES = inserting(
    STAGE, "id", "execution_id", "pipeline", "stage", "position", "attempt", "status", "locked",
    "cause", "held", "noted", "judged", "watch", "drill", "retried",
)  # fmt: skip


def add_stages(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New rows."""
    ADD_STAGES(connection, rows)


STAGES = Reading(select(STAGE).where(among(S.id, "ids")))


def stages(connection: Connection, ids: Collection[str]) -> dict[str, Any]:
    """Stage executions by id."""
    return {row.id: row for row in STAGES(connection, {"ids": list(ids)})}


IN_STAGES = Reading(
    select(
        S.id.label("stage_id"), S.position, S.status.label("stage_status"), S.since,
        E.id, E.pipeline, E.version, E.type, E.digest, E.revisions, E.plan, E.rolls_back,
        E.trigger, E.stop,
    )
    .join(EXECUTION, S.execution_id == E.id)
    .where(among(S.id, "ids"))
)  # fmt: skip


def in_stages(connection: Connection, ids: Collection[str]) -> dict[str, Any]:
    """By the id of the stage execution: what a task needs to know of it and of its execution."""
    return {row.stage_id: row for row in IN_STAGES(connection, {"ids": list(ids)})}


MOVE_STAGE = updating(
    STAGE,
    {
        "b_id": "id",
        "b_old": "status",
        "b_baking": "baking_since",
        "b_entered": "entered_at",
        "status": "status",
        "locked": "locked",
        "cause": "cause",
        "ended_at": "ended_at",
    },
    lambda statement, given: statement.where(
        S.id == given["b_id"], S.status == given["b_old"]
    ).values(
        status=given["status"],
        locked=given["locked"],
        cause=given["cause"],
        baking_since=func.coalesce(S.baking_since, given["b_baking"]),
        entered_at=func.coalesce(S.entered_at, given["b_entered"]),
        ended_at=given["ended_at"],
    ),
)


def move_stages(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Move stage executions, each only from the status it was seen in."""
    swap(connection, MOVE_STAGE, rows)


def update_stage(connection: Connection, stage_id: str, **values: Any) -> None:
    """Set what is not a state: when deploying began, why the bake is held."""
    connection.execute(update(STAGE).where(S.id == stage_id).values(**values))


IN_IT = (S.pipeline == bindparam("pipeline"), S.stage == bindparam("stage"))
OTHER = STAGE.alias("other")
OCCUPIED = exists().where(
    OTHER.c.pipeline == bindparam("pipeline"),
    OTHER.c.stage == bindparam("stage"),
    OTHER.c.ended_at.is_(None),
    OTHER.c.status != StageStatus.INBOUND,
)
CLOSED = exists().where(T.pipeline == bindparam("pipeline"), T.stage == bindparam("stage"))
BANNED = exists().where(Q.digest == E.digest, Q.lifted_at.is_(None)).correlate(EXECUTION)
FROZEN = exists().where(F.lifted_at.is_(None))
INBOUND = Reading(
    select(
        S.id.label("stage_id"), S.execution_id, S.stage, S.position, S.attempt, S.held, S.retried,
        S.status.label("stage_status"), S.since,
        E.id, E.pipeline, E.version, E.type, E.status, E.digest, E.plan, E.rolls_back, E.trigger,
        E.revisions, E.stop,
        OCCUPIED.label("occupied"), CLOSED.label("closed"), BANNED.label("quarantined"),
        FROZEN.label("frozen"),
    )
    .join(EXECUTION, S.execution_id == E.id)
    .where(*IN_IT, S.status == literal_column(f"'{StageStatus.INBOUND}'"))  # as the index says it
)  # fmt: skip


def inbound(connection: Connection, pipeline: str, stage: str) -> Sequence[Any]:
    """Who waits in front of a stage, its execution, and all that letting it in depends on.

    occupied: an execution is in the stage, locked or (it came in PARALLEL mode) not. closed: the way in is
    disabled. quarantined: this one's digest may go nowhere. frozen: some freeze, of this stage or of another,
    has not been lifted. What a task needs to know (`in_stages`) is among it.
    """
    return INBOUND(connection, {"pipeline": pipeline, "stage": stage})


IS_IN = select(OCCUPIED)


def is_occupied(connection: Connection, pipeline: str, stage: str) -> bool:
    """True where an execution is in the stage, locked or (it came in PARALLEL mode) not."""
    return bool(connection.execute(IS_IN, {"pipeline": pipeline, "stage": stage}).scalar_one())


OF_EXECUTION = (
    select(STAGE).where(S.execution_id == bindparam("execution")).order_by(S.position, S.attempt)
)


def of_execution(connection: Connection, execution_id: str) -> Sequence[Row[Any]]:
    """The stage executions of an execution, in order."""
    return connection.execute(OF_EXECUTION, {"execution": execution_id}).all()


def variables(connection: Connection, execution_id: str) -> dict[tuple[str, str], str]:
    """Output variables of an execution, by (namespace, name)."""
    rows = connection.execute(select(V).where(V.c.execution_id == execution_id)).all()
    return {(row.namespace, row.name): row.value for row in rows}


def keep_variables(
    connection: Connection, execution_id: str, namespace: str, values: Mapping[str, str]
) -> None:
    """Output variables of an action that has a namespace; a retry overwrites them."""
    key = (V.c.execution_id == execution_id) & (V.c.namespace == namespace)
    connection.execute(delete(V).where(key))
    rows = [
        {"execution_id": execution_id, "namespace": namespace, "name": name, "value": value}
        for name, value in values.items()
    ]
    if rows:
        connection.execute(insert(V), rows)


def rollback_state(connection: Connection, execution_id: str) -> str:
    """How far a ROLLBACK execution is."""
    return str(
        connection.execute(select(E.rollback_state).where(E.id == execution_id)).scalar_one()
    )


def rolled_back(
    connection: Connection, pipeline: str, stage: str, since: float, *, but: str
) -> int:
    """How many executions were rolled back in a stage since a time, drills aside; but: one that is not counted.

    Ids begin with their milliseconds (RFC 9562), so only the newest are walked through.
    """
    oldest = str(uuid.UUID(int=max(0, int(since * 1000)) << 80))
    wanted = (
        select(func.count(E.rolls_back.distinct()))
        .select_from(STAGE.join(EXECUTION, S.execution_id == E.id))
        .where(
            S.pipeline == pipeline,
            S.stage == stage,
            S.execution_id >= oldest,
            S.drill.is_(False),
            E.type == "ROLLBACK",
            E.rolls_back != but,
            E.started_at >= since,
        )
    )
    return int(connection.execute(wanted).scalar_one())
