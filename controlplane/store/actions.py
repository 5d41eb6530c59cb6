"""Action rows: claimed in batches under a lease, written under a fence.

Claim = one UPDATE ... RETURNING that moves `due_at` to the lease's end, so a dead owner's row is simply
due again. It also moves Ready to Starting: when it commits, the intent to call outside is on record.
Outcome = UPDATE ... WHERE fence = mine, so the write of a zombie is refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    null,
    select,
    union_all,
    update,
)

from controlplane.states import ActionStatus
from controlplane.store.bulk import Reading, among, inserting, table_of, updating
from controlplane.store.swap import swap
from controlplane.store.tables import ActionExecution, table

ACTION = table(ActionExecution)
C = ACTION.c
OPEN = (ActionStatus.READY, ActionStatus.STARTING, ActionStatus.IN_PROGRESS)


class Claimed(NamedTuple):
    """A claimed row, as far as calling needs it."""

    id: int
    execution_id: str
    stage_id: str
    name: str
    kind: str
    attempt: int
    status: str
    lane: int
    token: str
    fence: int
    wake: int
    starts: int
    failures: int
    handle: str
    answer: str
    verdict: str
    verdict_at: float | None
    timeout_at: float | None
    started_at: float | None
    summary: str
    output: str
    url: str
    run_order: int


CLAIMED = tuple(C[name] for name in Claimed._fields)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who claims until when, and how many rows of each lane. lane 0 is rollback's own."""

    owner: str
    now: float
    until: float
    room: tuple[int, int]


def _due(lane: int) -> CTE:
    """What is due longest in a lane; locked once: PostgreSQL may run a plain subquery more than once."""
    return (
        select(C.id)
        .where(C.lane == lane, C.due_at.is_not(None), C.due_at <= bindparam("now"))
        .order_by(C.due_at)
        .limit(bindparam(f"room_{lane}"))
        .with_for_update(skip_locked=True)
        .cte(f"due_{lane}")
    )


CLAIM = (
    update(ACTION)
    .where(C.id.in_(union_all(*(select(_due(lane).c.id) for lane in (0, 1)))))
    .values(
        {
            "owner": bindparam("by"),
            "fence": C.fence + 1,
            "due_at": bindparam("until"),
            "starts": C.starts
            + case((C.status.in_((ActionStatus.READY, ActionStatus.STARTING)), 1), else_=0),
            "status": case((C.status == ActionStatus.READY, ActionStatus.STARTING), else_=C.status),
            "started_at": func.coalesce(C.started_at, bindparam("now")),
        }
    )
    .returning(*CLAIMED)
)


def claim(connection: Connection, wanted: Claim) -> list[Claimed]:
    """Take what is due; the rows come back as they are after the claim."""
    given = {
        "by": wanted.owner,
        "now": wanted.now,
        "until": wanted.until,
        "room_0": wanted.room[0],
        "room_1": wanted.room[1],
    }
    return [Claimed._make(row) for row in connection.execute(CLAIM, given).all()]


ONE: ColumnElement[int] = literal_column("1")
"""Said in the statement, so that nothing but what differs is handed over for each row."""

RECORD = updating(
    ACTION,
    {
        "b_id": "id",
        "b_fence": "fence",
        "b_wake": "wake",
        "b_now": "due_at",
        "status": "status",
        "handle": "handle",
        "summary": "summary",
        "url": "url",
        "output": "output",
        "failures": "failures",
        "verdict": "verdict",
        "verdict_at": "verdict_at",
        "verdict_since": "verdict_since",
        "power": "power",
        "ended_at": "ended_at",
        "due_at": "due_at",
    },
    lambda statement, given: statement.where(
        C.id == given["b_id"], C.fence == given["b_fence"]
    ).values(
        status=given["status"],
        handle=given["handle"],
        summary=given["summary"],
        url=given["url"],
        output=given["output"],
        failures=given["failures"],
        verdict=given["verdict"],
        verdict_at=func.coalesce(given["verdict_at"], C.verdict_at),
        verdict_since=func.coalesce(given["verdict_since"], C.verdict_since),
        power=given["power"],
        ended_at=given["ended_at"],
        owner=null(),
        # Written once: the answer to a commit may be lost, and the write come again.
        fence=C.fence + ONE,
        # Something arrived while it was being looked at: look again at once.
        due_at=case((C.wake > given["b_wake"], given["b_now"]), else_=given["due_at"]),
    ),
)


FENCES = (
    select(C.id, C.fence).where(among(C.id, "ids")).order_by(C.id).with_for_update(key_share=True)
)


def record(
    connection: Connection, outcomes: Sequence[Mapping[str, Any]]
) -> frozenset[tuple[int, int]]:
    """Write outcomes, each once; answer the (id, fence) of those that were written.

    The others are refused: somebody else holds the row now, or it was written before.
    """
    if not outcomes:
        return frozenset()
    found = connection.execute(FENCES, {"ids": [one["b_id"] for one in outcomes]}).all()
    held = {(row.id, row.fence) for row in found}
    mine = [one for one in outcomes if (one["b_id"], one["b_fence"]) in held]
    RECORD(connection, mine)
    return frozenset((one["b_id"], one["b_fence"]) for one in mine)


def not_started(connection: Connection, ids: Collection[int]) -> None:
    """What these were claimed for was no call that begins their work: that start counts as none."""
    connection.execute(update(ACTION).where(C.id.in_(ids)).values(starts=C.starts - 1))


def renew(connection: Connection, held: Mapping[int, int], until: float) -> Sequence[int]:
    """Keep what is still being worked on: held is {id: fence}; answer the ids that were kept.

    A row that somebody has locked is being taken from us: waiting for it could end in a deadlock.
    """
    mine = select(C.id, C.fence).where(C.id.in_(held), C.owner.is_not(None)).order_by(C.id)
    rows = connection.execute(mine.with_for_update(skip_locked=True)).all()
    kept = [row.id for row in rows if row.fence == held[row.id]]
    connection.execute(update(ACTION).where(C.id.in_(kept)).values(due_at=until))
    return kept


def release(connection: Connection, owner: str, now: float) -> None:
    """Give back at once what an owner holds (a drain): it is due again."""
    connection.execute(update(ACTION).where(C.owner == owner).values(owner=None, due_at=now))


def owners(connection: Connection) -> Sequence[str]:
    """Everybody who holds something."""
    held = select(C.owner).where(C.owner.is_not(None), C.due_at.is_not(None)).distinct()
    return [str(owner) for owner in connection.execute(held).scalars()]


ADD = inserting(
    ACTION, "execution_id", "stage_id", "name", "kind", "run_order", "attempt", "status", "lane",
    "token", "due_at", "timeout_at", "fence", "wake", "starts", "failures", "handle", "summary",
    "url", "output", "answer", "verdict", "started_at", "ended_at",
)  # fmt: skip


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New rows."""
    ADD(connection, rows)


ADD_CLAIMED = inserting(ACTION, "id", "owner", *ADD.names)
PICK = itemgetter(*Claimed._fields)
LAST = select(func.coalesce(func.max(C.id), 0))
ADD_TAKEN = inserting(ACTION, "owner", *ADD.names).by_table.returning(*CLAIMED)
"""PostgreSQL numbers the rows itself, and answers them."""


def add_claimed(
    connection: Connection, wanted: Claim, rows: Sequence[dict[str, Any]]
) -> list[Claimed]:
    """New rows that whoever makes them takes at once: what a claim would make of them, in one write.

    rows: as for `add`, Ready and due; they are changed to what is written.
    """
    if not rows:
        return []
    for row in rows:
        row.update(
            owner=wanted.owner, fence=1, starts=1, status=ActionStatus.STARTING,
            due_at=wanted.until, started_at=wanted.now,
        )  # fmt: skip
    if connection.dialect.name != "sqlite":
        return [Claimed._make(row) for row in connection.execute(ADD_TAKEN, table_of(rows)).all()]
    # SQLite would number them like this itself: nobody else writes now.
    for number, row in enumerate(rows, connection.execute(LAST).scalar_one() + 1):
        row["id"] = number
    ADD_CLAIMED(connection, rows)
    return [Claimed._make(PICK(row)) for row in rows]


MOVE = updating(
    ACTION,
    {"b_id": "id", "b_old": "status", "status": "status", "ended_at": "ended_at"},
    lambda statement, given: statement.where(
        C.id == given["b_id"], C.status == given["b_old"]
    ).values(
        status=given["status"],
        ended_at=given["ended_at"],
        owner=null(),
        due_at=null(),
        fence=C.fence + ONE,
    ),
)


def move(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """End rows from outside their claim (abandoned, a rule whose bake is over); fences them off."""
    swap(connection, MOVE, rows)


def wake(connection: Connection, action_id: int, now: float, answer: str | None = None) -> bool:
    """Something arrived for this action: make it due, unless it is over. answer: what arrived."""
    values: dict[str, Any] = {
        "wake": C.wake + 1,
        "due_at": case((C.owner.is_(None), now), else_=C.due_at),
    }
    if answer is not None:
        values["answer"] = answer
    statement = update(ACTION).where(C.id == action_id, C.status.in_(OPEN))
    if answer is not None:
        statement = statement.where(C.answer == "")  # the first answer counts
    return connection.execute(statement.values(values)).rowcount == 1


def waiting_for(connection: Connection, handle: str, limit: int = 20) -> Sequence[Any]:
    """Open rows that wait for outside work with this id, as a claim would answer them."""
    found = select(*CLAIMED).where(
        C.handle == handle,
        C.due_at.is_not(None),
        C.handle != literal_column("''"),  # as the index says it, or it is not used
        C.status.in_(OPEN),
    )
    return connection.execute(found.limit(limit)).all()


VIEW = (
    C.id, C.stage_id, C.name, C.kind, C.run_order, C.attempt, C.status, C.verdict, C.verdict_at,
    C.verdict_since, C.power, C.summary, C.ended_at,
)  # fmt: skip


OF_STAGES = Reading(select(*VIEW).where(among(C.stage_id, "ids")))


def of_stages(connection: Connection, stage_ids: Collection[str]) -> Sequence[Any]:
    """What deciding needs of every action of these stage executions."""
    return OF_STAGES(connection, {"ids": list(stage_ids)})


def first_start(connection: Connection, stage_id: str, names: Collection[str]) -> float | None:
    """When the first of these actions of a stage execution was started; None where none was."""
    found = select(func.min(C.started_at)).where(C.stage_id == stage_id, C.name.in_(names))
    return connection.execute(found).scalar()


def outputs(connection: Connection, stage_id: str) -> Sequence[Any]:
    """Name, output and last words of every action of a stage execution, in the order they were made."""
    found = select(C.name, C.output, C.summary).where(C.stage_id == stage_id, C.kind == "action")
    return connection.execute(found.order_by(C.id)).all()


NEXT_DUE = {
    lane: select(func.min(C.due_at)).where(C.lane == lane, C.due_at.is_not(None)).scalar_subquery()
    for lane in (0, 1)
}
NEXT_OF: Mapping[Sequence[int], Select[Any]] = {
    lanes: select(*(NEXT_DUE[lane] for lane in lanes)) for lanes in ((0,), (1,), (0, 1))
}


def next_due(connection: Connection, lanes: Sequence[int] = (0, 1)) -> float | None:
    """When the next row of these lanes is due; None where none is."""
    found = connection.execute(NEXT_OF[tuple(lanes)]).one() if lanes else ()
    return min((at for at in found if at is not None), default=None)
