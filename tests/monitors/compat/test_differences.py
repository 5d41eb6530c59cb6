"""Our own judge on their vectors: it says what theirs does, or the table says why not."""

from math import nan
from typing import Any

import pytest

from monitors.base import MonitorError, Series, Verdict
from monitors.judge import rule
from tests.monitors.compat.differences import DIFFERENCES
from tests.support.watched import NOW, recorded, series

MEANT = {
    "Pass": Verdict.PASS,
    "High": Verdict.FAIL,
    "Low": Verdict.FAIL,
    "Nodata": Verdict.NO_DATA,
    None: Verdict.NO_DATA,
}
OURS = {(one.judge, one.vector): one.ours for one in DIFFERENCES}
CLASSIFIER: list[dict[str, Any]] = recorded("series/kayenta/classifier_vectors.json")
LIMIT = {"Query": "success_rate", "Threshold": "0.9", "Comparison": "LessThanThreshold"}
SITUATIONS: dict[str, Series | MonitorError] = {
    "TestAssessMetricStatusNoMeasurements (terminating)": Series(),
    "TestAssessMetricStatusConsecutiveErrors": MonitorError("no route to the metrics"),
    "TestProcessNaNResponse (one condition)": series(nan),
}


def test_the_table_names_only_vectors_that_there_are() -> None:
    known = {one["name"] for one in CLASSIFIER} | set(SITUATIONS)
    assert {one.vector for one in DIFFERENCES} <= known


@pytest.mark.parametrize("one", CLASSIFIER, ids=lambda one: one["name"])
def test_a_canary_is_judged_as_theirs_or_the_table_says_why_not(one: dict[str, Any]) -> None:
    direction = one["settings"]["direction"].lower()
    made = rule({"Query": "new", "Control": "old", "Test": "rank", "Direction": direction})
    read = {
        "before": Series(),
        "control before": Series(),
        "after": series(*one["experiment"]),
        "control after": series(*one["control"]),
    }
    found = made.judge(read, NOW).verdict
    meant = MEANT[one["expected"].get("classification")]
    assert found == OURS.get(("Kayenta", one["name"]), meant)
    assert (found is meant) is (("Kayenta", one["name"]) not in OURS)


@pytest.mark.parametrize("vector", SITUATIONS)
def test_argos_situations_have_our_verdict(vector: str) -> None:
    read: dict[str, Series | MonitorError] = {"before": Series(), "after": SITUATIONS[vector]}
    assert rule(LIMIT).judge(read, NOW).verdict == OURS["Argo", vector]
