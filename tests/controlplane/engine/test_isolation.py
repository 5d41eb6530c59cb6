"""One bad driver, row or answer harms itself alone; the engine's thread outlives the database's bad day."""

import contextlib
import threading
from concurrent.futures import Future
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import DataError

from controlplane.engine.loop import Engine, Limits
from controlplane.sandbox.scripted import AtOnce, after
from controlplane.sandbox.simulation.replica import SkewedClock, Waiting
from controlplane.store import queries
from controlplane.store.tables import ArtifactRow, table
from monitors.base import Outcome, Progress, Task
from tests.support.house import ANNE, KEYS, House, action, deploying, pipeline, source


@pytest.fixture
def house(empty: House) -> House:
    house = empty
    checks = [action("Good", "NoOp"), action("Odd", "NoOp")]
    house.apply(pipeline(source(), {"name": "Test", "actions": checks}))
    return house


def states(house: House, execution: str) -> dict[str, str]:
    with house.database.read() as connection:
        rows = queries.actions_of_execution(connection, execution)
    return {row.name: row.status for row in rows}


def odd(output: Any) -> Any:
    """Runs for a look, then answers what no driver should."""

    def script(task: Task, asked: int) -> Any:
        return after(1)(task, 0) if not asked else output

    return script


@pytest.mark.parametrize(
    "answer",
    [Progress(Outcome.SUCCEEDED, output={"a": object()}), "done", Progress("?")],  # type: ignore[dict-item, arg-type]
)
def test_an_answer_that_cannot_be_read_fails_its_own_action_in_the_end(
    house: House, answer: Any
) -> None:
    house.drivers["NoOp"].scripts = {"Good": after(1), "Odd": odd(answer)}
    execution = house.start()
    house.wait(7)
    assert states(house, execution)["Good"] == "Succeeded"
    house.wait(60)
    assert "in the driver of NoOp" in house.execution(execution).reason


def test_what_half_a_character_says_is_written_all_the_same(house: House) -> None:
    house.drivers["NoOp"].scripts["Odd"] = after(0, Outcome.FAILED, "exit \ud800\0 1")
    assert house.execution(house.start()).reason == "Test: exit ? 1"


def test_an_outcome_that_cannot_be_written_does_not_take_others_with_it(house: House) -> None:
    unwritable = Progress(Outcome.SUCCEEDED, handle="\ud800")
    house.drivers["NoOp"].scripts["Odd"] = lambda _task, _asked: unwritable
    execution = house.commands.start("shop", ANNE)
    for _ in range(20):
        turn(house)
    assert states(house, execution) == {
        "Upload": "Succeeded",
        "Good": "Succeeded",
        "Odd": "Starting",
    }


def turn(house: House) -> None:
    """As the engine's thread does: a turn that fails is followed by the next."""
    with contextlib.suppress(UnicodeEncodeError, DataError):
        house.engine.turn()


def test_a_row_of_which_no_task_can_be_made_does_not_stop_the_engine(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod")))
    house.commands.disable_transition("shop", "Prod", ANNE, reason="wait")
    broken = house.start()
    with house.database.begin() as connection:
        connection.execute(update(table(ArtifactRow)).values(document="[]"))
    house.commands.enable_transition("shop", "Prod", ANNE, reason="go")
    house.settle()
    assert states(house, broken)["Deploy"] == "Starting"
    house.apply(pipeline(source("Other"), name="other"))
    assert house.execution(house.start("other")).status == "Succeeded"


def blinded(house: House) -> str:
    """A release bakes, and is watched by a replica that has no driver for its rule."""
    house.apply(pipeline(source(), deploying("Prod", Watch="1h")))
    execution = house.start()
    del house.drivers["CloudWatchAlarm"]
    return execution


def test_a_rule_that_has_no_driver_holds_the_bake_and_says_nothing_of_the_release(
    house: House,
) -> None:
    execution = blinded(house)
    house.engine = house.new_engine()
    house.wait(40)
    assert house.stages(execution)["Prod"] == "Baking"
    assert "stage.held" in house.kinds(execution) and "person.paged" in house.kinds(execution)


def test_a_watch_that_has_no_driver_is_no_watch_that_is_over(house: House) -> None:
    execution = blinded(house)
    house.wait(20)
    house.engine = house.new_engine()
    house.wait(300, step=10)
    assert "watch.held" in house.kinds(execution)
    assert "watch.ended" not in house.kinds(execution)


def test_the_engines_thread_outlives_a_database_that_cannot_be_read(house: House) -> None:
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    limits = Limits(idle=0.01)
    engine = Engine(house.database, house.structures, drivers, house.clock, limits, (AtOnce(),) * 2)
    trouble = threading.Event()

    @event.listens_for(house.database.engine, "before_cursor_execute")
    def fail(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "SELECT min(" in statement and not trouble.is_set():
            trouble.set()
            raise OSError("disk I/O error")

    thread = threading.Thread(target=engine.run)
    thread.start()
    assert trouble.wait(5)
    execution = house.commands.start("shop", ANNE)
    for _ in range(500):
        if house.execution(execution).status == "Succeeded":
            break
        threading.Event().wait(0.01)
    engine.stop()
    thread.join(10)
    assert house.execution(execution).status == "Succeeded"


class Stuck(AtOnce):
    """Calls that have not ended yet."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting.append((fn, args, kwargs))
        return Future()


def test_what_is_still_called_after_the_machine_slept_is_not_called_twice(house: House) -> None:
    house.start()
    stuck = Stuck()
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    house.commands.start("shop", ANNE)
    engine = Engine(
        house.database, house.structures, drivers, house.clock, Limits(), (AtOnce(), stuck)
    )
    engine.turn()
    house.clock.advance(600)
    engine.turn()
    assert len(stuck.waiting) == 1


def test_a_full_lane_is_slept_on_until_a_call_ends(house: House) -> None:
    stuck = Stuck()
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    limits = Limits(batch=1)
    engine = Engine(
        house.database, house.structures, drivers, house.clock, limits, (AtOnce(), stuck)
    )
    house.commands.start("shop", ANNE)
    house.commands.start("shop", ANNE)
    engine.turn()
    assert engine._nap() == limits.idle


def test_a_verdict_is_as_old_as_its_look_not_as_its_commit(house: House) -> None:
    house.apply(pipeline(source(), deploying("Prod", bake="30s")))
    first = house.start()
    house.wait(5)
    house.clock.advance(5)
    house.engine.turn()  # looks while it bakes,
    house.clock.advance(40)  # and stands still until the bake's time is over
    house.engine.turn()
    assert house.stages(first)["Prod"] == "Baking"
    house.wait(10)
    assert house.stages(first)["Prod"] == "Succeeded"


def test_a_call_that_waited_for_longer_than_its_lease_is_not_made(empty: House) -> None:
    house, late, clock = empty, Waiting(), SkewedClock(empty.clock)
    house.apply(pipeline(source(), deploying("Prod")))
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    zombie = Engine(house.database, house.structures, drivers, clock, pools=(late, late))
    zombie.tick = lambda: house.clock().timestamp()
    house.commands.start("shop", ANNE)
    zombie.turn()  # claims the source, whose call is not made yet
    house.clock.advance(Limits().lease + 1)
    clock.wrong = -600  # and its clock jumps back
    assert late.run(1) == 1
    assert not house.drivers["S3"].started
    house.settle()
    assert len(house.drivers["S3"].started) == 1
