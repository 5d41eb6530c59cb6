"""Whether a signal is well again after a rollback, by its newest points alone. Pure.

Right before these points lies the bad release, so that the level just before says nothing: they are
compared with the middle of the whole baseline, which is much longer than a release is bad.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from math import sqrt

import numpy as np

from monitors.base import Judgement, MonitorError, Point, Series, Verdict
from monitors.criteria import Criteria
from monitors.judge.burn import PAIRS, Burn
from monitors.judge.comparison import SIGNS, Comparison
from monitors.judge.footing import Needs, Reading, unfit, unreachable, usable
from monitors.judge.history import LEAST
from monitors.judge.levels import scale
from monitors.judge.ratio import Ratio, counts
from monitors.judge.threshold import judge

UPPER = 0.75
"""Of the points before: a level that common is no sign of illness, however much a signal swings."""


def limit_well(
    rule: Criteria, read: Mapping[str, Reading], now: datetime, points: int
) -> Judgement:
    """PASS where the newest points are all on the good side of the limit."""
    wanted = rule if rule.alarm else replace(rule, needed=1, window=points, minimum_samples=points)
    return judge(wanted, Series(), read["after"], now)


def level_well(
    rule: Comparison, read: Mapping[str, Reading], now: datetime, points: int
) -> Judgement:
    """PASS where each of the newest points is about as before (or as its control)."""
    needs, after = replace(rule.needs, minimum_samples=points), read["after"]
    if isinstance(after, MonitorError):
        return unreachable(needs, after)
    newest = usable(after)[-points:]
    found = unfit(needs, after, newest, now) or _levelled(rule, read, newest)
    return Judgement(*found, samples=len(newest), newest=newest[-1].at if newest else None)


def _levelled(
    rule: Comparison, read: Mapping[str, Reading], newest: list[Point]
) -> tuple[Verdict, str]:
    label = rule.needs.label
    past = read["control after" if rule.control else "before"]
    known = [] if isinstance(past, MonitorError) else usable(past)
    if len(known) < (1 if rule.control else LEAST):
        return Verdict.INCONCLUSIVE, f"{label} has no level to compare with"
    values = np.array([point.value for point in known])
    for sign in SIGNS[rule.direction]:
        made = scale(values, sign)
        usual = np.sort(made.bring(values))
        allowed = max(
            float(usual[len(usual) // 2]) + rule.wanted.gate,
            float(usual[int(UPPER * (len(usual) - 1))]),
        )
        worst = float(made.bring(np.array([point.value for point in newest])).max())
        if worst > allowed:
            told = f"{label} {made.back(worst):.4g} is beyond {made.back(allowed):.4g}"
            return Verdict.INCONCLUSIVE, f"{told}, its usual level"
    return Verdict.PASS, f"{label} {newest[-1].value:.4g} is at its usual level"


def ratio_well(rule: Ratio, read: Mapping[str, Reading], now: datetime, points: int) -> Judgement:
    """PASS where the newest points' share of errors is about as before."""
    before, requests = read["before"], read["requests before"]
    if isinstance(before, MonitorError) or isinstance(requests, MonitorError):
        return Judgement(Verdict.INCONCLUSIVE, f"{rule.needs.label}: no level to compare with")
    usual = sqrt(rule.wanted.minimum) * counts(before, requests).rate
    return _share_well(rule.needs, read, now, points, max(usual, rule.wanted.rate / 2))


def burn_well(rule: Burn, read: Mapping[str, Reading], now: datetime, points: int) -> Judgement:
    """PASS where the newest points would not page."""
    return _share_well(rule.needs, read, now, points, PAIRS[1][1] * rule.budget)


def _share_well(
    needs: Needs, read: Mapping[str, Reading], now: datetime, points: int, allowed: float
) -> Judgement:
    errors, requests = read["after"], read["requests after"]
    for one in (errors, requests):
        if isinstance(one, MonitorError):
            return unreachable(needs, one)
    assert isinstance(errors, Series)  # noqa: S101 - the loop has returned otherwise
    assert isinstance(requests, Series)  # noqa: S101 - the same
    alive = usable(requests)[-points:]
    found = unfit(replace(needs, minimum_samples=points), requests, alive, now)
    share = counts(errors, Series(tuple(alive))).rate
    told = f"{needs.label}: {100 * share:.3g} % of requests, usual is up to {100 * allowed:.3g} %"
    good = errors.complete and share <= allowed and sum(point.value for point in alive) > 0
    verdict, reason = found or (Verdict.PASS if good else Verdict.INCONCLUSIVE, told)
    return Judgement(verdict, reason, samples=len(alive), newest=alive[-1].at if alive else None)
