"""What a day was: counted from rows, for some pipelines."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from controlplane.store.tables import (
    ActionExecution,
    Event,
    LedgerEntry,
    StageExecution,
    table,
)

EVENT, LEDGER = table(Event), table(LedgerEntry)
ACTION, STAGE = table(ActionExecution), table(StageExecution)
E, L, A, S = EVENT.c, LEDGER.c, ACTION.c, STAGE.c


def happened(
    connection: Connection, kinds: Sequence[str], since: float, until: float
) -> Sequence[Any]:
    """Events of these kinds of that time, in order."""
    wanted = select(E.kind, E.pipeline, E.stage, E.text).where(
        E.at >= since, E.at < until, E.kind.in_(kinds)
    )
    return connection.execute(wanted.order_by(E.id)).all()


def deployed(connection: Connection, since: float, until: float) -> Sequence[Any]:
    """What was put on targets in that time."""
    wanted = select(L.pipeline, L.stage, L.target, L.digest).where(L.at >= since, L.at < until)
    return connection.execute(wanted.order_by(L.id)).all()


def waiting(connection: Connection) -> Sequence[Any]:
    """Approvals that nobody has answered; an approval's handle is its token."""
    wanted = (
        select(S.pipeline, S.stage, S.execution_id, A.name)
        .join(STAGE, A.stage_id == S.id)
        .where(A.status == "InProgress", A.handle == A.token, A.answer == "")
    )
    return connection.execute(wanted.order_by(A.id)).all()
