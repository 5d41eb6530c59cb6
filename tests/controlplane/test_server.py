"""What the doors do before they open."""

from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.engine.structures import Structures
from controlplane.server import warm
from controlplane.store.database import Database
from tests.support.doors import Doors
from tests.support.house import deploying, pipeline, source


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    doors = Doors(tmp_path)
    doors.house.apply(pipeline(source(), deploying("Prod")))
    doors.house.start()
    return doors


def test_the_first_request_finds_every_structure_parsed(doors: Doors) -> None:
    known: Structures = doors.house.structures
    known._kept.clear()
    warm(doors.app)
    assert ("shop", 1) in known._kept


def test_all_pipelines_are_gone_through_and_not_only_those_of_the_first_page(doors: Doors) -> None:
    gone_through: list[bool] = []

    def degraded() -> dict[str, str]:
        gone_through.append(True)
        return doors.health.degraded()

    doors.app.state.parts = replace(doors.parts(), degraded=degraded)
    warm(doors.app)
    assert gone_through


def test_doors_open_though_the_database_ails_and_say_so(doors: Doors) -> None:
    database: Database = doors.house.database
    with database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE pipeline")
    warm(doors.app)
    assert "no such table: pipeline" in doors.client().get("/readyz").json()["problems"]["database"]
