"""Regressions put into points that had none: one literal table. Each for a number of points."""

from collections.abc import Callable, Mapping

import numpy as np

from monitors.judge.levels import Floats

Shape = Callable[[Floats], Floats]

SHAPES: Mapping[str, Shape] = {
    "1.2 times": lambda after: 1.2 * after,
    "1.5 times": lambda after: 1.5 * after,
    "2 times": lambda after: 2.0 * after,
    "step to 2 times, halfway": lambda after: (
        after * np.where(np.arange(len(after)) < len(after) // 2, 1, 2)
    ),
    "ramp from 1 to 3 times": lambda after: after * np.linspace(1, 3, len(after)),
    "dead signal": lambda after: np.full_like(after, np.nan),
}
