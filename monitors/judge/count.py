"""Counts of counts: errors of requests, before and after, by an exact test. Pure.

Given how many errors there were in all, those after the deployment are binomial where its rate is g
times the one before, with the share that its requests have (Przyborowski and Wilenski 1940; the
conditional test of two Poisson means). The tail is the regularised incomplete beta function. Errors
come in bursts: counts are divided by the dispersion that blocks of the baseline show (quasi-Poisson:
McCullagh and Nelder 1989, section 6.2.3), so that a burst counts as one event and not as fifty.

The n-th look spends alpha / (n (n + 1)), in equal parts over its windows: all looks of all time
together spend alpha (a union bound, so it holds however the looks depend on each other).
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from monitors.judge.levels import Floats

WINDOWS = (1, 3, 10, 30, 100, 300)
"""Stretches that are looked at beside all points since the deployment, each ending at the newest."""
BLOCKS = (1, 5, 20)
CAUTION = 1.5
"""What bunches has a longer tail than a scaled count: its surplus over chance is taken half as much again."""
ENOUGH = 8
"""Blocks of one width that tell a dispersion."""
LEAST = 3
"""Errors below which nothing is worse, however few there were before."""
PRIOR = 0.5
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is worth speaking of.

    minimum: how many times worse; rate: the share of requests, where there were (almost) no errors
    before. alpha: false alarms let through.
    """

    minimum: float = 1.5
    rate: float = 0.005
    alpha: float = 0.01


class Counts(NamedTuple):
    """Errors and requests of the same periods, in rising order of time."""

    errors: Floats
    requests: Floats

    @property
    def rate(self) -> float:
        """Errors for each request; 0 where there were none of either."""
        requests = float(self.requests.sum())
        return float(self.errors.sum()) / requests if requests > 0 else 0.0


class Found(NamedTuple):
    """What the count test found; width: of the window that told most, in points."""

    bad: bool
    odd: bool
    chance: float
    power: float
    width: int
    errors: float
    requests: float


def dispersion(before: Counts) -> float:
    """Tell how much more than by chance errors bunch (1: not at all), by blocks of some widths."""
    found, rate = 1.0, before.rate
    for width in BLOCKS:
        blocks = len(before.errors) // width
        if blocks < ENOUGH or rate <= 0:
            break
        errors = before.errors[-blocks * width :].reshape(blocks, width).sum(axis=1)
        expected = rate * before.requests[-blocks * width :].reshape(blocks, width).sum(axis=1)
        there = expected > 0
        surplus = (errors[there] - expected[there]) ** 2 / expected[there]
        found = max(found, float(surplus.sum()) / max(1, int(there.sum()) - 1))
    return 1 + CAUTION * (found - 1)


def counted(before: Counts, after: Counts, wanted: Wanted) -> Found:
    """Compare the newest points with all before."""
    count, spread = len(after.errors), dispersion(before)
    gate, floor = sqrt(wanted.minimum), wanted.rate / 2
    widths = [width for width in WINDOWS if width < count] + [count]
    spent = wanted.alpha / (count * (count + 1)) / len(widths)
    e0, r0 = float(before.errors.sum()), float(before.requests.sum())
    looks = []
    for width in widths:
        e1, r1 = float(after.errors[-width:].sum()), float(after.requests[-width:].sum())
        chance = _tail(e1 / spread, e0 / spread, gate * r1 / (gate * r1 + r0) if r1 + r0 > 0 else 0)
        beyond = e1 >= LEAST and e1 > floor * r1 and e1 > _worst(before, width) * r1
        looks.append((chance if beyond else 1.0, width, e1, r1))
    chance, width, errors, requests = min(looks)
    power = _power(before, float(after.requests.sum()), spread, spent, wanted)
    told = min(1.0, chance / spent * wanted.alpha)
    odd = chance < wanted.alpha
    return Found(chance < spent, odd, told, power, width, errors, requests)


def _tail(errors: float, before: float, share: float) -> float:
    """P(at least so many of all errors fall after the deployment)."""
    if errors <= 0 or share <= 0:
        return 1.0
    from scipy.special import betainc  # late: it takes a process that judges no rate half a second

    return float(betainc(errors, before + 1, share))


def _worst(before: Counts, width: int) -> float:
    """Give the highest rate of as many points in a row before the deployment."""
    if width > len(before.errors):
        return before.rate
    errors, requests = (np.concatenate([[0.0], np.cumsum(one)]) for one in before)
    summed = requests[width:] - requests[:-width]
    rates = np.divide(
        errors[width:] - errors[:-width], summed, out=np.zeros_like(summed), where=summed > 0
    )
    return float(rates.max())


def _power(before: Counts, requests: float, spread: float, spent: float, wanted: Wanted) -> float:
    """How likely the smallest regression that matters were called bad by all points together.

    By the square roots of the counts, whose scatter is about one half whatever their size.
    """
    before_requests = float(before.requests.sum())
    if requests <= 0 or before_requests <= 0:
        return 0.0
    usual = max(float(before.errors.sum()), PRIOR) / before_requests
    worse = max(wanted.minimum * usual, wanted.rate) * requests
    allowed = max(sqrt(wanted.minimum) * usual, wanted.rate / 2) * requests
    scatter = sqrt(spread * (1 + requests / before_requests))
    return NORMAL.cdf(2 * (sqrt(worse) - sqrt(allowed)) / scatter + NORMAL.inv_cdf(spent))
