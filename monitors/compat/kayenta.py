"""Kayenta's classifiers: one metric of a canary against its baseline. Pure.

Restated from the behaviour of NetflixACAJudge: https://github.com/spinnaker/kayenta/blob/master/docs/canary-config.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

import numpy as np

from monitors.compat.mann_whitney import shift

TOLERANCE = 0.25
CONFIDENCE = 0.98
NEUTRAL: Mapping[str, float] = {"meanRatio": 1.0, "cles": 0.5}


@dataclass(frozen=True, slots=True)
class Settings:
    """As a canary configuration has them. effects, critical: limits of the effect (low, high)."""

    tolerance: float = TOLERANCE
    confidence: float = CONFIDENCE
    effects: tuple[float, float] = (1.0, 1.0)
    critical: tuple[float, float] = (1.0, 1.0)
    measure: str = "meanRatio"
    direction: str = "Either"
    replace_nan: bool = False
    is_critical: bool = False
    mean_only: bool = False


@dataclass(frozen=True, slots=True)
class Classified:
    """Pass, High, Low or Nodata; deviation is the effect that was measured."""

    label: str
    reason: str = ""
    deviation: float = nan
    critical: bool = False


def settings(given: Mapping[str, Any]) -> Settings:
    """Read a metric's settings by the names that Kayenta's own tests give them."""
    measure = given.get("effectSizeMeasure", "meanRatio")
    both = [NEUTRAL[measure]] * 2
    low, high = given.get("effectSizeThresholds", both)
    worst, best = given.get("criticalThresholds", both)
    return Settings(
        given.get("tolerance", TOLERANCE),
        given.get("confLevel", CONFIDENCE),
        (low, high),
        (worst, best),
        measure,
        given.get("direction", "Either"),
        given.get("nanStrategy") == "Replace",
        bool(given.get("isCriticalMetric")),
        given.get("classifier") == "MeanInequalityClassifier",
    )


def classify(control: Sequence[float], experiment: Sequence[float], rule: Settings) -> Classified:
    """Classify one metric; NaN is dropped, or 0 where the settings replace it."""
    before, after = (_clean(side, rule) for side in (control, experiment))
    if not before or not after:
        if rule.replace_nan:
            return Classified("Pass", "both sides count as 0", 1.0)
        return Classified("Nodata", "a side has no data", critical=rule.is_critical)
    if sorted(before) == sorted(after) or len({*before, *after}) == 1:
        return Classified("Pass", "the sides are the same", 1.0)
    found = effect(before, after, rule.measure)
    label = _unequal(before, after) if rule.mean_only else _shifted(before, after, rule)
    if rule.direction not in {"Either", {"High": "Increase", "Low": "Decrease"}.get(label, "")}:
        label = "Pass"
    if not _past(label, found, rule.effects):
        label = "Pass"
    critical = rule.is_critical and label != "Pass" and _past(label, found, rule.critical)
    return Classified(label, f"{rule.measure} {found:.4g}", found, critical)


def effect(control: Sequence[float], experiment: Sequence[float], measure: str) -> float:
    """Measure the effect: the ratio of the means, or how often the experiment is the higher one."""
    if measure == "cles":
        wins = np.sign(np.subtract.outer(np.asarray(experiment), np.asarray(control)))
        return float((wins.mean() + 1) / 2)
    if np.array_equal(control, experiment):
        return 1.0
    below, above = float(np.mean(control)), float(np.mean(experiment))
    return above / below if below and above else nan


def _clean(values: Sequence[float], rule: Settings) -> list[float]:
    if rule.replace_nan:
        return [0.0 if isnan(value) else value for value in values]
    return [value for value in values if not isnan(value)]


def _shifted(control: Sequence[float], experiment: Sequence[float], rule: Settings) -> str:
    """Compare the interval of the shift with a band that grows with the shift itself."""
    found = shift(experiment, control, rule.confidence)
    band = rule.tolerance * abs(found.estimate)
    if found.low > band:
        return "High"
    return "Low" if found.high < -band else "Pass"


def _unequal(control: Sequence[float], experiment: Sequence[float]) -> str:
    below, above = float(np.mean(control)), float(np.mean(experiment))
    return "Pass" if below == above else ("High" if above > below else "Low")


def _past(label: str, found: float, limits: tuple[float, float]) -> bool:
    """Say whether an effect is past its limit; one that cannot be measured is let through."""
    if isnan(found) or label == "Pass":
        return True
    return found >= limits[1] if label == "High" else found <= limits[0]
