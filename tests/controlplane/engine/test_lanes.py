"""A place whose endpoint hangs holds one thread; other places and the rollback's lane go on."""

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from controlplane.engine import calls
from controlplane.engine import lanes as module
from controlplane.engine.lanes import Lanes
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.tasks import Job
from controlplane.sandbox.scripted import after, succeed
from monitors.base import Progress, Task
from tests.support.house import ANNE, KEYS, House, action, pipeline

PROD, TEST = ("CodeDeploy", "prod"), ("CodeDeploy", "test")
LONG = 10
NOTHING: Any = None


class Held(Executor):
    """Runs what was submitted when it is told to, in order."""

    def __init__(self) -> None:
        self.submitted: list[Any] = []

    def submit(self, fn: Any, /, *args: Any, **_: Any) -> Future[Any]:
        self.submitted.append((fn, args))
        return Future()

    def run(self) -> None:
        fn, args = self.submitted.pop(0)
        fn(*args)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def held(room: int = 80, threads: int = 1) -> tuple[Lanes, Held]:
    pool = Held()
    return Lanes((1, threads), room, lambda: None, (Held(), pool)), pool


def test_a_hung_place_holds_one_thread_however_much_waits_there(release: threading.Event) -> None:
    lanes, done = Lanes((1, 2), 80, lambda: None), threading.Event()
    for _ in range(20):
        lanes.submit(1, PROD, lambda: release.wait(LONG))
    lanes.submit(1, TEST, done.set)
    assert done.wait(LONG)
    release.set()
    lanes.close()


def test_rollback_goes_on_while_the_ordinary_lane_hangs(release: threading.Event) -> None:
    lanes, done = Lanes((1, 1), 80, lambda: None), threading.Event()
    lanes.submit(1, PROD, lambda: release.wait(LONG))
    lanes.submit(0, PROD, done.set)
    assert done.wait(LONG)
    release.set()
    lanes.close()


def test_the_calls_of_a_place_run_in_order_and_take_turns_with_others() -> None:
    lanes, pool = held()
    said: list[str] = []
    for where, word in ((PROD, "p1"), (PROD, "p2"), (TEST, "t1")):
        lanes.submit(1, where, lambda word=word: said.append(word))  # type: ignore[misc]
    while pool.submitted:
        pool.run()
    assert said == ["p1", "t1", "p2"]


def test_a_driver_may_let_several_run_side_by_side_in_a_place() -> None:
    lanes, pool = held(threads=16)
    for _ in range(5):
        lanes.submit(1, PROD, lambda: None, width=3)
    assert len(pool.submitted) == 3
    pool.run()
    assert len(pool.submitted) == 3, "the next one took its place"


def test_wide_places_that_hang_leave_half_of_the_threads_to_others() -> None:
    lanes, pool = held(threads=8)
    for place in range(4):
        for _ in range(9):
            lanes.submit(1, ("Stop", f"hangs-{place}"), lambda: None, width=4)
    assert len(pool.submitted) == 4 + 4
    lanes.submit(1, TEST, lambda: None, width=4)
    assert len(pool.submitted) == 9, "one of each place, and four beside them"


def test_spare_threads_come_back() -> None:
    lanes, pool = held(threads=8)
    for _ in range(3):
        for _ in range(9):
            lanes.submit(1, PROD, lambda: None, width=5)
        assert len(pool.submitted) == 5
        while pool.submitted:
            pool.run()
    assert (lanes._spare, lanes._places) == ([0, 4], {})


def test_one_place_takes_no_more_than_its_share_of_the_room() -> None:
    lanes, pool = held(room=80)
    for _ in range(50):
        lanes.submit(1, PROD, lambda: None)
    assert lanes.room(1) == 80 - 80 // module.SHARE
    while pool.submitted:
        pool.run()
    assert (lanes.room(1), lanes._places) == (80, {})


def test_a_full_place_takes_no_more_and_says_so() -> None:
    lanes, _ = held()
    taken = [lanes.submit(1, PROD, lambda: None) for _ in range(module.QUEUE + 2)]
    assert taken == [True] * (module.QUEUE + 1) + [False]
    assert lanes.submit(1, TEST, lambda: None)


def test_a_call_that_breaks_leaves_its_place_open() -> None:
    lanes, pool = held()

    def breaks() -> None:
        raise MemoryError

    lanes.submit(1, PROD, breaks)
    lanes.submit(1, PROD, lambda: None)
    with pytest.raises(MemoryError):
        pool.run()
    pool.run()
    assert lanes.room(1) == 80


def test_closing_waits_for_what_runs_and_drops_what_waits(release: threading.Event) -> None:
    lanes, begun, ran = Lanes((1, 1), 80, lambda: None), threading.Event(), list[str]()

    def first() -> None:
        begun.set()
        release.wait(LONG)
        ran.append("first")

    lanes.submit(1, PROD, first)
    lanes.submit(1, PROD, lambda: ran.append("second"))
    assert begun.wait(LONG)
    closing = threading.Thread(target=lanes.close)
    closing.start()
    release.set()
    closing.join(LONG)
    assert ran == ["first"]


def in_account(name: str, n: int) -> dict[str, object]:
    return action(f"{name}{n}", "CodeDeploy", configuration={"Account": name})


def test_an_account_that_hangs_does_not_hold_up_another(
    tmp_path: Path, release: threading.Event
) -> None:
    house, done = House(tmp_path), threading.Event()

    def deploy(task: Task, asked: int) -> Progress:
        release.wait(LONG) if task.account == "hung" else done.set()
        return succeed(task, asked)

    house.drivers["CodeDeploy"].default = deploy
    every = [in_account("hung", n) for n in range(9)] + [in_account("well", 1)]
    house.apply(pipeline({"name": "All", "actions": every}))
    house.commands.start("shop", ANNE)
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    limits = Limits(threads=(1, 2))
    engine = Engine(house.database, house.structures, drivers, house.clock, limits)
    engine.turn()
    assert done.wait(LONG)
    release.set()
    engine._drain()


def test_after_closing_nothing_that_waits_is_entered() -> None:
    lanes, pool = held()
    for _ in range(2):
        lanes.submit(1, PROD, lambda: None)
    lanes.close()
    pool.run()
    assert pool.submitted == []


def test_each_address_is_a_place_of_its_own(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.drivers["NoOp"].endpoint = ("Site",)  # type: ignore[attr-defined]
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    tasks = [Task("t", "p", "e", "s", "a", {"Site": site}) for site in ("shop", "bank")]
    found = [
        calls.place(drivers, Job(None, None, KEYS["NoOp"], NOTHING, task))  # nothing else is read
        for task in tasks
    ]
    assert [place[-1] for place in found] == ["shop", "bank"]


def test_what_finds_its_place_full_is_due_again_and_what_is_late_ends(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.drivers["NoOp"].default = after(99)
    house.apply(pipeline({"name": "All", "actions": [action("Check", "NoOp")]}))
    execution = house.start()
    house.engine._lanes.submit = lambda *_, **__: False  # type: ignore[method-assign]
    house.wait(30)
    assert house.execution(execution).status == "InProgress"
    house.wait(7 * 86400, step=86400)
    assert "was not stopped: too much waits" in house.execution(execution).reason


def test_what_waited_too_long_is_not_called_on_what_was_known_then(tmp_path: Path) -> None:
    house, pool = House(tmp_path), Held()
    every = [in_account("prod", n) for n in (1, 2)]
    house.apply(pipeline({"name": "All", "actions": every}))
    house.commands.start("shop", ANNE)
    drivers = {KEYS[name]: driver for name, driver in house.drivers.items()}
    limits = Limits(lease=30)
    engine = Engine(house.database, house.structures, drivers, house.clock, limits, (pool, pool))
    engine.tick = lambda: house.clock().timestamp()
    engine.turn()
    pool.run()
    house.clock.advance(31)
    pool.run()
    assert [task.action for task in house.drivers["CodeDeploy"].started] == ["prod1"]
    engine.turn()
    house.clock.advance(calls.LATER)
    engine.turn()
    pool.run()
    assert [task.action for task in house.drivers["CodeDeploy"].started] == ["prod1", "prod2"]


class Stubborn(Held):
    """Raises while it is told to, and keeps the call in its queue all the same, as a pool of threads does."""

    refuses = False

    def submit(self, fn: Any, /, *args: Any, **more: Any) -> Future[Any]:
        super().submit(fn, *args, **more)
        if self.refuses:
            raise RuntimeError("can't start new thread")
        return Future()


def stubborn(room: int = 80) -> tuple[Lanes, Stubborn]:
    pool = Stubborn()
    return Lanes((1, 2), room, lambda: None, (Held(), pool)), pool


def test_a_call_that_no_thread_could_be_had_for_takes_no_room_and_is_never_made() -> None:
    lanes, pool = stubborn()
    called: list[int] = []
    pool.refuses = True
    for n in range(9):
        with pytest.raises(RuntimeError, match="new thread"):
            lanes.submit(1, PROD, lambda n=n: called.append(n))  # type: ignore[misc]
    assert lanes.room(1) == 80
    pool.refuses = False
    assert lanes.submit(1, PROD, lambda: called.append(99))
    while pool.submitted:
        pool.run()
    assert called == [99]
    assert lanes.room(1) == 80


def test_what_waits_where_no_thread_could_be_had_is_tried_again_at_the_next_turn() -> None:
    lanes, pool = stubborn()
    called: list[str] = []
    lanes.submit(1, PROD, lambda: called.append("first"))
    lanes.submit(1, PROD, lambda: called.append("second"))
    pool.refuses = True
    pool.run()
    assert (called, lanes.room(1)) == (["first"], 79)
    pool.refuses = False
    pool.submitted.clear()  # the one that was void
    assert lanes.room(1) == 79
    pool.run()
    assert (called, lanes.room(1)) == (["first", "second"], 80)
