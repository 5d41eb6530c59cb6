"""A drain finishes what is being called, and keeps it while that lasts."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.engine.loop import Engine, Limits
from controlplane.sandbox.scripted import succeed
from controlplane.store import actions
from monitors.base import Progress, Task
from tests.support.house import ANNE, KEYS, House, deploying, pipeline, source


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.apply(pipeline(source(), deploying("Prod")))
    yield house
    house.database.close()


def due_at(house: House) -> float:
    with house.database.read() as connection:
        return actions.next_due(connection) or 0.0


def test_a_call_that_lasts_longer_than_a_lease_is_kept_and_its_outcome_written(
    house: House,
) -> None:
    called, nap, go_on = threading.Event(), threading.Event(), threading.Event()

    def slow(task: Task, asked: int) -> Progress:
        called.set()
        assert go_on.wait(30)
        return succeed(task, asked)

    house.drivers["S3"].default = slow
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    limits = Limits(lease=0.3, idle=0.01)
    engine = Engine(house.database, house.structures, drivers, house.clock, limits)
    thread = threading.Thread(target=engine.run)
    thread.start()
    execution = house.commands.start("shop", ANNE)
    assert called.wait(30)
    engine.stop()
    before = due_at(house)
    house.clock.advance(60)
    while due_at(house) == before and thread.is_alive():
        nap.wait(0.01)
    assert due_at(house) > before, "it is renewed while it is being called"
    go_on.set()
    thread.join(30)
    assert house.execution(execution).status == "InProgress"
    with house.database.read() as connection:
        assert actions.owners(connection) == []
