"""What executions cost that only wait: memory and processor time of the process, with an engine that runs."""

import multiprocessing
import resource
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from controlplane.engine import ids
from controlplane.store.tables import ActionExecution, Execution, StageExecution, table
from tests.bench.parts import Run, engine, house
from tests.bench.table import Line
from tests.support.house import ANNE, House

OWNED = (table(StageExecution), table(ActionExecution))


def lines(run: Run) -> list[Line]:
    """In a process of its own: what ran here before would leave a heap that hides the cost."""
    context = multiprocessing.get_context("spawn")
    with run.sqlite() as url, ProcessPoolExecutor(1, mp_context=context) as pool:
        memory, busy = pool.submit(measure, url, run.waiting).result()
    what = f"{run.waiting:,} executions waiting for an approval: extra RSS, CPU"
    return [Line(what, f"{memory:.1f} MB, {busy:.2f} % of a core", "≤ 10 MB, ≤ 2 %")]


def measure(url: str, executions: int) -> tuple[float, float]:
    """(extra MB, % of a core); every one goes its way until it waits."""
    made = house(url)
    turning = engine(made)
    _start(made, 1)
    while turning.turn():
        pass
    before = _rss()
    _start(made, executions)
    while turning.turn():
        pass
    thread = threading.Thread(target=turning.run, daemon=True)
    thread.start()
    used, wall = time.process_time(), time.perf_counter()
    threading.Event().wait(5)
    busy = (time.process_time() - used) / (time.perf_counter() - wall) * 100
    turning.stop()
    thread.join(10)
    return _rss() - before, busy


def _start(made: House, executions: int) -> None:
    for _ in range(executions):
        made.commands.start("waiting", ANNE)


def _rss() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def fill(made: House, executions: int) -> None:
    """Let so many wait for an approval at once: one goes its way, the others are copies of its rows."""
    first = made.commands.start("waiting", ANNE)
    turning = engine(made)
    while turning.turn():
        pass
    with made.database.begin() as connection:
        new = [ids.execution_id(made.clock().timestamp()) for _ in range(executions - 1)]
        _copy(connection, table(Execution), "id", first, new)
        for owned in OWNED:
            _copy(connection, owned, "execution_id", first, new)


def _copy(connection: Connection, rows: Table, key: str, first: str, new: list[str]) -> None:
    found = connection.execute(select(rows).where(rows.c[key] == first)).mappings().all()
    copies = [_as(dict(row), first, execution) for row in found for execution in new]
    connection.execute(insert(rows), copies)


def _as(row: dict[str, Any], first: str, execution: str) -> dict[str, Any]:
    if isinstance(row["id"], int):
        del row["id"]  # the database counts
        row["token"] = ids.token(execution, row["name"], 1)
    return {k: v.replace(first, execution) if isinstance(v, str) else v for k, v in row.items()}
