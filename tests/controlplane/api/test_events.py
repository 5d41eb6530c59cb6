"""Events by the REST door, at once and by waiting."""

import threading
import time
from pathlib import Path

import httpx
import pytest

from controlplane.api.changes import Changes
from controlplane.engine.refusals import Person
from tests.support.doors import Doors, served
from tests.support.house import deploying, pipeline, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def test_events_come_in_order_after_an_id(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    every = doors.client().get("/api/v1/events").json()
    kinds = [event["kind"] for event in every["events"]]
    assert kinds[0] == "pipeline.applied" and kinds[-1] == "approval.needed"
    rest = doors.client().get("/api/v1/events", params={"after": 1, "execution": execution})
    assert [e["id"] for e in rest.json()["events"]] == [e["id"] for e in every["events"][1:]]
    assert every["last"] == every["events"][-1]["id"]


def test_a_client_that_waits_hears_of_the_next_event(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod")))
    with served(doors.app) as url:
        starting = threading.Timer(0.3, doors.house.commands.start, ("shop", Person("anne", "api")))
        starting.start()
        began = time.monotonic()
        headers = dict(doors.client().headers)
        asked = {"after": doors.events(), "wait": 15}
        answer = httpx.get(f"{url}/api/v1/events", params=asked, headers=headers, timeout=20)
        starting.join()
    assert answer.json()["events"][0]["kind"] == "execution.started"
    assert 0.2 < time.monotonic() - began < 5


def test_waiting_ends_with_nothing_to_tell(doors: Doors) -> None:
    answer = doors.client().get("/api/v1/events", params={"after": 7, "wait": 0.3})
    assert answer.json() == {"events": [], "last": 7}


@pytest.mark.parametrize("wait", ["21", "-1", "nan", "inf"])
def test_nobody_waits_for_ever(doors: Doors, wait: str) -> None:
    assert doors.client().get("/api/v1/events", params={"wait": wait}).status_code == 422


def test_one_waiter_too_many_is_asked_to_come_back(doors: Doors) -> None:
    doors.app.state.changes = Changes(lambda: 0, most=0)
    answer = doors.client().get("/api/v1/events", params={"wait": 5})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
