"""Multi-window multi-burn-rate on an SLO, cut to the length of a bake. Pure.

A burn rate of 1 spends the error budget (1 - objective) exactly by the end of the SLO's period. A pair
of windows is bad where both the long and the short one (a twelfth) burn at its factor: Google's SRE
workbook, https://sre.google/workbook/alerting-on-slos/. A bake has no hour behind it: a pair is asked
from when its short window is full, and its long one is what there is since the deployment. So a few
requests are not taken for a rate, the errors must be more than chance allows at a burn rate of 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from monitors.base import Judgement, MonitorError, Verdict
from monitors.judge.count import Counts
from monitors.judge.footing import Needs, Reading, percent, unfit, unreachable, usable
from monitors.judge.ratio import counts

PAIRS = (
    (timedelta(hours=1), 14.4),
    (timedelta(hours=6), 6.0),
    (timedelta(days=1), 3.0),
    (timedelta(days=3), 1.0),
)
"""The workbook's, for an SLO over 30 days: the long window and its factor."""
SHORT = 12


@dataclass(frozen=True, slots=True)
class Burn:
    """objective: the good part of all requests that is promised, such as 0.999.

    step: the length of a period. alpha: the chance to be allowed at each look. worse: a pair that
    burnt before the deployment already must burn so many times as fast to be blamed on it.
    """

    needs: Needs
    objective: float
    step: timedelta
    alpha: float = 0.01
    worse: float = 1.5

    @property
    def budget(self) -> float:
        """The part of all requests that may be bad."""
        return 1 - self.objective


def burn(rule: Burn, read: Mapping[str, Reading], now: datetime) -> Judgement:
    """Judge the burn rates of "after" of "requests after"; "before" tells what burnt already."""
    errors, requests = read["after"], read["requests after"]
    if isinstance(errors, MonitorError):
        return unreachable(rule.needs, errors)
    if isinstance(requests, MonitorError):
        return unreachable(rule.needs, requests)
    alive = usable(requests)
    found = unfit(rule.needs, requests, alive, now)
    if found is None and not errors.complete:
        found = Verdict.INCONCLUSIVE, f"{rule.needs.label} was answered only in part"
    made = counts(errors, requests)
    verdict, reason = found or _judged(rule, read, made)
    return Judgement(
        verdict,
        reason,
        samples=len(alive),
        value=made.rate / rule.budget if alive else None,
        newest=alive[-1].at if alive else None,
        before=() if isinstance(read["before"], MonitorError) else tuple(usable(read["before"])),
        after=tuple(usable(errors)),
    )


def _judged(rule: Burn, read: Mapping[str, Reading], after: Counts) -> tuple[Verdict, str]:
    label = rule.needs.label
    if not after.requests.sum() > 0:
        return Verdict.NO_DATA, f"{label}: no requests since the deployment"
    hot = burning(rule, after)
    if hot is None:
        return _cool(rule, after)
    factor, rate, chance = hot
    told = (
        f"{label} burns at {rate:.3g} times the budget (limit {factor:g}), chance {percent(chance)}"
    )
    before, requests = read["before"], read["requests before"]
    if isinstance(before, MonitorError) or isinstance(requests, MonitorError):
        return Verdict.INCONCLUSIVE, f"{told}; its level before could not be read"
    earlier = burning(rule, counts(before, requests))
    if earlier is None or rate > rule.worse * earlier[1]:
        return Verdict.FAIL, told
    return Verdict.INCONCLUSIVE, f"{told}; it did at {earlier[1]:.3g} before the deployment already"


def _cool(rule: Burn, after: Counts) -> tuple[Verdict, str]:
    newest, first = _rate(after, 1) / rule.budget, PAIRS[0][0] / SHORT
    told = (
        f"{rule.needs.label} burns at {after.rate / rule.budget:.3g} times the budget "
        "since the deployment"
    )
    if newest >= PAIRS[0][1]:
        return Verdict.INCONCLUSIVE, f"{told}, and at {newest:.3g} in the newest point"
    if len(after.errors) < _periods(rule, first):
        return Verdict.INCONCLUSIVE, f"{told}; the {first} of the first window are not over"
    return Verdict.PASS, told


def burning(rule: Burn, seen: Counts) -> tuple[float, float, float] | None:
    """Find the first pair that burns: its factor, the long window's rate, its chance; None for none."""
    for long, factor in PAIRS:
        short = _periods(rule, long / SHORT)
        if len(seen.errors) < short:
            continue
        width = min(len(seen.errors), _periods(rule, long))
        rates = [_rate(seen, one) / rule.budget for one in (width, short)]
        errors, requests = (float(one[-width:].sum()) for one in seen)
        chance = _chance(errors, requests, rule.budget)
        if min(rates) >= factor and chance < rule.alpha / len(PAIRS):
            return factor, rates[0], chance
    return None


def _periods(rule: Burn, length: timedelta) -> int:
    return max(1, round(length / rule.step))


def _rate(seen: Counts, width: int) -> float:
    return Counts(seen.errors[-width:], seen.requests[-width:]).rate


def _chance(errors: float, requests: float, budget: float) -> float:
    """P(at least so many errors where exactly the budget is spent), by the binomial."""
    if errors <= 0:
        return 1.0
    from scipy.special import betainc  # late: it takes a process that judges no rate half a second

    return float(np.clip(betainc(errors, max(0.0, requests - errors) + 1, budget), 0, 1))
