"""What a stretch of points is worth: one number that a few outliers cannot move. Pure numpy.

Values are first brought to a scale on which "twice as much" is the same distance everywhere:
asinh(x / s), with s a tenth of the median size of the values before (Burbidge, Magee and Robb 1988,
https://doi.org/10.1080/01621459.1988.10478575). It is log(x) for what is large against s, it takes
zero and negative values, and it makes every verdict the same in seconds and in milliseconds.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FINE = 0.1
HUGE = 1e150
"""Values are cut to this size, far beyond any measurement, so that no difference overflows."""


class Scale(NamedTuple):
    """Brings values to the scale of the judge; bad is always up (sign is -1 where less is bad)."""

    unit: float
    sign: float = 1.0

    def bring(self, values: Floats) -> Floats:
        """Bring values to the scale."""
        made: Floats = self.sign * np.arcsinh(np.clip(values, -HUGE, HUGE) / self.unit)
        return made

    def back(self, brought: float) -> float:
        """Tell a number on the scale as the value that it came from."""
        return float(np.sinh(self.sign * brought) * self.unit)


def scale(before: Floats, sign: float = 1.0) -> Scale:
    """Choose the scale for a signal by its values before the deployment (at least one)."""
    sizes = np.minimum(np.abs(before), HUGE)
    typical = float(np.median(sizes)) or float(np.mean(sizes))
    return Scale(max(FINE * typical, np.finfo(np.float64).tiny) if typical else 1.0, sign)


def midmean(rows: Floats) -> Floats:
    """Mean of the middle half of each row (the interquartile mean); of one or two, the least.

    It is moved by no quarter of outliers, and is nearly as sharp as the mean where there are none:
    https://en.wikipedia.org/wiki/Interquartile_mean. Two points count as high only where both are.
    """
    width = rows.shape[-1]
    ordered = np.sort(rows, axis=-1)
    if width <= 2:  # noqa: PLR2004 - one point or two have no middle
        least: Floats = ordered[..., 0]
        return least
    cut = (width + 1) // 4
    inner = ordered[..., cut : width - cut]
    found: Floats = np.add.reduce(inner, axis=-1) / (width - 2 * cut)
    return found


def levels(points: Floats, width: int, stride: int = 1) -> Floats:
    """Give the level of every stretch of this width, or of every stride-th one; rising in time."""
    return midmean(sliding_window_view(points, width)[::stride])
