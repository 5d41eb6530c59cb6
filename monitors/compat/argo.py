"""Argo Rollouts' analysis: measurement to phase, metric to phase, run to phase, and when to look. Pure.

Restated from its documentation and what its tests expect:
https://argo-rollouts.readthedocs.io/en/stable/features/analysis/
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from monitors.compat.expressions import ExpressionError, evaluate

ORDER = ("Successful", "Running", "Pending", "Inconclusive", "Error", "Failed")
"""The worst last."""
ENDED = ("Successful", "Inconclusive", "Error", "Failed")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
ERRORS = 4
AGAIN = timedelta(seconds=10)


class Measured(NamedTuple):
    """A measurement's phase, and what was wrong with it."""

    phase: str
    message: str = ""


def measure(result: Any, success: str = "", failure: str = "") -> Measured:
    """Turn a result into a phase by the conditions; an expression that fails is an Error."""
    holds: dict[str, bool] = {}
    for name, expression in (("successCondition", success), ("failureCondition", failure)):
        try:
            holds[name] = evaluate(expression, result) if expression else name[0] == "s"
        except ExpressionError as error:
            why = "metric result is nil or empty: " if result in (None, [], {}) else ""
            return Measured("Error", f"{why}could not evaluate {name}: {error}")
    if failure and holds["failureCondition"]:
        return Measured("Failed")
    if holds["successCondition"]:
        return Measured("Successful")
    return Measured("Inconclusive" if failure else "Failed")


def assess(
    metric: Mapping[str, Any],
    result: Mapping[str, int],
    measurements: Sequence[Mapping[str, Any]],
    *,
    terminating: bool,
) -> str:
    """Answer a metric's phase by its counters and limits."""
    if not measurements:
        return "Successful" if terminating else "Pending"
    last = measurements[-1]
    if not last.get("finished") and last.get("phase") not in {"Failed", "Inconclusive", "Error"}:
        return "Running"
    broken = limits(metric, result)
    if broken:
        return broken[0]
    wanted = metric.get("consecutiveSuccessLimit", 0)
    if wanted and result.get("consecutiveSuccess", 0) >= wanted:
        return "Successful"
    count = metric.get("count") or (0 if metric.get("interval") else 1)
    if count and result.get("count", 0) >= count:
        return _counted(metric, last)
    return "Successful" if terminating else "Running"


def limits(metric: Mapping[str, Any], result: Mapping[str, int]) -> tuple[str, str] | None:
    """Answer the phase of the limit that is exceeded, and the sentence; later limits override."""
    found = None
    for phase, counter, limit, usual in (
        ("Failed", "failed", "failureLimit", 0),
        ("Inconclusive", "inconclusive", "inconclusiveLimit", 0),
        ("Error", "consecutiveError", "consecutiveErrorLimit", ERRORS),
    ):
        allowed, seen = metric.get(limit, usual), result.get(counter, 0)
        if allowed >= 0 and seen > allowed:
            found = phase, f"assessed {phase} due to {counter} ({seen}) > {limit} ({allowed})"
    return found


def _counted(metric: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    """Say what a metric that was measured often enough is."""
    if metric.get("consecutiveSuccessLimit"):
        return "Inconclusive" if metric.get("failureLimit", 0) >= 0 else "Failed"
    return "Inconclusive" if last.get("phase") == "Inconclusive" else "Successful"


def worse(current: str, new: str) -> bool:
    """Say whether a phase is worse than another."""
    return ORDER.index(new) > ORDER.index(current)


def worst(phases: Sequence[str]) -> str:
    """Answer the worst of some phases."""
    return max(phases, key=ORDER.index)


def run(metrics: Sequence[Mapping[str, Any]], *, dry: bool = False) -> tuple[str, str]:
    """Answer a run's phase and why; dry: its metrics are told and do not count."""
    if dry:
        return "Successful", ""
    phase = worst([one["phase"] for one in metrics])
    for one in metrics:
        broken = limits({}, one)
        if one["phase"] == phase and broken:
            said = f': "Error Message: {one["message"]}"' if one.get("message") else ""
            return phase, f'Metric "{one["name"]}" {broken[1]}{said}'
    return phase, ""


def look_again(
    metrics: Sequence[Mapping[str, Any]], started_ago: float | None = None
) -> float | None:
    """Answer in how many seconds some metric is due to be measured; None where none ever is."""
    due = [_due(one, started_ago or 0.0) for one in metrics if one.get("phase") not in ENDED]
    known = [seconds for seconds in due if seconds is not None]
    return min(known) if known else None


def _due(metric: Mapping[str, Any], started_ago: float) -> float | None:
    if "resume_in_seconds" in metric:
        return float(metric["resume_in_seconds"])
    if metric.get("measurements") == 0:
        delay = _seconds(metric.get("initialDelay", "0s"))
        return None if delay is None else delay - started_ago
    interval = _seconds(metric.get("interval", ""))
    if interval is None:
        return None
    return float(
        interval - metric.get("finished_seconds_ago", metric.get("started_seconds_ago", 0))
    )


def _seconds(text: str) -> float | None:
    found = re.fullmatch(r"([0-9]{1,7})([smh])", text)
    return timedelta(**{UNITS[found[2]]: int(found[1])}).total_seconds() if found else None
