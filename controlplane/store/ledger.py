"""Rows of the ledger, the artifacts, the quarantine and the transitions."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from controlplane.ledger import Entry, Fared
from controlplane.store.tables import (
    ActionExecution,
    ArtifactRow,
    Execution,
    LedgerEntry,
    Quarantine,
    Transition,
    table,
)

LEDGER = table(LedgerEntry)
ARTIFACT = table(ArtifactRow)
QUARANTINE = table(Quarantine)
TRANSITION = table(Transition)
L, Q, T = LEDGER.c, QUARANTINE.c, TRANSITION.c
A = table(ActionExecution).c
EXECUTION = table(Execution)
E = EXECUTION.c


def put(connection: Connection, row: Mapping[str, Any]) -> None:
    """A deployment began; a second entry of the same action is the same deployment."""
    found = connection.execute(select(L.id).where(L.action_id == row["action_id"])).first()
    if found is None:
        connection.execute(insert(LEDGER), dict(row))


def fared(connection: Connection, action_ids: Sequence[int], status: Fared, now: float) -> None:
    """Say how deployments fared."""
    if action_ids:
        connection.execute(
            update(LEDGER).where(L.action_id.in_(action_ids)).values(status=status, at=now)
        )


def carry_over(connection: Connection, old_stage: str, new_stage: str, now: float) -> None:
    """A retried stage keeps its deployments: their entries go over to its own action rows."""
    old = select(A.id).where(A.stage_id == old_stage)
    new = select(A.id).where(A.stage_id == new_stage, A.token == L.token).scalar_subquery()
    kept = select(A.token).where(A.stage_id == new_stage)
    connection.execute(
        update(LEDGER)
        .where(L.action_id.in_(old), L.token.in_(kept))
        .values(action_id=new, status=Fared.DEPLOYED, at=now)
    )


def entries(
    connection: Connection, target: str, limit: int = 200, *, status: Fared | None = None
) -> list[Entry]:
    """The newest entries of one target; status: only those that fared so."""
    wanted = select(LEDGER).where(L.target == target)
    if status is not None:
        wanted = wanted.where(L.status == status)
    rows = connection.execute(wanted.order_by(L.id.desc()).limit(limit)).all()
    return [entry(row) for row in rows]


def placed_by(connection: Connection, target: str, execution_id: str) -> Entry | None:
    """What an execution put on a target last; None where it put nothing there."""
    wanted = select(LEDGER).where(L.target == target, L.execution_id == execution_id)
    row = connection.execute(wanted.order_by(L.id.desc()).limit(1)).first()
    return None if row is None else entry(row)


def entry(row: Row[Any]) -> Entry:
    """A row as the pure ledger sees it."""
    return Entry(row.id, row.target, row.digest, row.artifact, row.execution_id, Fared(row.status))


def begun_under(connection: Connection, stage_id: str, token: str) -> Row[Any] | None:
    """The deployment that a stage execution began under a token; None where it is not in the ledger."""
    mine = select(A.id).where(A.stage_id == stage_id, A.token == token)
    return connection.execute(select(LEDGER).where(L.action_id.in_(mine))).first()


def of_stage(connection: Connection, action_ids: Sequence[int]) -> Sequence[Row[Any]]:
    return connection.execute(
        select(LEDGER).where(L.action_id.in_(action_ids)).order_by(L.id)
    ).all()


def of_tries(
    connection: Connection, execution_id: str, stage: str, action_ids: Sequence[int]
) -> Sequence[Row[Any]]:
    """What a stage's last attempt began, and what earlier ones left behind, the oldest first.

    action_ids: of the last attempt. Where that came to an action again, only its own deployment counts;
    where it did not, what an earlier one put there stands yet, unless somebody else came over it.
    """
    mine = select(A.id).where(A.execution_id == execution_id, A.kind == "action")
    wanted = select(LEDGER).where(L.action_id.in_(mine), L.stage == stage).order_by(L.id)
    last = list(of_stage(connection, action_ids))
    begun = {row.action for row in last}
    earlier = {row.action: row for row in connection.execute(wanted) if row.action not in begun}
    standing = [row for row in earlier.values() if not overtaken_by(connection, row)]
    return sorted([*standing, *last], key=lambda row: row.id)


def overtaken_by(connection: Connection, entry: Row[Any]) -> str:
    """The execution that last put something on an entry's target after it; "" where none did.

    A way back that failed is none: it left the target to whoever was there.
    """
    failed_way_back = and_(E.type == "ROLLBACK", L.status == Fared.BAD)
    wanted = (
        select(L.execution_id)
        .select_from(LEDGER.outerjoin(EXECUTION, L.execution_id == E.id))
        .where(
            L.target == entry.target,
            L.id > entry.id,
            L.execution_id != entry.execution_id,
            L.handle != "",
            or_(E.id.is_(None), not_(failed_way_back)),
        )
    )
    return str(connection.execute(wanted.order_by(L.id.desc()).limit(1)).scalar() or "")


def keep_artifact(connection: Connection, execution_id: str, document: Mapping[str, str]) -> None:
    """Remember an output artifact; a retry of the action overwrites it."""
    key = (ARTIFACT.c.execution_id == execution_id) & (ARTIFACT.c.name == document["name"])
    connection.execute(delete(ARTIFACT).where(key))
    connection.execute(
        insert(ARTIFACT),
        {
            "execution_id": execution_id,
            "name": document["name"],
            "document": json.dumps(document, separators=(",", ":")),
        },
    )


def artifacts(connection: Connection, execution_ids: Sequence[str]) -> dict[tuple[str, str], str]:
    """Artifacts by (execution, name)."""
    rows = connection.execute(
        select(ARTIFACT).where(ARTIFACT.c.execution_id.in_(execution_ids))
    ).all()
    return {(row.execution_id, row.name): row.document for row in rows}


def quarantined(connection: Connection, among: Collection[str] | None = None) -> frozenset[str]:
    """Every digest that goes nowhere now; among: only of these, which asks for no more than these."""
    statement = select(Q.digest).where(Q.lifted_at.is_(None))
    if among is not None:
        statement = statement.where(Q.digest.in_(list(among)))
    return frozenset(row.digest for row in connection.execute(statement).all())


def put_in_quarantine(connection: Connection, row: Mapping[str, Any]) -> bool:
    """False where the digest is there already."""
    held = connection.execute(
        select(Q.id).where(Q.digest == row["digest"], Q.lifted_at.is_(None))
    ).first()
    if held is None:
        connection.execute(insert(QUARANTINE), dict(row))
    return held is None


def lift_quarantine(connection: Connection, digest: str, by: str, reason: str, now: float) -> bool:
    """False where it was not in quarantine."""
    lifted = connection.execute(
        update(QUARANTINE)
        .where(Q.digest == digest, Q.lifted_at.is_(None))
        .values(lifted_at=now, lifted_by=by, lift_reason=reason)
    )
    return lifted.rowcount > 0


def transition(connection: Connection, pipeline: str, stage: str) -> Row[Any] | None:
    """The reason why the way into a stage is disabled; None where it is open."""
    return connection.execute(
        select(TRANSITION).where(T.pipeline == pipeline, T.stage == stage)
    ).first()


def disable_transition(connection: Connection, row: Mapping[str, Any]) -> bool:
    """False where it was disabled already; the first reason stays."""
    try:
        with connection.begin_nested():
            connection.execute(insert(TRANSITION), dict(row))
    except IntegrityError:
        return False
    return True


def close_for_good(connection: Connection, row: Mapping[str, Any]) -> None:
    """Disable it with this reason, in the place of a milder one of ours; a person's reason stays."""
    if not disable_transition(connection, row):
        connection.execute(
            update(TRANSITION)
            .where(
                T.pipeline == row["pipeline"],
                T.stage == row["stage"],
                T.disabled_by == row["disabled_by"],
            )
            .values(reason=row["reason"], disabled_at=row["disabled_at"])
        )


def enable_transition(connection: Connection, pipeline: str, stage: str) -> bool:
    """False where it was open already."""
    gone = connection.execute(delete(TRANSITION).where(T.pipeline == pipeline, T.stage == stage))
    return gone.rowcount > 0
