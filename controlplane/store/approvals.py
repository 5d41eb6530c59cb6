"""Rows of approvals and of what people said of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from controlplane.store.tables import Approval, Execution, LedgerEntry, Vote, table

APPROVAL, VOTE = table(Approval), table(Vote)
A, V = APPROVAL.c, VOTE.c
L, E = table(LedgerEntry).c, table(Execution).c
Rows = Sequence[Row[Any]]
MOST = 200
STANDING = (
    select(table(LedgerEntry))
    .where(L.pipeline == bindparam("pipeline"), L.stage.in_(bindparam("stages", expanding=True)))
    .order_by(L.id.desc())
    .limit(10 * MOST)
)
"""Made once: each in_() of a list makes cycles, which pile up until the garbage collector comes by."""


def add(connection: Connection, row: Mapping[str, Any]) -> None:
    """One that opens."""
    connection.execute(insert(APPROVAL), dict(row))


def by_token(connection: Connection, token: str) -> Row[Any] | None:
    """The approval of an attempt; None where an older version opened it."""
    return connection.execute(select(APPROVAL).where(A.token == token)).first()


def see(connection: Connection, token: str, before: str, after: str) -> bool:
    """The evidence changed; False where somebody else has noted that already."""
    changed = update(APPROVAL).where(A.token == token, A.evidence == before)
    return connection.execute(changed.values(evidence=after)).rowcount == 1


def remind(connection: Connection, token: str, before: float, now: float) -> bool:
    """People are told that it waits; False where it was told by somebody else at this moment."""
    told = update(APPROVAL).where(A.token == token, A.reminded_at == before)
    return connection.execute(told.values(reminded_at=now)).rowcount == 1


def add_vote(connection: Connection, row: Mapping[str, Any]) -> None:
    """What somebody said."""
    connection.execute(insert(VOTE), dict(row))


def votes(connection: Connection, token: str) -> Rows:
    """All that was said of an attempt, also what counts no longer, in order."""
    found = select(VOTE).where(V.token == token).order_by(V.id.desc()).limit(MOST)
    return connection.execute(found).all()[::-1]


def void(connection: Connection, token: str, evidence: str, now: float) -> int:
    """What was said of other evidence than this counts no longer; how many that were."""
    old = update(VOTE).where(V.token == token, V.void_at.is_(None), V.evidence != evidence)
    return connection.execute(old.values(void_at=now)).rowcount


def standing(connection: Connection, pipeline: str, stages: Collection[str]) -> Rows:
    """The newest entry of each target that a pipeline deployed to in these stages, by target."""
    newest: dict[str, Row[Any]] = {}
    where = {"pipeline": pipeline, "stages": list(stages)}
    for row in connection.execute(STANDING, where):
        newest.setdefault(row.target, row)
    return [newest[name] for name in sorted(newest)][:MOST]


def between(connection: Connection, execution: Any, after: str, limit: int) -> Rows:
    """This execution and those of its pipeline between another one and it; the newest first."""
    chosen = select(table(Execution)).where(
        E.pipeline == execution.pipeline, E.id > after, E.id <= execution.id
    )
    return connection.execute(chosen.order_by(E.id.desc()).limit(limit)).all()
