"""Limits with for-durations, and alarms as they are. Pure.

The rules, in this order (the first that holds speaks):

1. The monitoring could not be read: UNREACHABLE. It never passes and never blames.
2. Nothing was measured, or the newest point is too old: NO_DATA. NaN and infinity are no points.
3. The vendor answered only in part: INCONCLUSIVE, for what is missing may be what matters.
4. Fewer points than MinimumSamples: INCONCLUSIVE.
5. A breach (DatapointsToFail of the last DatapointsWindow points are bad): FAIL, unless the same
   rule says that the signal was in breach before the deployment. Then it fails only where it is
   clearly worse: DatapointsToFail points are further beyond the threshold than WorseBy times the
   worst point before. Otherwise INCONCLUSIVE: neither ignored nor blamed. Where the level before
   could not be read, a breach is INCONCLUSIVE until it can be.
6. The newest point is bad, but a breach needs more: INCONCLUSIVE, so that a bake does not end on
   the first bad point of a breach.
7. PASS.

A recovery is therefore only ever told by fresh, complete, good points: a failed poll is none.
"""

from collections.abc import Sequence
from datetime import datetime

from monitors.base import Judgement, MonitorError, Point, Series, Verdict
from monitors.criteria import Criteria
from monitors.judge.footing import clock, unfit, unreachable, usable


def judge(
    criteria: Criteria, before: Series | MonitorError, after: Series | MonitorError, now: datetime
) -> Judgement:
    """Judge what was measured since the deployment, in the light of what was measured before it."""
    if isinstance(after, MonitorError):
        return unreachable(criteria, after)
    points = usable(after)
    verdict, reason = unfit(criteria, after, points, now) or _judged(criteria, before, points)
    newest = points[-1] if points else None
    return Judgement(
        verdict,
        reason,
        samples=len(points),
        value=newest.value if newest else None,
        newest=newest.at if newest else None,
        before=() if isinstance(before, MonitorError) else tuple(usable(before)),
        after=tuple(points),
    )


def _judged(
    criteria: Criteria, before: Series | MonitorError, points: Sequence[Point]
) -> tuple[Verdict, str]:
    bad = _bad(criteria, points)
    if len(bad) >= criteria.needed:
        return _breached(criteria, before, points, bad)
    if bad and bad[-1] is points[-1]:
        count = f"in {len(bad)} of the {criteria.needed} points that make a breach"
        return Verdict.INCONCLUSIVE, f"{_told(criteria, bad[-1])} {count}"
    return Verdict.PASS, _good(criteria, points)


def _breached(
    criteria: Criteria,
    before: Series | MonitorError,
    points: Sequence[Point],
    bad: Sequence[Point],
) -> tuple[Verdict, str]:
    told = _told(criteria, bad[-1])
    if not criteria.alarm:
        looked = min(criteria.window, len(points))
        told = f"{told} in {len(bad)} of {looked} points since {clock(bad[0].at)}"
    if isinstance(before, MonitorError):
        unread = f"its level before the deployment could not be read: {before}"
        return Verdict.INCONCLUSIVE, f"{told}; {unread}"
    earlier = usable(before)
    if len(_bad(criteria, earlier)) < criteria.needed:
        return Verdict.FAIL, told
    worst = max((point.value for point in earlier), key=criteria.excess)
    level = "in ALARM" if criteria.alarm else f"bad before the deployment, at {worst:.4g}"
    if sum(criteria.is_worse(point.value, worst) for point in bad) >= criteria.needed:
        return Verdict.FAIL, f"{told}; it was {level}, but is clearly worse"
    already = f"it was already {level}" + (" before the deployment" if criteria.alarm else "")
    return Verdict.INCONCLUSIVE, f"{told}; {already}, and is not clearly worse"


def _bad(criteria: Criteria, points: Sequence[Point]) -> list[Point]:
    """Keep the bad ones of the points that a breach is looked for in."""
    return [point for point in points[-criteria.window :] if criteria.is_bad(point.value)]


def _told(criteria: Criteria, point: Point) -> str:
    if criteria.alarm:
        return f"{criteria.label} is in ALARM"
    return f"{criteria.label} {point.value:.4g} {criteria.sign} {criteria.threshold:g}"


def _good(criteria: Criteria, points: Sequence[Point]) -> str:
    newest = points[-1]
    if criteria.alarm:
        return f"{criteria.label} is OK"
    return (
        f"{criteria.label} {newest.value:.4g} is not {criteria.sign} {criteria.threshold:g} "
        f"({len(points)} points, the newest of {clock(newest.at)})"
    )
