"""Brent's root finder, step for step as R's uniroot takes them. Pure.

scipy's finds the same roots within its tolerance, but not the same digits beyond it; others' expected
values carry those. R. P. Brent, Algorithms for Minimization without Derivatives (1973), chapter 4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from sys import float_info


@dataclass(slots=True)
class Bracket:
    """Three points: b is the best so far, a the one before it, and c lies beyond the root."""

    a: float
    fa: float
    b: float
    fb: float
    c: float
    fc: float

    def order(self) -> None:
        """Let b be the better one of the two ends."""
        if abs(self.fc) < abs(self.fb):
            self.a, self.b, self.c = self.b, self.c, self.b
            self.fa, self.fb, self.fc = self.fb, self.fc, self.fb

    def interpolated(self) -> tuple[float, float]:
        """Give the step to where a line or an inverse parabola crosses zero, as p / q, p >= 0."""
        span = self.c - self.b
        if self.a == self.c:
            slope = self.fb / self.fa
            p, q = span * slope, 1 - slope
        else:
            q, r, s = self.fa / self.fc, self.fb / self.fc, self.fb / self.fa
            p = s * (span * q * (q - r) - (self.b - self.a) * (r - 1))
            q = (q - 1) * (r - 1) * (s - 1)
        return (p, -q) if p > 0 else (-p, q)


def zero(
    function: Callable[[float], float], low: float, high: float, tolerance: float, most: int = 1000
) -> float:
    """Answer a root between two points whose values have different signs."""
    at = Bracket(low, function(low), high, function(high), low, function(low))
    for _ in range(most):
        before = at.b - at.a
        at.order()
        close, step = 2 * float_info.epsilon * abs(at.b) + tolerance / 2, (at.c - at.b) / 2
        if abs(step) <= close or at.fb == 0:
            break
        if abs(before) >= close and abs(at.fa) > abs(at.fb):
            p, q = at.interpolated()
            inside = p < 0.75 * (at.c - at.b) * q - abs(close * q) / 2
            if inside and p < abs(before * q / 2):
                step = p / q
        if abs(step) < close:
            step = close if step > 0 else -close
        at.a, at.fa = at.b, at.fb
        at.b += step
        at.fb = function(at.b)
        if (at.fb > 0) == (at.fc > 0) and at.fb != 0:
            at.c, at.fc = at.a, at.fa
    return at.b
