"""What a signal does by itself, learnt from before the deployment: releases that never were.

Real metrics are anything but independent draws: they drift, follow the day and come in bursts, so
that a rank test between before and after calls every third quiet release bad. The baseline itself
says how much a signal moves where nothing was released: at every place in it a deployment is
pretended (a placebo in time: Abadie, Diamond and Hainmueller 2015, https://doi.org/10.1111/ajps.12116)
and what a judge would have seen is kept, as the worst of all its looks up to the same horizon. That
worst-of-all-looks is why looking at every point costs no false alarms.

How likely something beyond all of them is, is read off an exponential tail above their upper
quartile (peaks over threshold: Coles 2001, An Introduction to Statistical Modeling of Extreme Values,
chapter 4), widened where the baseline holds few placebos that do not overlap.
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from monitors.judge.levels import Floats, levels, midmean

WINDOWS = (2, 3, 5, 7, 10, 14, 20, 30, 45, 60, 90, 120, 180, 240)
"""Widths of the stretches that are looked at, each ending at the newest point."""
HORIZONS = (5, 10, 20, 30, 60, 120, 240)
"""The looks up to here are weighed together; further points are judged as the last 240 are."""
REFERENCE, SHORTEST = 60, 15
"""Points right before the deployment that tell the level before it: an eighth of the baseline at most,
a quarter where that is hardly any."""
LEAST = 20
"""Points before, below which nothing is learnt from them."""
TAIL = 0.25
ENOUGH = 6
"""Placebos that do not overlap; where there are fewer, limits are wider in proportion."""
NORMAL = 1.4826
"""Makes a median absolute deviation comparable with a standard deviation."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What the placebos of one width and horizon showed, as rises over their level before.

    worst: the greatest rise. start, slope: the tail of the rises. spread: how much a single look
    scatters. count: how many placebos there were.
    """

    worst: float
    start: float
    slope: float
    spread: float
    count: int

    def chance(self, rise: float) -> float:
        """How likely an unchanged signal rises as far as this at any look up to the horizon."""
        if rise <= self.start:
            return 1.0 if rise <= 0 else 2 * TAIL
        if self.slope <= 0:
            return 1 / (self.count + 1)
        return TAIL * exp(-min(700.0, (rise - self.start) / self.slope))

    def threshold(self, alpha: float) -> float:
        """How far a rise must go to be as unlikely as alpha, and beyond every placebo."""
        return max(self.worst, self.start + self.slope * log(TAIL / alpha))


class History:
    """The baseline on the judge's scale (levels.Scale), and what was learnt of it so far.

    reference: the level right before the deployment. noise: how much a point differs from the next
    by chance (a robust standard deviation).
    """

    def __init__(self, points: Floats) -> None:
        """Take the points, rising in time; ValueError where they are fewer than LEAST."""
        if len(points) < LEAST:
            raise ValueError(f"{len(points)} points are no history: at least {LEAST} are")
        self.points = points
        self._span = min(REFERENCE, max(len(points) // 8, min(SHORTEST, len(points) // 4)))
        self._grid = max(1, self._span // 6)
        self.reference = float(midmean(points[-self._span :]))
        steps = np.sort(np.abs(np.diff(points)))
        self.noise = NORMAL * float(steps[len(steps) // 2]) / sqrt(2)
        self._references: Floats | None = None
        self._levels: dict[int, tuple[int, Floats]] = {}
        self._limits: dict[tuple[int, int], Limit] = {}

    def highest(self, width: int) -> float:
        """Give the highest level of any stretch of this width."""
        return float(self._rolled(width)[1].max()) if width <= len(self.points) else float("-inf")

    def apart(self, horizon: int) -> float:
        """Tell how many placebos of this horizon the baseline holds that do not overlap."""
        return (len(self.points) - self._span) / (self._span + horizon)

    def limit(self, width: int, horizon: int) -> Limit:
        """Learn from the placebos; where the baseline is shorter, from its longest ones."""
        key = (width, horizon)
        if key not in self._limits:
            self._limits[key] = self._learnt(width, horizon)
        return self._limits[key]

    def _learnt(self, width: int, horizon: int) -> Limit:
        width = min(width, (len(self.points) - self._span) // 2)
        longest = min(horizon, len(self.points) - self._span - 1)
        stride, found = self._rolled(width)
        first = -(-self._span // stride)
        looks = min((longest - width) // stride + 1, len(found) - first)
        singles = found[first:] - self._before(first, len(found), stride)
        worst = sliding_window_view(found[first:], looks).max(axis=1)
        rises = np.sort(worst - self._before(first, first + len(worst), stride))
        apart = self.apart(horizon)
        return _limit(rises, singles, apart)

    def _rolled(self, width: int) -> tuple[int, Floats]:
        """Give the levels of this width, and how far they lie apart: wide ones change slowly."""
        if width not in self._levels:
            stride = max(1, width // 6)
            self._levels[width] = stride, levels(self.points, width, stride)
        return self._levels[width]

    def _before(self, first: int, last: int, stride: int) -> Floats:
        """Give the level before each place (first <= place < last), places a stride apart."""
        if self._references is None:
            self._references = levels(self.points, self._span, self._grid)
        places = np.arange(first, last) * stride
        found: Floats = self._references[(places - self._span) // self._grid]
        return found


def _limit(rises: Floats, singles: Floats, apart: float) -> Limit:
    """Fit the tail. apart: how many placebos there are that do not overlap."""
    at = int((1 - TAIL) * (len(rises) - 1))
    start = float(rises[at])
    slope = (float(rises[at:].mean()) - start) * (1 + 1 / max(1.0, apart))
    wider = max(1.0, ENOUGH / apart)
    off = np.sort(np.abs(singles - np.sort(singles)[len(singles) // 2]))
    spread = NORMAL * float(off[len(off) // 2])
    return Limit(wider * float(rises[-1]), wider * start, wider * slope, spread, len(rises))
