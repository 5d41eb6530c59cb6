"""New beside old at the same time, with no past to learn from: a Mann-Whitney test. Pure.

What drifts, drifts on both sides, so that the two samples of one time may be compared by their ranks
(https://en.wikipedia.org/wiki/Mann-Whitney_U_test), with Hodges and Lehmann's estimate as the effect.
Points that follow each other count for less: the variance is widened by (1 + r) / (1 - r), r being the
autocorrelation at one step (Bartlett 1946). The k-th look spends alpha / (k (k + 1)).
"""

from math import sqrt
from statistics import NormalDist

import numpy as np

from monitors.judge.levels import Floats
from monitors.judge.rank import Look, Seen, Wanted

FIRST = 5
"""Points on each side, before which ranks say nothing."""
NORMAL = NormalDist()
SHARP = 1.05
"""The estimate's scatter against that of a mean of normal values."""


def side_by_side(control: Floats, new: Floats, wanted: Wanted) -> Seen:
    """Compare two samples on the judge's scale, each rising in time."""
    count = min(len(control), len(new))
    if count < FIRST:
        return Seen(Look(count, 0.0, 1.0, bad=False, odd=False), odd=False, power=0.0)
    gaps = np.subtract.outer(new, control)
    rise, wins = float(np.median(gaps)), float((np.sign(gaps) / 2 + 0.5).sum())
    m, n, wider = len(new), len(control), sqrt(max(_widening(new), _widening(control)))
    z = (wins - m * n / 2 - 0.5) / (sqrt(m * n * (m + n + 1) / 12) * wider)
    chance = NORMAL.cdf(-z)
    look = count - FIRST + 1
    spent = wanted.alpha / (look * (look + 1))
    bad = chance < spent and rise > wanted.gate
    odd = not bad and rise > wanted.gate and chance < wanted.alpha * 5
    told = min(1.0, chance / spent * wanted.alpha)
    error = SHARP * wider * _scatter(control, new) * sqrt(1 / m + 1 / n)
    needed = max(wanted.gate, -NORMAL.inv_cdf(spent) * error)
    power = NORMAL.cdf((wanted.effect - needed) / error) if error else float(wanted.effect > needed)
    reachable = m * n / 2 / (sqrt(m * n * (m + n + 1) / 12) * wider) > -NORMAL.inv_cdf(spent)
    return Seen(Look(count, rise, told, bad, odd), odd, power if reachable else 0.0)


def _widening(points: Floats) -> float:
    off = points - points.mean()
    whole = float((off * off).sum())
    r = float((off[1:] * off[:-1]).sum()) / whole if whole > 0 else 0.0
    r = min(max(r, 0.0), 0.9)
    return (1 + r) / (1 - r)


def _scatter(control: Floats, new: Floats) -> float:
    off = np.abs(np.concatenate([control - np.median(control), new - np.median(new)]))
    return 1.4826 * float(np.median(off))
