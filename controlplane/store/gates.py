"""Rows of the gates: who waits at one, freezes, overrides, and the incidents that were told to us."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from controlplane.states import StageStatus
from controlplane.store.tables import (
    ActionExecution,
    Freeze,
    GateOverride,
    Incident,
    StageExecution,
    table,
)

ACTION, STAGE = table(ActionExecution), table(StageExecution)
FREEZE, OVERRIDE, INCIDENT = table(Freeze), table(GateOverride), table(Incident)
A, S, F, O, I = ACTION.c, STAGE.c, FREEZE.c, OVERRIDE.c, INCIDENT.c  # noqa: E741 - one letter a table
MOST_INCIDENTS = 10_000
"""So many may be open, and all of them are shown to whoever asks: one left out would open a gate."""
KEPT = 90 * 86400.0
"""Seconds that a resolved incident is kept."""


def rules(connection: Connection, stage_id: str) -> Sequence[Row[Any]]:
    """The gate's rules of a stage execution, as they stand."""
    found = select(ACTION).where(A.stage_id == stage_id, A.kind == "gate").order_by(A.id)
    return connection.execute(found).all()


def waiting(connection: Connection) -> Sequence[Any]:
    """(pipeline, stage) of everybody who stands at a gate."""
    inbound = S.status == literal_column(f"'{StageStatus.INBOUND}'")  # as the index says it
    statement = select(S.pipeline, S.stage).where(inbound, S.held != "")
    return connection.execute(statement.distinct()).all()


def wake(connection: Connection, now: float) -> None:
    """Somebody must look at every rule at every gate: what it asks about has changed."""
    # One that is being looked at was asked before the change: its lease stays, and it is looked at again.
    due = case((A.owner.is_(None), now), else_=A.due_at)
    # In the order in which outcomes are written, whose rows are among them now.
    open_ = (A.kind == "gate", A.due_at.is_not(None))
    locked = select(A.id).where(*open_).order_by(A.id).with_for_update(key_share=True)
    connection.execute(locked).all()
    connection.execute(update(ACTION).where(*open_).values(due_at=due, wake=A.wake + 1))


# --- Freezes ------------------------------------------------------------------------------------


IN_FORCE = (
    select(FREEZE)
    .where(F.lifted_at.is_(None), or_(F.until.is_(None), F.until > bindparam("now")))
    .order_by(F.id)
)


def freezes(connection: Connection, now: float) -> Sequence[Row[Any]]:
    """Those in force, oldest first."""
    return connection.execute(IN_FORCE, {"now": now}).all()


def place_of_freeze(connection: Connection, freeze_id: int) -> tuple[str, str]:
    """The pipeline and stage of a freeze, in force or not; ("", "") for all, and where there is none."""
    row = connection.execute(select(F.pipeline, F.stage).where(F.id == freeze_id)).first()
    return ("", "") if row is None else (row.pipeline, row.stage)


def covers(freeze: Any, pipeline: str, stage: str, accounts: frozenset[str]) -> bool:
    """True where it covers a stage that acts in these accounts."""
    return (
        freeze.pipeline in ("", pipeline)
        and freeze.stage in ("", stage)
        and (freeze.account == "" or freeze.account in accounts)
    )


def add_freeze(connection: Connection, row: Mapping[str, Any]) -> int:
    """Answer its id."""
    made = connection.execute(insert(FREEZE).values(**row).returning(F.id))
    return int(made.scalar_one())


def lift_freeze(
    connection: Connection, freeze: int, by: str, reason: str, now: float
) -> Row[Any] | None:
    """The freeze that was lifted; None where none of that id was in force."""
    statement = (
        update(FREEZE)
        .where(F.id == freeze, F.lifted_at.is_(None), or_(F.until.is_(None), F.until > now))
        .values(lifted_at=now, lifted_by=by, lift_reason=reason)
        .returning(*FREEZE.c)
    )
    return connection.execute(statement).first()


# --- Overrides ----------------------------------------------------------------------------------


def override(connection: Connection, stage_id: str, now: float) -> Row[Any] | None:
    """The one that was asked for last and has not expired."""
    statement = select(OVERRIDE).where(O.stage_id == stage_id, O.expires_at > now)
    return connection.execute(statement.order_by(O.id.desc()).limit(1)).first()


def last_override(connection: Connection, stage_id: str) -> Row[Any] | None:
    """The one that was asked for last, expired or not."""
    statement = select(OVERRIDE).where(O.stage_id == stage_id)
    return connection.execute(statement.order_by(O.id.desc()).limit(1)).first()


def ask_override(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(OVERRIDE).values(**row))


def confirm_override(connection: Connection, override_id: int, **values: Any) -> bool:
    """False where it was confirmed already."""
    statement = update(OVERRIDE).where(O.id == override_id, O.confirmed_at.is_(None))
    return connection.execute(statement.values(**values)).rowcount == 1


# --- Incidents ----------------------------------------------------------------------------------


def incidents(connection: Connection, limit: int = MOST_INCIDENTS) -> Sequence[Row[Any]]:
    """Those that are open, oldest first."""
    statement = select(INCIDENT).where(I.resolved_at.is_(None))
    return connection.execute(statement.order_by(I.since, I.key).limit(limit)).all()


def open_incidents(connection: Connection) -> int:
    wanted = select(func.count()).select_from(INCIDENT).where(I.resolved_at.is_(None))
    return int(connection.execute(wanted).scalar_one())


def put_incident(connection: Connection, row: Mapping[str, Any]) -> bool:
    """An incident is open, or is resolved; True where that is news."""
    known = connection.execute(select(INCIDENT).where(I.key == row["key"])).first()
    over = row["resolved_at"] is not None
    if known is None and over:
        return False
    if known is None:
        connection.execute(insert(INCIDENT).values(**row))
        return True
    was_open = known.resolved_at is None
    values = dict(row) if not was_open else {**row, "since": known.since}
    connection.execute(update(INCIDENT).where(I.key == row["key"]).values(**values))
    return was_open == over


def resolve_incident(connection: Connection, key: str, now: float) -> bool:
    """A person says that it is over; False where it was not open."""
    statement = update(INCIDENT).where(I.key == key, I.resolved_at.is_(None))
    return connection.execute(statement.values(resolved_at=now)).rowcount == 1


def forget_incidents(connection: Connection, now: float) -> None:
    """Take out what was resolved long ago."""
    connection.execute(delete(INCIDENT).where(I.resolved_at < now - KEPT))


def labels(row: Any) -> dict[str, str]:
    """An incident's labels."""
    found: dict[str, str] = json.loads(row.labels)
    return found
