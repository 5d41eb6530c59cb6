"""Kayenta's own test vectors, through the layer that reads its settings."""

from math import nan
from typing import Any

import numpy as np
import pytest

from monitors.compat.kayenta import classify, effect, settings
from monitors.compat.kayenta_score import Metric, iqr_outliers, percentile, score, sigma_outliers
from monitors.compat.mann_whitney import diff, shift
from tests.support.watched import recorded

EDGE = 1.9599639845400536


def vectors(name: str) -> list[Any]:
    found: list[Any] = recorded(f"series/kayenta/{name}_vectors.json")
    return [pytest.param(one, id=one["name"]) for one in found]


def numbers(values: list[Any]) -> list[float]:
    return [nan if value == "NaN" else float(value) for value in values]


@pytest.mark.parametrize("one", vectors("classifier"))
def test_a_metric_is_classified_as_theirs(one: dict[str, Any]) -> None:
    rule, wanted = settings(one["settings"]), one["expected"]
    found = classify(numbers(one["control"]), numbers(one["experiment"]), rule)
    assert found.label == wanted.get("classification", found.label)
    assert found.critical is wanted.get("critical", found.critical)
    assert found.deviation == wanted.get("deviation", found.deviation) or "deviation" not in wanted
    assert found.reason


@pytest.mark.parametrize("one", vectors("mannwhitney"))
def test_the_shift_is_that_of_r(one: dict[str, Any]) -> None:
    x, y = numbers(one["experiment"]), numbers(one["control"])
    low, high = min(x) - max(y), max(x) - min(y)
    found = shift(x, y, one["settings"]["confidenceLevel"])
    known = {
        "mannWhitney.wilcoxonDiff(0, 0, x, y)": diff(0, 0, x, y),
        "mannWhitney.wilcoxonDiff(5, 0, x, y)": diff(5, 0, x, y),
        "muMin": low,
        "muMax": high,
        "zqLower": EDGE,
        "zqUpper": -EDGE,
        "fLower1": diff(low, EDGE, x, y),
        "fUpper1": diff(high, EDGE, x, y),
        "fLower2": diff(low, -EDGE, x, y),
        "fUpper2": diff(high, -EDGE, x, y),
    }
    known |= dict.fromkeys(("ciLower", "result.confidenceInterval.head"), found.low)
    known |= dict.fromkeys(("ciUpper", "result.confidenceInterval.last"), found.high)
    known |= dict.fromkeys(("estimate", "result.estimate"), found.estimate)
    for wanted in one["expected"]:
        close = pytest.approx(wanted["value"], abs=wanted["tolerance"])
        assert known[wanted["quantity"]] == close


@pytest.mark.parametrize("one", vectors("scorer"))
def test_the_score_is_theirs(one: dict[str, Any]) -> None:
    metrics = [
        Metric(told["classification"], tuple(told["groups"]), told["critical"])
        for told in one["metrics"]
    ]
    assert score(metrics, one["settings"]["groupWeights"]) == one["expected"]["summaryScore"]


@pytest.mark.parametrize("one", vectors("detector"))
def test_outliers_are_theirs(one: dict[str, Any]) -> None:
    reduced = one["settings"].get("reduceSensitivity", False)
    found = iqr_outliers(numbers(one["values"]), one["settings"]["factor"], reduced=reduced)
    assert found == one["expected"]["outlier"]


@pytest.mark.parametrize("one", vectors("transform"))
def test_outliers_are_taken_out_as_theirs(one: dict[str, Any]) -> None:
    values, factor = numbers(one["values"]), one["settings"]["parameter"]
    quartiles = one["settings"]["detector"] == "IQRDetector"
    flags = iqr_outliers(values, factor) if quartiles else sigma_outliers(values, factor)
    kept = [value for value, far in zip(values, flags, strict=True) if not far]
    assert kept == one["expected"]["values"]


@pytest.mark.parametrize("one", vectors("statistic"))
def test_statistics_are_theirs(one: dict[str, Any]) -> None:
    wanted = one["expected"]
    if "settings" in one:
        measured = effect(one["control"], one["experiment"], one["settings"]["measure"])
        known, wanted = {"value": measured}, {"value": wanted}
    else:
        values = one["values"]
        known = {
            "min": min(values),
            "max": max(values),
            "mean": float(np.mean(values)),
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
            "count": len(values),
            "percentile_100": percentile(values, 1.0),
        }
    for name, one_wanted in wanted.items():
        close = pytest.approx(one_wanted["value"], abs=max(one_wanted["tolerance"], 1e-12))
        assert known[name] == close
