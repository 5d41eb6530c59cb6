"""A drill is asked for and read by the REST door."""

from pathlib import Path

import pytest

from controlplane.store.roles import Role
from tests.support.doors import Doors
from tests.support.house import deploying, pipeline, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    doors = Doors(tmp_path)
    stages = [deploying("Dev"), deploying("Prod")]
    for stage in stages:
        rule = stage["onSuccess"]["conditions"][0]["rules"][0]
        rule["configuration"]["Account"] = stage["name"].lower()
    doors.house.apply(pipeline(source(), *stages))
    doors.house.start()
    doors.house.wait(40)
    return doors


def test_a_release_manager_starts_one_and_whoever_may_read_sees_it(doors: Doors) -> None:
    address = "/api/v1/pipelines/shop/stages/Dev/drill"
    answer = doors.client(Role.RELEASE_MANAGER).post(address)
    assert answer.status_code == 202
    (drill,) = doors.client(Role.VIEWER).get("/api/v1/pipelines/shop/drills").json()
    assert (drill["executionId"], drill["state"]) == (answer.json()["id"], "deploying")
    assert drill["seconds"] == {} and drill["by"] == "release-manager (api)"
    assert doors.client().post(address).status_code == 409


def test_production_is_refused_with_the_reason(doors: Doors) -> None:
    answer = doors.client().post("/api/v1/pipelines/shop/stages/Prod/drill")
    assert answer.status_code == 422
    assert "outside production" in answer.json()["detail"]
