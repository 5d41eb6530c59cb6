"""Rows of the points that verdicts were based on: few enough to draw, and few of a signal that flaps."""

import json
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from controlplane.store.tables import MeasuredSeries, table
from monitors.base import Judgement, Point

SERIES = table(MeasuredSeries)
R = SERIES.c

BEFORE, AFTER = 200, 300
"""Points that are kept of each side."""
KEPT = 12
"""Rows of an action: a signal that flaps for days leaves its newest changes."""


def keep(connection: Connection, action_id: int, now: float, seen: Judgement) -> None:
    """Keep the points that a judgement compared; nothing where it compared none."""
    if not seen.before and not seen.after:
        return
    connection.execute(
        insert(SERIES),
        {
            "action_id": action_id,
            "at": now,
            "verdict": seen.verdict,
            "points_before": _text(thinned(seen.before, BEFORE)),
            "points_after": _text(thinned(seen.after, AFTER)),
        },
    )
    newest = select(R.id).where(R.action_id == action_id).order_by(R.id.desc()).limit(KEPT)
    connection.execute(
        delete(SERIES).where(R.action_id == action_id, R.id.not_in(newest.scalar_subquery()))
    )


def of_actions(connection: Connection, action_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What was kept of these actions, in order of time."""
    wanted = select(SERIES).where(R.action_id.in_(action_ids)).order_by(R.id)
    return connection.execute(wanted).all()


def thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    """At most so many points of a series: of every stretch its lowest and its highest, in order.

    What a drawing shows is kept so, above all a single bad point; a mean would hide it.
    """
    if len(points) <= most:
        return points
    stretches = max(1, most // 2)
    kept: list[Point] = []
    for number in range(stretches):
        begin, end = (len(points) * n // stretches for n in (number, number + 1))
        part = points[begin:end]
        low, high = (pick(part, key=lambda point: point.value) for pick in (min, max))
        kept += sorted({low, high}, key=lambda point: point.at)
    return kept


def _text(points: Iterable[Point]) -> str:
    """Tenths of a second and six digits are more than a drawing shows; JSON knows no infinity."""
    finite = (point for point in points if isfinite(point.value))
    pairs = [[round(p.at.timestamp(), 1), float(f"{p.value:.6g}")] for p in finite]
    return json.dumps(pairs, separators=(",", ":"))
