"""Levels after against before: latencies, CPU, queue lengths, anything that is no count. Pure.

A signal has worsened where the level of its newest points (of as many as a third of all looked at, or
more) is higher than right before the deployment by a factor worth speaking of, higher than any level
of as many points in the baseline, and risen further than anything the baseline does by itself
(history.py), at the chance that the rule allows. In place of the ranks of a Mann-Whitney test stand the
ranks among placebos: those hold for metrics that follow the day and come in bursts, where an ordinary
rank test does not.
"""

from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from monitors.judge.history import HORIZONS, WINDOWS, History
from monitors.judge.levels import Floats, levels

SHARES = 5
"""The looks of all widths and horizons together spend alpha; each is allowed this part of it."""
PART = 3
"""A stretch is at least this part of the points looked at: one burst among many is no release."""
LEAP = 3.0
"""Two points, or a baseline with hardly a placebo in it, are enough for three times the level before."""
BARE = 2.5
"""Placebos that do not overlap, below which a baseline cannot tell a drift from a release."""
SURE = 4.0
"""Standard errors of the points' own scatter that a rise must exceed in any case."""
EDGE = 0.05
"""A rise this unlikely keeps a verdict from being PASS."""
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Wanted:
    """minimum: how many times worse is worth speaking of. alpha: false alarms let through."""

    minimum: float = 1.5
    alpha: float = 0.01

    @property
    def effect(self) -> float:
        """The smallest regression that matters, on the judge's scale."""
        return log(self.minimum)

    @property
    def gate(self) -> float:
        """What an estimate must exceed: half of it, so that the effect itself is seen surely."""
        return self.effect / 2


class Look(NamedTuple):
    """What one stretch showed: how wide it is, and how far it rose over the level before."""

    width: int
    rise: float
    chance: float
    bad: bool
    odd: bool


class Seen(NamedTuple):
    """What the newest points showed.

    look: the stretch that told most. odd: something rose that is not yet enough to be bad. chance:
    how likely an unchanged signal looks like this at any look. power: how likely the smallest
    regression that matters would have been called bad by now.
    """

    look: Look
    odd: bool
    power: float

    @property
    def bad(self) -> bool:
        """Say whether the signal has worsened."""
        return self.look.bad


def seen(before: History, after: Floats, wanted: Wanted) -> Seen:
    """Look at the newest points of a signal, both on the judge's scale; after rises in time."""
    after = after[-HORIZONS[-1] :]
    count = len(after)
    widths = [width for width in WINDOWS if width <= count <= PART * width]
    levelled = {width: float(levels(after[count - width :], width)[0]) for width in widths}
    looks = [_look(before, width, levelled[width], count, wanted) for width in widths]
    novel = count > 0 and _novel(before, float(after[-1]), wanted)
    if not looks:
        return Seen(Look(count, 0.0, 1.0, bad=False, odd=False), novel, 0.0)
    worst = max(looks, key=lambda one: (one.bad, one.odd, one.width))
    return Seen(worst, novel or worst.odd, _power(before, widths[-1], count, wanted))


def first_bad(before: History, after: Floats, wanted: Wanted) -> int:
    """Give after how many points a judge that looks at each would first say bad; 0 for never.

    The same as `seen` for every beginning of `after`, up to the last horizon, in one go.
    """
    after = after[: HORIZONS[-1]]
    soonest = len(after) + 1
    for width in WINDOWS:
        if width > len(after):
            break
        found = levels(after, width)[: (PART - 1) * width + 1]
        for place in np.flatnonzero(found - before.reference > wanted.gate):
            count = width + int(place)
            if count >= soonest:
                break
            if _clear(before, width, float(found[place]), count, wanted):
                soonest = count
    return soonest if soonest <= len(after) else 0


def _look(before: History, width: int, level: float, count: int, wanted: Wanted) -> Look:
    rise = level - before.reference
    if rise <= wanted.gate:
        return Look(width, rise, 1.0, bad=False, odd=False)
    limit = before.limit(width, _horizon(count))
    odd = limit.chance(rise) < EDGE or level > before.highest(width)
    bad = _clear(before, width, level, count, wanted)
    return Look(width, rise, min(1.0, SHARES * limit.chance(rise)), bad, odd)


def _clear(before: History, width: int, level: float, count: int, wanted: Wanted) -> bool:
    """Say whether a level is beyond the gate, beyond all before, and beyond chance."""
    rise = level - before.reference
    return (
        rise > _gate(before, width, count, wanted)
        and level > before.highest(width)
        and rise > before.limit(width, _horizon(count)).threshold(wanted.alpha / SHARES)
        and rise > SURE * before.noise / sqrt(width)
    )


def _horizon(count: int) -> int:
    return next(one for one in HORIZONS if one >= count)


def _gate(before: History, width: int, count: int, wanted: Wanted) -> float:
    bare = width == WINDOWS[0] or before.apart(_horizon(count)) < BARE
    return max(wanted.gate, log(LEAP)) if bare else wanted.gate


def _novel(before: History, newest: float, wanted: Wanted) -> bool:
    """Say whether the newest point is like none before: what begins now has no level yet."""
    return newest - before.reference > wanted.effect and newest > before.highest(1)


def _power(before: History, width: int, count: int, wanted: Wanted) -> float:
    """How likely a regression of the wanted size would have been called bad by this stretch."""
    limit = before.limit(width, _horizon(count))
    if width == WINDOWS[0]:
        return 0.0
    needed = max(_gate(before, width, count, wanted), limit.threshold(wanted.alpha / SHARES))
    if limit.spread <= 0:
        return float(wanted.effect > needed)
    return NORMAL.cdf((wanted.effect - needed) / limit.spread)
