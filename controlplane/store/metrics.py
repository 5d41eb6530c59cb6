"""What the metrics say. Nothing here reads all that ever happened: a scrape costs the same after years."""

from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from sqlalchemy import Connection, func, select

from controlplane.store import drills, tally
from controlplane.store.bulk import among
from controlplane.store.tables import Execution, Outbox, StageExecution, table

STAGE, OUTBOX = table(StageExecution), table(Outbox)
E, S, O = table(Execution).c, STAGE.c, OUTBOX.c  # noqa: E741

Values = dict[tuple[str, ...], float]
Histograms = dict[tuple[str, str], tuple[list[tuple[str, float]], float]]
Counted = tuple[str, str, tuple[str, ...], bool, Values]


def read(connection: Connection, now: float) -> Iterable[Counted]:
    """(name, help, labels, counter?, values) of every metric."""
    yield from _ended(connection)
    yield (
        "towpath_executions_open",
        "Pipeline executions that have not ended, by pipeline, type and status.",
        ("pipeline", "type", "status"),
        False,
        _open_executions(connection),
    )
    yield (
        "towpath_deployments_open",
        "Stage executions that deployed something and have not ended.",
        ("pipeline", "stage", "status"),
        False,
        _open_deployments(connection),
    )
    yield from _outbox(connection, now)
    yield from _drills(connection)


def rollback_seconds(connection: Connection) -> Histograms:
    """By (pipeline, stage): the cumulated buckets of an exposition, and the sum of all seconds."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (what, pipeline, stage, result), count in tally.read(connection).items():
        if what == "rollback":
            found.setdefault((pipeline, stage), {})[result] = count
    ends = [*map(str, tally.BOUNDS), "+Inf"]
    return {
        place: (
            list(zip(ends, accumulate(float(counts.get(end, 0)) for end in ends), strict=True)),
            counts.get(tally.TENTHS, 0) / 10,
        )
        for place, counts in found.items()
    }


def _drills(connection: Connection) -> Iterable[Counted]:
    yield (
        "towpath_drill_seconds",
        "The newest drill that went well: seconds from the alarm until each part was reached.",
        ("pipeline", "stage", "part"),
        False,
        {
            (row.pipeline, row.stage, part): getattr(row, f"{part}_at") - row.set_at
            for row in drills.last_done(connection)
            for part in ("detected", "stopped", "restored")
            if getattr(row, f"{part}_at") is not None
        },
    )


def _ended(connection: Connection) -> Iterable[Counted]:
    counts = tally.read(connection)
    for what, name, help_, label in (
        ("execution", "towpath_executions_ended", "Pipeline executions that ended.", "type"),
        ("deployment", "towpath_deployments_ended", "Deployed stages that ended.", "stage"),
        ("drill", "towpath_drills", "Drills that ended, by how.", "stage"),
        ("verdict", "towpath_verdicts", "How often a rule came to another verdict.", "stage"),
    ):
        labels = ("pipeline", label, "result")
        yield (
            name,
            help_,
            labels,
            True,
            {key[1:]: float(count) for key, count in counts.items() if key[0] == what},
        )


def _open_executions(connection: Connection) -> Values:
    by = (E.pipeline, E.type, E.status)
    statement = select(*by, func.count()).where(E.ended_at.is_(None)).group_by(*by)
    return {(row[0], row[1], row[2]): float(row[3]) for row in connection.execute(statement)}


DEPLOYING = select(S.pipeline, S.stage, S.status).where(
    among(S.execution_id, "ids"), S.ended_at.is_(None), S.since.is_not(None)
)


def _open_deployments(connection: Connection) -> Values:
    # In two steps: asked to join, SQLite walks through every stage execution that ever was.
    ids = connection.execute(select(E.id).where(E.ended_at.is_(None))).scalars().all()
    found = connection.execute(DEPLOYING, {"ids": ids}).all()
    counts = Counter((row[0], row[1], row[2]) for row in found)
    return {labels: float(count) for labels, count in counts.items()}


def _outbox(connection: Connection, now: float) -> Iterable[Counted]:
    # Only what is not sent has a due time, and those go by an index of their own.
    pending = select(func.count(), func.min(O.due_at)).where(
        O.due_at.is_not(None), O.status == "PENDING"
    )
    waiting = connection.execute(pending).one()
    yield (
        "towpath_outbox_pending",
        "Notifications that have not left yet.",
        (),
        False,
        {(): float(waiting[0])},
    )
    yield (
        "towpath_outbox_age_seconds",
        "How long the oldest notification that is due has been waiting.",
        (),
        False,
        {(): max(0.0, now - waiting[1]) if waiting[1] else 0.0},
    )
