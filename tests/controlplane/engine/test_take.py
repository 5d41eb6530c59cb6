"""What a start makes due is taken in its own transaction by the engine of the same process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, select

from controlplane.engine.jobs import Jobs
from controlplane.engine.loop import Engine, Limits
from controlplane.sandbox.scripted import succeed
from controlplane.store import action_types, executions
from controlplane.store.tables import ActionExecution, table
from monitors.base import Progress, Task
from tests.support.house import ANNE, KEYS, House, deploying, pipeline, source

NEVER = 3600.0
"""Seconds between two looks of an engine that nobody wakes."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.apply(pipeline(source(), deploying("Prod")))
    yield house
    house.database.close()


@contextmanager
def working(house: House, limits: Limits) -> Iterator[Engine]:
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    engine = Engine(house.database, house.structures, drivers, house.clock, limits)
    house.commands.engine = engine
    thread = threading.Thread(target=engine.run)
    thread.start()
    ran = threading.Event()
    while not engine.last_turn:
        ran.wait(0.01)
    try:
        yield engine
    finally:
        engine.stop()
        thread.join(30)


def held(house: House) -> list[tuple[str | None, str, int, int]]:
    rows = table(ActionExecution).c
    with house.database.read() as connection:
        found = connection.execute(select(rows.owner, rows.status, rows.fence, rows.starts))
        return [tuple(row) for row in found]


def test_the_intent_to_call_is_committed_with_the_start_itself(house: House) -> None:
    called, go_on = threading.Event(), threading.Event()

    def slow(task: Task, asked: int) -> Progress:
        called.set()
        assert go_on.wait(30)
        return succeed(task, asked)

    house.drivers["S3"].default = slow
    with working(house, Limits(idle=NEVER)) as engine:
        turns = engine.moves
        house.commands.start("shop", ANNE)
        assert held(house) == [(engine.owner, "Starting", 1, 1)]
        assert engine.moves == turns, "no turn claimed it"
        assert called.wait(30)
        go_on.set()


def test_where_the_lane_is_full_it_waits_its_turn_and_others_may_take_it(house: House) -> None:
    with working(house, Limits(batch=0, idle=NEVER)):
        house.commands.start("shop", ANNE)
        assert held(house) == [(None, "Ready", 0, 0)]


def test_an_engine_that_does_not_run_takes_nothing(house: House) -> None:
    house.commands.engine = house.engine
    house.commands.start("shop", ANNE)
    assert held(house) == [(None, "Ready", 0, 0)]


def test_what_a_worker_is_to_do_is_on_record_with_the_start(house: House) -> None:
    kind = {"category": "Source", "owner": "Custom", "provider": "Depot", "version": "1"}
    id_ = ("Source", "Custom", "Depot", "1")
    worker = {"executor": {"type": "JobWorker"}, "properties": [], "urls": {}}
    with house.database.begin() as connection:
        action_types.add(connection, id_, {**worker, "inputs": [0, 0], "outputs": [0, 1]}, 0.0)
    fetch = {"name": "Source", "actions": [{"name": "Fetch", "actionTypeId": kind}]}
    house.apply(pipeline(fetch, deploying("Prod"), name="depot"))
    with working(house, Limits(idle=NEVER)):
        house.commands.start("depot", ANNE)
        handed_out = Jobs(house.database, house.structures, house._now).poll("/".join(id_), 1, {})
        assert len(handed_out) == 1


def test_a_start_is_granted_though_what_it_took_cannot_be_called(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")

    with working(house, Limits(idle=NEVER)) as engine:
        monkeypatch.setattr(engine, "_call", broken)
        execution = house.commands.start("shop", ANNE)
        assert house.execution(execution).status == "InProgress"
        monkeypatch.undo()


def test_a_start_asks_for_nothing_twice(house: House) -> None:
    house.apply(
        pipeline(source(), deploying("Prod"), mode="PARALLEL")
    )  # nobody waits for the first
    me, said = threading.get_ident(), []
    with working(house, Limits(idle=NEVER)):
        house.commands.start("shop", ANNE)  # reads what is parsed once

        def noted(_connection: object, _cursor: object, sql: str, *_more: object) -> None:
            if threading.get_ident() == me:
                said.append(" ".join(sql.split()[:2]))

        event.listen(house.database.engine, "before_cursor_execute", noted)
        house.commands.start("shop", ANNE)
        event.remove(house.database.engine, "before_cursor_execute", noted)
    reads = [one for one in said if one.startswith("SELECT")]
    assert len(reads) == 4, "its version, who waits at the way in, the last row, the last decision"


def test_who_enters_is_known_as_well_as_a_claim_would_know_him(house: House) -> None:
    house.commands.disable_transition("shop", "Source", ANNE, reason="r")
    house.commands.start("shop", ANNE)
    with house.database.read() as connection:
        [waits] = executions.inbound(connection, "shop", "Source")
        [known] = executions.in_stages(connection, [waits.stage_id]).values()
    assert known._asdict().items() <= waits._asdict().items()
