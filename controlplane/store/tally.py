"""How often things ended, counted from the events: exact across replicas, restarts and archiving.

Events are in the order of their commits, so a place among them says what was counted: up to there the
sums lie in the table, and what came after is counted anew at each look. `fold` moves the place on; it is a
compare-and-swap, so two replicas that fold at once count nothing twice. Nobody writes here on the hot path.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from controlplane.states import DrillState, ExecutionStatus, StageStatus
from controlplane.store import queries
from controlplane.store.tables import (
    Event,
    Execution,
    Installation,
    StageExecution,
    Tally,
    table,
)
from monitors.base import Verdict

EVENT, EXECUTION, STAGE = table(Event), table(Execution), table(StageExecution)
TALLY, INSTALLATION = table(Tally), table(Installation)
V, E, S, T, I = EVENT.c, EXECUTION.c, STAGE.c, TALLY.c, INSTALLATION.c  # noqa: E741

Key = tuple[str, str, str, str]
"""(what, pipeline, label, result), as in the table."""

PLACE = "tallied"
BATCH = 50_000
EXECUTION_ENDS = {
    f"execution.{status.lower()}": status
    for status in (
        ExecutionStatus.SUCCEEDED,
        ExecutionStatus.FAILED,
        ExecutionStatus.STOPPED,
        ExecutionStatus.SUPERSEDED,
    )
}
STAGE_ENDS = {
    f"stage.{status.lower()}": status
    for status in (StageStatus.SUCCEEDED, StageStatus.FAILED, StageStatus.STOPPED)
}
DRILL_ENDS = {"drill.finished": DrillState.DONE, "drill.failed": DrillState.FAILED}
VERDICT = case(*((V.data.like(f'%"verdict":"{v}"%'), v.value) for v in Verdict), else_="").label(
    "how"
)
BOUNDS = (5, 15, 30, 60, 120, 300, 900, 3600)
"""Upper bounds, in seconds, of the histogram of rollbacks."""
TOOK = V.at - E.started_at
BUCKET = case(*((bound >= TOOK, str(bound)) for bound in BOUNDS), else_="+Inf").label("how")
TENTHS = "tenths"
"""The result under which the sum of all rollbacks' tenths of a second is counted."""
DEPLOYED = exists().where(
    S.execution_id == V.execution_id,
    S.stage == V.stage,
    S.ended_at == V.at,  # which attempt it was: it ended in the transaction of the event
    S.since.is_not(None),
    S.drill.is_(False),
)


SUMS = select(T.what, T.pipeline, T.label, T.result, T["count"])


def read(connection: Connection) -> Mapping[Key, int]:
    """Every count, as of now."""
    counts = Counter(
        {
            (what, pipeline, label, result): n
            for what, pipeline, label, result, n in connection.execute(SUMS)
        }
    )
    counts.update(_between(connection, place(connection), queries.last_event(connection)))
    return counts


def fold(connection: Connection, most: int = BATCH) -> bool:
    """Count the next events in; True where nothing is left that has to be counted."""
    begin, last = place(connection), queries.last_event(connection)
    end = min(last, begin + most)
    if begin < end and _move_place(connection, begin, end):
        for key, more in _between(connection, begin, end).items():
            _add(connection, key, more)
    return end == last


def _between(connection: Connection, begin: int, end: int) -> Counter[Any]:
    """What events after `begin` up to `end` count."""
    part = (V.id > begin) & (V.id <= end)
    executions = (
        select(literal("execution"), V.pipeline, E.type, V.kind, func.count())
        .join(EXECUTION, E.id == V.execution_id)
        .where(part, V.kind.in_(EXECUTION_ENDS))
        .group_by(V.pipeline, E.type, V.kind)
    )
    deployments = (
        select(literal("deployment"), V.pipeline, V.stage, V.kind, func.count())
        .where(part, V.kind.in_(STAGE_ENDS), DEPLOYED)
        .group_by(V.pipeline, V.stage, V.kind)
    )
    verdicts = (
        select(literal("verdict"), V.pipeline, V.stage, VERDICT, func.count())
        .where(part, V.kind == "rule.judged")
        .group_by(V.pipeline, V.stage, "how")
    )
    drills = (
        select(literal("drill"), V.pipeline, V.stage, V.kind, func.count())
        .where(part, V.kind.in_(DRILL_ENDS))
        .group_by(V.pipeline, V.stage, V.kind)
    )
    results = {**EXECUTION_ENDS, **STAGE_ENDS, **DRILL_ENDS}
    return Counter(
        {
            (what, pipeline, label, str(results.get(result, result))): int(count)
            for statement in (executions, deployments, verdicts, drills, *_rollbacks(part))
            for what, pipeline, label, result, count in connection.execute(statement).all()
        }
    )


def _rollbacks(part: ColumnElement[bool]) -> tuple[Select[Any], Select[Any]]:
    """Those that were done, by how long they took; and the sum of that. Drills have times of their own."""
    done = (part, V.kind == "rollback.done", S.drill.is_(False))
    by = (V.pipeline, S.stage)

    def of(result: ColumnElement[Any], count: ColumnElement[Any]) -> Select[Any]:
        return (
            select(literal("rollback"), *by, result, count)
            .join(EXECUTION, E.id == V.execution_id)
            .join(STAGE, S.execution_id == V.execution_id)
            .where(*done)
        )

    counts = of(BUCKET, func.count()).group_by(*by, "how")
    sums = of(literal(TENTHS), func.sum(cast(func.round(TOOK * 10), Integer))).group_by(*by)
    return counts, sums


def place(connection: Connection) -> int:
    """The id of the last event that is counted in."""
    return int(connection.execute(select(I.value).where(I.key == PLACE)).scalar() or 0)


def _move_place(connection: Connection, begin: int, end: int) -> bool:
    """False where another replica was quicker: then it counts them."""
    moved = update(INSTALLATION).where(I.key == PLACE, I.value == str(begin))
    if connection.execute(moved.values(value=str(end))).rowcount:
        return True
    try:
        with connection.begin_nested():
            connection.execute(insert(INSTALLATION), {"key": PLACE, "value": str(end)})
    except IntegrityError:
        return False
    return True


def _add(connection: Connection, key: Key, more: int) -> None:
    what, pipeline, label, result = key
    row = (T.what == what) & (T.pipeline == pipeline) & (T.label == label) & (T.result == result)
    if not connection.execute(update(TALLY).where(row).values(count=T.count + more)).rowcount:
        values = {"what": what, "pipeline": pipeline, "label": label, "result": result}
        connection.execute(insert(TALLY), {**values, "count": more})
