"""Several engines on one database: nothing falls between two of them, and no two do one thing."""

import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from controlplane.clock import system_clock
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.refusals import CommandError
from controlplane.sandbox.scripted import Scripted, after
from controlplane.store import audit, ledger, locks, queries
from monitors.base import Outcome
from tests.support.house import ANNE, BAD, KEYS, House, action, pipeline, source
from tests.support.postgres import Cluster

REPLICAS = 3
SMALL = Limits(batch=3, idle=0.02)


@pytest.fixture
def house(tmp_path: Path, postgres: Cluster) -> Iterator[House]:
    house = House(tmp_path, postgres.furnished())
    house.clock = system_clock  # type: ignore[assignment]
    house.drivers["NoOp"] = Scripted(inline=True)
    yield house
    house.database.close()


def run(house: House, until: threading.Event) -> None:
    """Three engines at once, until somebody says that it is enough."""
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    engines = [
        Engine(house.database, house.structures, drivers, system_clock, SMALL)
        for _ in range(REPLICAS)
    ]
    threads = [threading.Thread(target=engine.run) for engine in engines]
    for thread in threads:
        thread.start()
    until.wait(60)
    for engine in engines:
        engine.stop()
    for thread in threads:
        thread.join(30)


def until_over(house: House, how_many: int) -> threading.Event:
    """Set once so many executions are over."""
    over = threading.Event()

    def look() -> None:
        for _ in range(600):
            rows = house.rows()
            if sum(row.status != "InProgress" for row in rows) >= how_many or over.wait(0.1):
                break
        over.set()

    threading.Thread(target=look, daemon=True).start()
    return over


def test_parallel_actions_of_one_stage_end_on_different_replicas_and_it_goes_on(
    house: House,
) -> None:
    stages = [
        {"name": f"S{n}", "actions": [action(f"a{i}", "NoOp") for i in range(5)]} for n in range(3)
    ]
    house.apply(pipeline(source(), *stages, mode="PARALLEL"))
    for _ in range(20):
        house.commands.start("shop", ANNE)
    run(house, until_over(house, 20))
    assert Counter(row.status for row in house.rows()) == {"Succeeded": 20}
    assert len(house.drivers["NoOp"].started) == 20 * 3 * 5


def test_whoever_waits_in_front_of_a_stage_is_let_in_by_whichever_replica_makes_room(
    house: House,
) -> None:
    stages = [{"name": f"S{n}", "actions": [action("a", "NoOp")]} for n in range(3)]
    house.apply(pipeline(source(), *stages, mode="QUEUED"))
    for _ in range(20):
        house.commands.start("shop", ANNE)
    run(house, until_over(house, 20))
    assert Counter(row.status for row in house.rows()) == {"Succeeded": 20}


def someone_waits(house: House) -> bool:
    """True once a session waits for a lock that another holds."""
    for _ in range(100):
        with house.database.read() as connection:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            if connection.exec_driver_sql(waiting).scalar_one():
                return True
        threading.Event().wait(0.05)
    return False


@pytest.fixture
def two_stages(house: House) -> House:
    house.apply(pipeline(source(), {"name": "S", "actions": [action("a", "NoOp")]}))
    return house


def test_who_arrives_waits_for_the_replica_that_lets_in_at_the_same_stage(
    two_stages: House,
) -> None:
    arriving = threading.Thread(target=two_stages.commands.start, args=("shop", ANNE))
    with two_stages.database.begin() as another:
        locks.ways_in(another, [("shop", "Source", False)])
        arriving.start()
        assert someone_waits(two_stages)
    arriving.join(10)
    assert two_stages.stages(two_stages.rows()[0].id) == {"Source": "InProgress"}


def test_events_are_numbered_in_the_order_in_which_they_commit(two_stages: House) -> None:
    telling = threading.Thread(target=two_stages.commands.start, args=("shop", ANNE))
    with two_stages.database.begin() as another:
        locks.order_of_events(another)
        telling.start()
        assert someone_waits(two_stages), "or a reader could miss the lower number"
    telling.join(10)
    assert "execution.started" in two_stages.kinds()


def test_a_person_waits_for_the_replica_that_moves_the_execution(two_stages: House) -> None:
    execution = two_stages.commands.start("shop", ANNE)
    stop = partial(two_stages.commands.stop, execution, ANNE, abandon=True, reason="r")
    stopping = threading.Thread(target=stop)
    with two_stages.database.begin() as another:
        locks.stages(another, [f"{execution}:0:1"])
        stopping.start()
        assert someone_waits(two_stages)
    stopping.join(10)
    assert two_stages.execution(execution).status == "Stopped"


def test_a_retry_looks_who_is_newer_only_once_nobody_else_goes_in(two_stages: House) -> None:
    two_stages.drivers["S3"].default = after(0, Outcome.FAILED)
    execution = two_stages.start()
    retry = partial(two_stages.commands.retry, execution, "Source", ANNE, all_actions=False)
    retrying = threading.Thread(target=retry)
    with two_stages.database.begin() as another:
        locks.ways_in(another, [("shop", "Source", False)])
        retrying.start()
        assert someone_waits(two_stages)
    retrying.join(10)
    assert two_stages.execution(execution).status == "InProgress"


def test_of_two_who_lift_a_quarantine_at_once_one_is_told_that_it_is_gone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = {"pipeline": "shop", "execution_id": "e", "reason": "bad", "lifted_by": ""}
    with house.database.begin() as connection:
        ledger.put_in_quarantine(connection, {"digest": BAD, **why, "lift_reason": "", "at": 0.0})
    both, read = threading.Barrier(2), queries.quarantine_of

    def seen_by_both(connection: Connection, digest: str) -> Any:
        found = read(connection, digest)
        both.wait(10)
        return found

    monkeypatch.setattr(queries, "quarantine_of", seen_by_both)
    refused: list[str] = []

    def lift() -> None:
        try:
            house.commands.lift_quarantine(BAD, ANNE, reason="it was the alarm")
        except CommandError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=lift) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert refused == [f"{BAD} is not in quarantine"]
    with house.database.read() as connection:
        (told,) = audit.entries(connection)
    assert told["kind"] == "digest.released"
