"""From the moment a breach is readable to the stop call, where the rules look every second."""

import json
import statistics
import threading
import time
from datetime import timedelta
from pathlib import Path

from controlplane.clock import system_clock
from controlplane.engine.loop import Engine
from controlplane.sandbox.scripted import after, source_of, succeed
from controlplane.store import ledger
from monitors.base import Judgement, Outcome, Progress, Task, Verdict
from tests.bench.parts import Run
from tests.bench.table import Line
from tests.support import tables
from tests.support.house import ANNE, BAD, GOOD, KEYS, House, deploying, pipeline, source


def lines(run: Run) -> list[Line]:
    """On SQLite: nearly all of it is the time until the next look."""
    found = []
    for _ in range(run.rounds):
        with run.sqlite() as url:
            found.append(measure(url))
    here = f"{statistics.median(found):.2f} s, worst {max(found):.2f} s"
    return [Line("breach readable -> stop call, rules look every 1 s", here, "≤ 2 s")]


class Vendors:
    """A deployment that does not end, an alarm that turns bad when told, and a stop that is timed."""

    def __init__(self) -> None:
        self.bad, self.stopped = threading.Event(), threading.Event()
        self.stopped_at = 0.0

    def watch(self, _task: Task, asked: int) -> Progress:
        """Answer as the alarm stands."""
        verdict = Verdict.FAIL if self.bad.is_set() else Verdict.PASS
        seen = Judgement(verdict, "as told") if asked else None
        return Progress(Outcome.RUNNING, look_after=timedelta(seconds=1), judgement=seen)

    def stop(self, task: Task, _asked: int) -> Progress:
        """Take the time of the first."""
        self.stopped_at = self.stopped_at or time.perf_counter()
        self.stopped.set()
        return succeed(task, 0)


def measure(url: str) -> float:
    """Seconds."""
    tables.make(url)
    made = House(Path(), url, durable=True)
    made.clock = system_clock  # type: ignore[assignment]
    made.apply(pipeline(source(), deploying("Prod")))
    vendors = Vendors()
    made.drivers["CodeDeploy"].default = after(10_000)
    made.drivers["CloudWatchAlarm"].default = vendors.watch
    made.drivers["CodeDeployStop"].default = vendors.stop
    _leave_a_good_one(made)
    drivers = {KEYS[name]: driver for name, driver in made.drivers.items()}
    engine = Engine(made.database, made.structures, drivers, system_clock)
    thread = threading.Thread(target=engine.run, daemon=True)
    thread.start()
    made.commands.start("shop", ANNE)
    threading.Event().wait(2.5)
    began = time.perf_counter()
    vendors.bad.set()
    assert vendors.stopped.wait(10)
    engine.stop()
    thread.join(15)
    return vendors.stopped_at - began


def _leave_a_good_one(made: House) -> None:
    """A last known good as an earlier release would have left it: there is somewhere to go back to."""
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
    with made.database.begin() as connection:
        ledger.put(connection, row)
    made.drivers["S3"].default = source_of(BAD)
