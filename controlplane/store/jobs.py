"""Rows of jobs. Every move is a compare-and-swap; a job of an action that is over is dead.

Locks are taken in one order: the action's row first, then its jobs'.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, insert, literal_column, or_, select, update

from controlplane.states import JobStatus, check
from controlplane.store.actions import CLAIMED, OPEN
from controlplane.store.tables import ActionExecution, Job, table

JOB, ACTION = table(Job), table(ActionExecution)
J, A = JOB.c, ACTION.c
S = JobStatus
WAITING = or_(J.status == literal_column("'Queued'"), J.status == literal_column("'Dispatched'"))
"""As the index says it, or it is not used."""


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new job; IntegrityError where its action has one of that number."""
    connection.execute(insert(JOB), dict(row))


def latest(connection: Connection, action_id: int) -> Row[Any] | None:
    """The newest job of an action; None where it has none yet."""
    found = select(JOB).where(J.action_id == action_id).order_by(J.number.desc()).limit(1)
    return connection.execute(found).first()


def by_id(connection: Connection, id_: str) -> Row[Any] | None:
    return connection.execute(select(JOB).where(J.id == id_)).first()


def action_of(connection: Connection, action_id: int) -> Row[Any] | None:
    """The action's row, as a claim would answer it."""
    return connection.execute(select(*CLAIMED).where(A.id == action_id)).first()


def move(
    connection: Connection,
    id_: str,
    old: Collection[JobStatus],
    new: JobStatus,
    **values: Any,
) -> bool:
    """Move a job from one of these states; False where it is in none of them any more."""
    for one in old:
        check(one, new)
    wanted = update(JOB).where(J.id == id_, J.status.in_(old))
    return connection.execute(wanted.values(status=new, **values)).rowcount == 1


def take_back(connection: Connection, seen: Any, nonce: str) -> bool:
    """Queue a job again that was handed out; False where another worker was given it since, or took it."""
    check(S.DISPATCHED, S.QUEUED)
    handed_out = (J.id == seen.id, J.nonce == seen.nonce, J.status == S.DISPATCHED)
    wanted = update(JOB).where(*handed_out).values(status=S.QUEUED, nonce=nonce)
    return connection.execute(wanted).rowcount == 1


def dispatch(connection: Connection, seen: Any, nonce: str, now: float, redeliver: float) -> bool:
    """Hand a job out under a new nonce; False where another worker was quicker.

    redeliver: what was dispatched before then and never acknowledged may be handed out again.
    """
    free = or_(J.status == S.QUEUED, and_(J.status == S.DISPATCHED, J.dispatched_at <= redeliver))
    wanted = update(JOB).where(J.id == seen.id, J.nonce == seen.nonce, free)
    values = {"status": S.DISPATCHED, "nonce": nonce, "dispatched_at": now}
    return connection.execute(wanted.values(**values)).rowcount == 1


def waiting(
    connection: Connection,
    type_: str,
    query: Mapping[str, str],
    redeliver: float,
    after: tuple[float, str],
    limit: int,
) -> Sequence[Row[Any]]:
    """Jobs of a type that a worker may have, oldest first, whose action still waits for them.

    query: what they must have been asked for with. The database knows it as text and may answer some that
    are about something else: whoever asks looks again.
    """
    about = [
        J.query.contains(json.dumps({name: value})[1:-1], autoescape=True)
        for name, value in query.items()
    ]
    lives = exists().where(A.id == J.action_id, A.status.in_(OPEN))
    found = select(JOB).where(
        WAITING,
        J.type == type_,
        or_(J.status == S.QUEUED, J.dispatched_at <= redeliver),
        or_(J.created_at > after[0], and_(J.created_at == after[0], J.id > after[1])),
        lives,
        *about,
    )
    return connection.execute(found.order_by(J.created_at, J.id).limit(limit)).all()
