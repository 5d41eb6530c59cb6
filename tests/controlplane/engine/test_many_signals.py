"""Signals that judge together share the false alarms that one alone would be let through."""

from pathlib import Path
from typing import Any

import pytest

from controlplane.sandbox.scripted import judging
from monitors.base import Verdict
from tests.support.house import House, deploying, pipeline, source


def comparing(name: str, **said: str) -> dict[str, Any]:
    kind = {"owner": "Custom", "provider": "CloudWatchMetric"}
    configuration = {"MetricName": name, "Test": "rank", "BakeTime": "5s", "Interval": "1s", **said}
    return {"name": name, "ruleTypeId": kind, "configuration": configuration}


@pytest.mark.parametrize(
    ("others", "alpha"),
    [
        ([], None),
        ([comparing("B")], "0.005"),
        ([comparing("B"), comparing("C")], "0.00333333"),
        ([comparing("B", Critical="true")], None),
        ([comparing("B", Test="threshold", Threshold="1")], None),
    ],
)
def test_the_more_may_be_wrong_by_chance_the_less_each_of_them_may(
    tmp_path: Path, others: list[dict[str, Any]], alpha: str | None
) -> None:
    house, stage = House(tmp_path), deploying("Prod")
    stage["onSuccess"]["conditions"][0]["rules"] = [comparing("A"), *others]
    house.apply(pipeline(source(), stage))
    driver = house.drivers["CloudWatchMetric"]
    driver.default = judging(Verdict.PASS)
    house.start()
    house.wait(3)
    asked = {task.action: task.configuration.get("Alpha") for task in driver.started}
    assert asked["A"] == alpha
