"""Durable action moves a second (Ready -> Starting -> Succeeded are two) of 12-action no-op executions."""

import multiprocessing
import statistics
import threading
import time
from multiprocessing.synchronize import Barrier

from sqlalchemy import func, select

from controlplane.engine.loop import SHORTEST_NAP
from controlplane.store.tables import Execution, table
from tests.bench.limits import raw
from tests.bench.parts import ORDERS, STAGES, Place, Run, engine, house
from tests.bench.table import Line
from tests.support.house import ANNE, House

GOALS = {
    ("SQLite FULL", 1): "≥ 20,000 and ≥ 0.3",
    ("PostgreSQL", 1): "≥ 8,000",
    ("PostgreSQL", 2): "≥ 12,000",
}
EXECUTION = table(Execution).c


def lines(run: Run) -> list[Line]:
    """The raw limits, and beside them what the engine makes of them."""
    found = []
    for name, place in run.databases().items():
        wanted = [processes for database, processes in GOALS if database == name]
        rounds = [_round(place, wanted, run.executions) for _ in range(run.rounds)]
        limit = statistics.median(one[0] for one in rounds)
        found.append(Line(f"{name}: raw row updates/s, 100 a commit", f"{limit:,.0f}", "", 1.0))
        for processes in wanted:
            rate = statistics.median(one[processes] for one in rounds)
            what = f"{name}: durable action moves/s, 12-action no-op, processes: {processes}"
            found.append(Line(what, f"{rate:,.0f}", GOALS[name, processes], rate / limit))
    return found


def _round(place: Place, wanted: list[int], executions: int) -> dict[int, float]:
    """The raw limit (0), and the rate of each number of processes, one right after the other."""
    with place() as url:
        found = {0: raw(url)}
    for processes in wanted:
        with place() as url:
            found[processes] = rate(url, executions * processes, processes)  # enough for each
    return found


def rate(url: str, executions: int, processes: int = 1) -> float:
    """Moves a second of all processes together, each with an engine on this database."""
    made = house(url)
    for _ in range(executions):
        made.commands.start("shop", ANNE)
    elapsed = _alone(made) if processes == 1 else _together(made, processes)
    assert all(row.status == "Succeeded" for row in made.rows())
    made.database.close()
    return executions * STAGES * ORDERS * 2 / elapsed


def _alone(made: House) -> float:
    turning = engine(made)
    started = time.perf_counter()
    while turning.turn():
        pass
    return time.perf_counter() - started


def _together(made: House, processes: int) -> float:
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(processes + 1)
    helpers = [
        context.Process(target=_replica, args=(made.database.url, ready)) for _ in range(processes)
    ]
    for helper in helpers:
        helper.start()
    ready.wait(60)
    started = time.perf_counter()
    for helper in helpers:
        helper.join(120)
    elapsed = time.perf_counter() - started
    assert [helper.exitcode for helper in helpers] == [0] * processes
    return elapsed


def _replica(url: str, ready: Barrier) -> None:
    """An engine in a process of its own, until nothing is left to do for anybody."""
    made = house(url)
    turning = engine(made)
    ready.wait(60)
    while True:
        if not turning.turn():
            if not _open(made):
                return
            threading.Event().wait(SHORTEST_NAP)  # as an engine that finds nothing due


def _open(made: House) -> int:
    with made.database.read() as connection:
        is_open = select(func.count()).where(EXECUTION.ended_at.is_(None))
        return int(connection.execute(is_open).scalar_one())
