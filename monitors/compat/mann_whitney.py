"""Location shift between two samples with its confidence interval, as R's wilcox.test gives it. Pure.

Hodges and Lehmann's estimate and the asymptotic interval, with corrections for ties and continuity, by
inverting the rank-sum test with Brent's root finder and its absolute tolerance of 1e-4:
https://stat.ethz.ch/R-manual/R-devel/library/stats/html/wilcox.test.html
"""

from collections.abc import Sequence
from functools import partial
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from monitors.compat.brent import zero

TOLERANCE = 1e-4


class Shift(NamedTuple):
    """How far the experiment lies above the control: interval (low, high) and estimate."""

    low: float
    high: float
    estimate: float


def diff(
    shift: float,
    quantile: float,
    experiment: Sequence[float],
    control: Sequence[float],
    *,
    correct: bool = True,
) -> float:
    """Give the standardised rank sum of the experiment moved down by the shift, less the quantile."""
    moved = np.concatenate([np.asarray(experiment, dtype=float) - shift, control])
    ranks = rankdata(moved)
    m, n = len(experiment), len(control)
    off = float(ranks[:m].sum()) - m * (m + 1) / 2 - m * n / 2
    _, ties = np.unique(ranks, return_counts=True)
    tied = float((ties.astype(float) ** 3 - ties).sum()) / ((m + n) * (m + n - 1))
    deviation = sqrt(m * n / 12 * ((m + n + 1) - tied))
    if deviation == 0:
        return -quantile
    return (off - (np.sign(off) / 2 if correct else 0.0)) / deviation - quantile


def shift(experiment: Sequence[float], control: Sequence[float], confidence: float) -> Shift:
    """Answer the shift of two samples (at least one point each); confidence such as 0.95."""
    edge = NormalDist().inv_cdf(1 - (1 - confidence) / 2)
    root = partial(_root, experiment, control)
    return Shift(root(edge), root(-edge), root(0.0))


def _root(
    experiment: Sequence[float], control: Sequence[float], quantile: float, *, correct: bool = True
) -> float:
    """Find the shift at which the standardised rank sum is the quantile, or the end it lies beyond."""
    low, high = min(experiment) - max(control), max(experiment) - min(control)

    def at(moved: float) -> float:
        return diff(moved, quantile, experiment, control, correct=correct)

    if at(low) <= 0:
        return low
    if at(high) >= 0:
        return high
    return zero(at, low, high, TOLERANCE)
