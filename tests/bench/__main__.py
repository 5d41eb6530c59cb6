"""`make bench`: what the engine does on this machine, each figure beside the raw limit of the same disk.

Machines are noisy: every figure is the median of several rounds, and the ratios are of one run.
"""

import argparse
import json
import resource
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from controlplane.actions.approval import Approval
from controlplane.actions.base import ActionDriver
from controlplane.actions.noop import NoOp
from controlplane.clock import system_clock
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.tasks import Key
from controlplane.sandbox.scripted import after, source_of, succeed
from controlplane.store import ledger
from controlplane.store.embedded import PRAGMAS
from monitors.base import Judgement, Outcome, Progress, Task, Verdict
from tests.support.house import (
    ANNE,
    BAD,
    GOOD,
    KEYS,
    House,
    action,
    deploying,
    pipeline,
    source,
)

STAGES = 3
ORDERS = 4
"""3 stages x 4 actions in sequence: a 12-action execution."""


def house(folder: Path, mode: str = "PARALLEL") -> tuple[House, Engine]:
    """An engine with real clocks and drivers that do nothing, on SQLite with synchronous=FULL."""
    made = House(folder)
    made.clock = system_clock  # type: ignore[assignment]
    noop = NoOp()
    drivers: dict[Key, ActionDriver] = {
        KEYS["NoOp"]: noop,
        KEYS["S3"]: noop,
        KEYS["Manual"]: Approval(),
    }
    engine = Engine(made.database, made.structures, drivers, system_clock, Limits(batch=500))
    stages = [
        {"name": f"S{i}", "actions": [action(f"a{j}", "NoOp", j) for j in range(1, ORDERS + 1)]}
        for i in range(STAGES)
    ]
    made.apply(pipeline(*stages, mode=mode))
    waits = {"name": "Gate", "actions": [action("Ask", "Manual")]}
    made.apply(pipeline(waits, name="waiting", mode="PARALLEL"))
    return made, engine


def raw_limit(folder: Path, seconds: float = 1.0, batch: int = 100) -> float:
    """Durable row updates a second: 100 small updates a commit, WAL, synchronous=FULL, one writer."""
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, g INTEGER, d REAL, p TEXT)")
    connection.executemany(
        "INSERT INTO t VALUES (?, 'a', 0, 0, ?)", [(i, "x" * 100) for i in range(10_000)]
    )
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        rows = [(float(done), (done + i) % 10_000) for i in range(batch)]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE t SET s='b', g=g+1, d=? WHERE id=?", rows)
        connection.execute("COMMIT")
        done += batch
    elapsed = time.perf_counter() - started
    connection.close()
    return done / elapsed


def moves(folder: Path, executions: int) -> float:
    """Durable action moves a second (Ready -> Starting -> Succeeded are two) of 12-action no-ops."""
    made, engine = house(folder)
    for _ in range(executions):
        made.commands.start("shop", ANNE)
    started = time.perf_counter()
    while engine.turn():
        pass
    elapsed = time.perf_counter() - started
    assert all(row.status == "Succeeded" for row in made.rows())
    return executions * STAGES * ORDERS * 2 / elapsed


def first_action(folder: Path, events: int = 40) -> float:
    """Milliseconds from an accepted event to the first driver call, median; the engine runs."""
    made, engine = house(folder)
    called: list[float] = []

    ended = threading.Event()

    class Noticing(NoOp):
        def start(self, task: Task) -> Progress:
            if (task.stage, task.action) == ("S0", "a1"):
                called.append(time.perf_counter())
            if (task.stage, task.action) == (f"S{STAGES - 1}", f"a{ORDERS}"):
                ended.set()
            return super().start(task)

    engine._drivers = {**engine._drivers, KEYS["NoOp"]: Noticing()}
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    waits = []
    for _ in range(events):
        ended.clear()
        began = time.perf_counter()
        made.commands.start("shop", ANNE)
        ended.wait(5)  # the next event finds an engine that sleeps
        waits.append((called[-1] - began) * 1000)
        threading.Event().wait(0.02)
    engine.stop()
    thread.join(10)
    return statistics.median(waits)


def reaction(folder: Path) -> float:
    """Seconds from the moment a breach is readable to the stop call; rules look every second."""
    made = House(folder)
    made.clock = system_clock  # type: ignore[assignment]
    made.apply(pipeline(source(), deploying("Prod")))
    readable, stopped = threading.Event(), threading.Event()
    times: dict[str, float] = {}

    def watch(_task: Task, asked: int) -> Progress:
        bad = readable.is_set()
        seen = Judgement(Verdict.FAIL if bad else Verdict.PASS, "as told") if asked else None
        return Progress(Outcome.RUNNING, look_after=timedelta(seconds=1), judgement=seen)

    def stop(task: Task, _asked: int) -> Progress:
        times.setdefault("stopped", time.perf_counter())
        stopped.set()
        return succeed(task, 0)

    made.drivers["CodeDeploy"].default = after(10_000)
    made.drivers["CloudWatchAlarm"].default = watch
    made.drivers["CodeDeployStop"].default = stop
    good = LedgerRow(made)
    good.put()
    engine = Engine(
        made.database,
        made.structures,
        {KEYS[name]: driver for name, driver in made.drivers.items()},
        system_clock,
    )
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    made.commands.start("shop", ANNE)
    threading.Event().wait(2.5)
    began = time.perf_counter()
    readable.set()
    stopped.wait(10)
    engine.stop()
    thread.join(15)
    return times["stopped"] - began


class LedgerRow:
    """A last known good, so that there is somewhere to go back to."""

    def __init__(self, made: House) -> None:
        self._made = made

    def put(self) -> None:
        """Into the ledger, as an earlier release would have left it."""
        artifact = {"digest": GOOD, "location": "s3://b/k", "version": "v", "name": "App"}
        row = {
            "pipeline": "shop",
            "stage": "Prod",
            "target": "prod//shop/all",
            "digest": GOOD,
            "artifact": json.dumps(artifact),
            "execution_id": "earlier",
            "action_id": -1,
            "action": "Deploy",
            "token": "tp-earlier",
            "handle": "d-1",
            "status": "GOOD",
            "at": 0.0,
        }
        with self._made.database.begin() as connection:
            ledger.put(connection, row)
        self._made.drivers["S3"].default = source_of(BAD)


def waiting(folder: Path, executions: int) -> tuple[float, float]:
    """(extra MB of memory, % of a core) that so many executions waiting for approval cost."""
    made, engine = house(folder)
    before = _rss()
    for _ in range(executions):
        made.commands.start("waiting", ANNE)
    while engine.turn():
        pass
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    used, wall = time.process_time(), time.perf_counter()
    threading.Event().wait(5)
    busy = (time.process_time() - used) / (time.perf_counter() - wall) * 100
    engine.stop()
    thread.join(10)
    return _rss() - before, busy


def _rss() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def place() -> Path:
    """On the disk of the checkout, not in memory, and out of git's sight."""
    found = Path(".bench")
    found.mkdir(exist_ok=True)
    return found


def median(rounds: int, run: Callable[[Path], float]) -> float:
    """Of so many rounds, each in a folder of its own."""
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=place()) as folder:
            found.append(run(Path(folder)))
    return statistics.median(found)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--executions", type=int, default=500)
    parser.add_argument("--waiting", type=int, default=10_000)
    args = parser.parse_args()
    # First, in a fresh process: later rounds would leave a heap that hides what waiting costs.
    with tempfile.TemporaryDirectory(dir=place()) as folder:
        memory, busy = waiting(Path(folder), args.waiting)
    raw = median(args.rounds, raw_limit)
    rate = median(args.rounds, lambda folder: moves(folder, args.executions))
    latency = median(args.rounds, first_action)
    reacted = [median(1, reaction) for _ in range(args.rounds)]
    table = Table("what", "here", "ratio to the raw limit", "goal")
    table.add_row("raw durable row updates/s, 100 a commit", f"{raw:,.0f}", "1.00", "")
    table.add_row(
        "durable action moves/s, 12-action no-op", f"{rate:,.0f}", f"{rate / raw:.2f}", ">= 5,000"
    )
    table.add_row(
        "accepted event -> first driver call, median", f"{latency:.1f} ms", "", "<= 10 ms"
    )
    worst = f"{statistics.median(reacted):.2f} s, worst {max(reacted):.2f} s"
    table.add_row("breach readable -> stop call, rules look every 1 s", worst, "", "<= 2 s")
    table.add_row(f"{args.waiting:,} executions waiting: memory", f"{memory:.1f} MB", "", "< 50 MB")
    table.add_row(
        f"{args.waiting:,} executions waiting: CPU", f"{busy:.2f} %", "", "not measurable"
    )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
