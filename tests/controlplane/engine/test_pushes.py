"""A deployment that tells of its end is looked at at once; what it tells is not believed."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.actions.base import WorkEvent
from controlplane.engine.pushes import Pushes
from controlplane.sandbox.scripted import Script
from monitors.base import Outcome, Progress, Task
from tests.support.house import House, action, pipeline

REGION = "eu-west-1"


class Way:
    """A deployment to prod that is looked at once a minute, and the door for events."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.ended = False
        self.house.drivers["CodeDeploy"].default = self._script()
        self.pushes = Pushes(self.house.database, self.house.structures, self.house._now)
        deploy = action("Deploy", "CodeDeploy", configuration={"Account": "prod"}, region=REGION)
        self.house.apply(pipeline({"name": "Prod", "actions": [deploy]}))
        self.execution = self.house.start()
        self.house.wait(2)

    def _script(self) -> Script:
        def script(_task: Task, _asked: int) -> Progress:
            if self.ended:
                return Progress(Outcome.SUCCEEDED, "d-1")
            return Progress(Outcome.RUNNING, "d-1", look_after=timedelta(seconds=60))

        return script

    @property
    def looks(self) -> int:
        return sum(self.house.drivers["CodeDeploy"].asked.values())

    @property
    def status(self) -> str:
        return str(self.house.execution(self.execution).status)

    def tell(self, account: str = "prod", region: str = REGION, handle: str = "d-1") -> int:
        woken = self.pushes.take(WorkEvent(account, region, handle, "r"))
        self.house.settle()
        return woken


@pytest.fixture
def way(tmp_path: Path) -> Way:
    return Way(tmp_path)


def test_the_end_is_seen_at_once(way: Way) -> None:
    way.ended = True
    assert (way.status, way.tell(), way.status) == ("InProgress", 1, "Succeeded")


def test_who_sleeps_until_something_is_due_is_woken(way: Way) -> None:
    woken: list[str] = []
    way.house.database.on_wake(lambda: woken.append("woken"))
    way.pushes.take(WorkEvent("prod", REGION, "d-1", "r"))
    assert woken == ["woken"]


def test_an_end_that_is_not_true_costs_a_look_and_changes_nothing(way: Way) -> None:
    looks = way.looks
    way.tell()
    assert (way.looks, way.status) == (looks + 1, "InProgress")


def test_an_event_that_comes_again_or_too_late_is_harmless(way: Way) -> None:
    way.ended = True
    way.tell()
    looks = way.looks
    assert [way.tell(), way.tell()] == [0, 0]
    assert (way.looks, way.status) == (looks, "Succeeded")


STRANGE: dict[str, Callable[[Way], int]] = {
    "account": lambda way: way.tell(account="test"),
    "region": lambda way: way.tell(region="us-east-1"),
    "deployment": lambda way: way.tell(handle="d-2"),
}


@pytest.mark.parametrize("other", STRANGE)
def test_what_another_place_tells_wakes_nobody_here(way: Way, other: str) -> None:
    looks = way.looks
    assert STRANGE[other](way) == 0
    assert way.looks == looks


def test_an_end_that_is_told_while_it_is_looked_at_leads_to_another_look(way: Way) -> None:
    looks = way.looks

    def script(_task: Task, _asked: int) -> Progress:
        if way.looks == looks + 1:  # told while this look is under way
            way.pushes.take(WorkEvent("prod", REGION, "d-1", "r"))
            return Progress(Outcome.RUNNING, "d-1", look_after=timedelta(seconds=60))
        return Progress(Outcome.SUCCEEDED, "d-1")

    way.house.drivers["CodeDeploy"].default = script
    way.tell()
    assert way.status == "Succeeded"
