"""Accepted event -> first driver call, in one process, while 10,000 executions wait in the database."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from controlplane.actions.noop import NoOp
from monitors.base import Progress, Task
from tests.bench.parts import ORDERS, STAGES, Run, engine, house
from tests.bench.table import Line
from tests.bench.waiting import fill
from tests.support.house import ANNE, House

GOALS = {"SQLite FULL": "≤ 3 / 10 ms", "PostgreSQL": "≤ 6 / 15 ms"}
EVENTS = 100
"""A round; p99 is the second slowest."""


def lines(run: Run) -> list[Line]:
    """Medians over the rounds, of each round's p50 and p99."""
    found = []
    for name, place in run.databases().items():
        with place() as url:
            rounds = measure(url, run.waiting, run.rounds)
        middle = statistics.median(statistics.median(one) for one in rounds)
        slow = statistics.median(sorted(one)[-2] for one in rounds)
        what = f"{name}: accepted event -> first driver call, p50 / p99, {run.waiting:,} waiting"
        found.append(Line(what, f"{middle:.1f} / {slow:.1f} ms", GOALS[name]))
    return found


class Noticing(NoOp):
    """Notes when the first action of an execution is called, and when the last one was."""

    def __init__(self) -> None:
        self.called = 0.0
        self.ended = threading.Event()

    def start(self, task: Task) -> Progress:
        """As NoOp does."""
        where = (task.stage, task.action)
        if where == ("S0", "a1"):
            self.called = time.perf_counter()
        elif where == (f"S{STAGES - 1}", f"a{ORDERS}"):
            self.ended.set()
        return super().start(task)


def measure(url: str, waiting: int, rounds: int) -> list[list[float]]:
    """Milliseconds of every event, by round; the next event finds an engine that sleeps."""
    made = house(url)
    fill(made, waiting)
    noticing = Noticing()
    with _running(made, noticing):
        return [[_one(made, noticing) for _ in range(EVENTS)] for _ in range(rounds)]


@contextmanager
def _running(made: House, noticing: Noticing) -> Iterator[None]:
    turning = made.commands.engine = engine(made, noticing)
    thread = threading.Thread(target=turning.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        turning.stop()
        thread.join(10)
        made.database.close()


def _one(made: House, noticing: Noticing) -> float:
    noticing.ended.clear()
    began = time.perf_counter()
    made.commands.start("shop", ANNE)
    assert noticing.ended.wait(10)
    threading.Event().wait(0.02)  # it commits the last outcome, and lies down
    return (noticing.called - began) * 1000
