"""Errors of a thousand requests a period: a base of two, or in bursts of its own; and ten times that.

Bursts: in one period of five come all the errors that make ten times the total.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from monitors.compat.argo import limits
from monitors.compat.kayenta import classify
from monitors.judge.count import Counts, Wanted, counted
from monitors.judge.levels import Floats
from tests.bench.judge.judges import KAYENTA, TOLERATED
from tests.bench.judge.pairs import BASELINE

REQUESTS = 1000.0
BASE = 2.0
TIMES = 10
LIMIT = 0.01
"""What a person would set where 0.2 % is usual."""


class Errors(NamedTuple):
    """Errors of each period, before and after."""

    before: Floats
    after: Floats


Draw = Callable[[np.random.Generator, int], Floats]


def even(dice: np.random.Generator, count: int) -> Floats:
    """Errors that come one by one."""
    return dice.poisson(BASE, count).astype(np.float64)


def clumped(dice: np.random.Generator, count: int) -> Floats:
    """The same number in the long run, bunched (negative binomial, variance ten times the mean)."""
    return dice.negative_binomial(BASE / 9, 0.1, count).astype(np.float64)


def bursty(dice: np.random.Generator, count: int) -> Floats:
    """Ten times the errors: the usual ones, and the rest in every fifth period."""
    spread = dice.permutation(count) < max(1, count // 5)
    burst = (TIMES - 1) * BASE * count / spread.sum()
    found: Floats = even(dice, count) + spread * dice.poisson(burst, count)
    return found


DRAWS: Mapping[str, tuple[Draw, Draw]] = {
    "unchanged": (even, even),
    "unchanged, in bursts before and after": (clumped, clumped),
    "bursty errors, 10 times in all": (even, bursty),
    "none any more (dead or well)": (even, lambda _dice, count: np.zeros(count)),
}


def draw(name: str, dice: np.random.Generator, length: int, count: int) -> list[Errors]:
    """Draw pairs of this kind."""
    before, after = DRAWS[name]
    return [Errors(before(dice, BASELINE), after(dice, length)) for _ in range(count)]


def ours(pair: Errors) -> bool:
    """Our count test, at every point."""
    before = Counts(pair.before, np.full_like(pair.before, REQUESTS))
    wanted = Wanted()
    return any(
        counted(before, Counts(pair.after[:n], np.full(n, REQUESTS)), wanted).bad
        for n in range(1, len(pair.after) + 1)
    )


def kayenta(pair: Errors) -> bool:
    """Its rank test on counts, once at the end."""
    before = pair.before[-len(pair.after) :]
    return classify(before.tolist(), pair.after.tolist(), KAYENTA).label in {"High", "Nodata"}


def argo(pair: Errors) -> bool:
    """A limit on the share of errors, at every point."""
    failed = int((pair.after / REQUESTS > LIMIT).sum())
    return limits(TOLERATED, {"failed": failed}) is not None


JUDGES: Mapping[str, Callable[[Errors], bool]] = {"Towpath": ours, "Kayenta": kayenta, "Argo": argo}
