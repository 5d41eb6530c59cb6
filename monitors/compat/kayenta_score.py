"""Kayenta's way from classified metrics to a score, and its outlier detectors. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

WHOLE = 100.0
FAR = 3.0


@dataclass(frozen=True, slots=True)
class Metric:
    """One classified metric and the groups that it counts in."""

    label: str
    groups: tuple[str, ...] = ()
    critical: bool = False


def score(metrics: Sequence[Metric], weights: Mapping[str, float]) -> float:
    """Answer 0 to 100: 0 where a critical metric is off, or half of all have no data."""
    off = {"High", "Low", "NodataFailMetric"}
    silent = sum(one.label == "Nodata" for one in metrics)
    if any(one.critical and one.label in off | {"Nodata"} for one in metrics):
        return 0.0
    if not metrics or silent * 2 >= len(metrics):
        return 0.0
    groups = sorted({group for one in metrics for group in one.groups})
    rest = [group for group in groups if group not in weights]
    left = max(0.0, WHOLE - sum(weights.values()))
    summed = sum(
        _group([one for one in metrics if group in one.groups])
        * weights.get(group, left / len(rest) if rest else 0.0)
        for group in groups
    )
    return round(summed / WHOLE, 2)


def _group(metrics: Sequence[Metric]) -> float:
    counted = [one for one in metrics if one.label in {"Pass", "High", "Low", "NodataFailMetric"}]
    if not counted:
        return WHOLE
    return sum(one.label == "Pass" for one in counted) / len(counted) * WHOLE


def percentile(values: Sequence[float], part: float) -> float:
    """Answer the percentile at part (0 to 1) of the n + 1 gaps between the values."""
    ordered, place = sorted(values), part * (len(values) + 1)
    if place < 1:
        return ordered[0]
    if place >= len(ordered):
        return ordered[-1]
    below, above = ordered[floor(place) - 1], ordered[min(ceil(place), len(ordered)) - 1]
    return below + (place - floor(place)) * (above - below)


def iqr_outliers(values: Sequence[float], factor: float, *, reduced: bool = False) -> list[bool]:
    """Flag what lies beyond the quartiles by factor times their distance (and 1 %, 99 %, reduced)."""
    if not values:
        return []
    low, high = percentile(values, 0.25), percentile(values, 0.75)
    least, most = low - factor * (high - low), high + factor * (high - low)
    if reduced:
        least = min(least, percentile(values, 0.01))
        most = max(most, percentile(values, 0.99))
    return [not least <= value <= most for value in values]


def sigma_outliers(values: Sequence[float], factor: float = FAR) -> list[bool]:
    """Flag what lies further from the mean than factor standard deviations."""
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    return [abs(value - mean) > factor * deviation for value in values]
