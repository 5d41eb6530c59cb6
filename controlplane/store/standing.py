"""How many pipelines stand, asked for all of them at once: a page of pipelines costs a handful of questions.

Each answer is found by the end of an index, however long the history behind it is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, select

from controlplane.states import ActionStatus, StageStatus
from controlplane.store.bulk import wanted
from controlplane.store.tables import (
    ActionExecution,
    Execution,
    LedgerEntry,
    Pipeline,
    Quarantine,
    StageExecution,
    Transition,
    table,
)

PIPELINE, EXECUTION, STAGE = table(Pipeline), table(Execution), table(StageExecution)
LEDGER, QUARANTINE, TRANSITION = table(LedgerEntry), table(Quarantine), table(Transition)
P, E, S, L, Q = PIPELINE.c, EXECUTION.c, STAGE.c, LEDGER.c, QUARANTINE.c
A = table(ActionExecution).c
Place = tuple[str, str]
"""(pipeline, stage)."""

HELD = exists().where(and_(Q.digest == L.digest, Q.lifted_at.is_(None)))


def pipelines(
    connection: Connection, after: str, limit: int, seen: Callable[[str], bool] | None = None
) -> Sequence[Row[Any]]:
    """The next pipelines by name, after one; seen: which of them are wanted, None: all."""
    statement = select(PIPELINE).where(P.name > after).order_by(P.name).limit(limit)
    if seen is not None:
        names = connection.scalars(select(P.name).where(P.name > after).order_by(P.name))
        statement = statement.where(P.name.in_(list(islice(filter(seen, names), limit))))
    return connection.execute(statement).all()


def newest_executions(connection: Connection, names: Collection[str]) -> Mapping[str, Row[Any]]:
    """The newest execution of each of these pipelines."""
    newest = select(func.max(E.id)).where(E.pipeline == P.name).scalar_subquery()
    ids = select(newest).where(P.name.in_(list(names)))
    rows = connection.execute(select(EXECUTION).where(E.id.in_(ids))).all()
    return {row.pipeline: row for row in rows}


ASKS = exists().where(
    A.stage_id == S.id,
    A.status == ActionStatus.IN_PROGRESS,
    A.handle == A.token,  # an approval's handle is its token
    A.answer == "",
)
"""An approval is open in the stage."""


def _latest() -> Select[Any]:
    given = wanted("pipeline", "stage")
    latest = (
        select(S.id)
        .where(
            S.pipeline == given.c.pipeline,
            S.stage == given.c.stage,
            S.entered_at.is_not(None),
        )
        .order_by(S.execution_id.desc(), S.attempt.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(S.pipeline, S.stage, S.status, S.held, S.asked_at, E.type, ASKS.label("approval"))
        .join(EXECUTION, S.execution_id == E.id)
        .where(S.id.in_(select(latest).select_from(given)))
    )


LATEST = _latest()


def latest_stages(connection: Connection, places: Collection[Place]) -> Mapping[Place, Any]:
    """Who entered each stage last, with the type of its execution; approval: one is open there."""
    if not places:
        return {}
    rows: Sequence[Any] = connection.execute(LATEST, {"wanted": sorted(set(places))}).all()
    return {(row.pipeline, row.stage): row for row in rows}


def _in_front() -> Select[Any]:
    given = wanted("pipeline", "stage")
    newest = select(func.max(S.id)).where(
        S.pipeline == given.c.pipeline,
        S.stage == given.c.stage,
        S.ended_at.is_(None),
        S.status == StageStatus.INBOUND,
        S.held != "",
    )
    ids = select(newest.scalar_subquery()).select_from(given)
    return select(S.pipeline, S.stage, S.held).where(S.id.in_(ids))


IN_FRONT = _in_front()


def held_in_front(connection: Connection, places: Collection[Place]) -> Mapping[Place, str]:
    """Why the newest of those waits who are held at each stage's gate; only where one is."""
    if not places:
        return {}
    rows: Sequence[Any] = connection.execute(IN_FRONT, {"wanted": sorted(set(places))}).all()
    return {(row.pipeline, row.stage): str(row.held) for row in rows}


def transitions(connection: Connection, names: Collection[str]) -> Mapping[Place, Row[Any]]:
    """The disabled transitions of these pipelines."""
    wanted = select(TRANSITION).where(TRANSITION.c.pipeline.in_(list(names)))
    return {(row.pipeline, row.stage): row for row in connection.execute(wanted).all()}


def _newest(*of_these: ColumnElement[bool]) -> Select[Any]:
    given = wanted("target")
    newest = select(func.max(L.id)).where(L.target == given.c.target, *of_these)
    ids = select(newest.scalar_subquery()).select_from(given)
    return select(LEDGER, HELD.label("quarantined")).where(L.id.in_(ids))


STANDS, KNOWN_GOOD = _newest(), _newest(L.status == "GOOD", ~HELD)


class Targets:
    """What stands on some targets, and what is known to be good there."""

    def __init__(self, connection: Connection, names: Collection[str]) -> None:
        """names: of all targets that will be asked about."""
        given = {"wanted": [[name] for name in sorted(set(names))]}
        rows = connection.execute(STANDS, given).all() if names else ()
        self._stands = {row.target: row for row in rows}
        rows = connection.execute(KNOWN_GOOD, given).all() if names else ()
        self._good = {row.target: str(row.digest) for row in rows}

    def stands(self, target: str) -> Row[Any] | None:
        """The newest entry, whether its digest is in quarantine in `quarantined`; None before any."""
        return self._stands.get(target)

    def good(self, target: str) -> str:
        """The digest of the last known good; "" where there is none."""
        return self._good.get(target, "")
