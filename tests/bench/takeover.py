"""kill -9 of the replica that holds a claim: how long until another one goes on with its work.

Replicas are real processes on one PostgreSQL, each as on a host of its own, so that only leases (and
nobody's knowledge of who is dead) bring the work elsewhere. The vendor is a web server that never answers
the first question about a journey: whoever asks it holds the claim, and who asks again has taken it over.
"""

import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from controlplane.clock import system_clock
from controlplane.declarations.model import PipelineDeclaration
from controlplane.demo.processes import Process
from controlplane.engine.commands import Commands
from controlplane.engine.refusals import Person
from controlplane.engine.structures import Structures
from controlplane.store.database import Database
from controlplane.store.tables import ActionExecution, Execution, table
from tests.bench.parts import Run, folder
from tests.bench.table import Line
from tests.support.loopback import Answer, Loopback, Request, loopback

PATIENCE = 60.0
STEPS = '[{"name": "ask", "method": "GET", "url": "/%s", "expect": {"status": 200}}]'
BY = Person("anne", "api")


@dataclass
class Vendor:
    """Answers a question when it is asked again; remembers when each was asked."""

    asked: dict[str, list[float]] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, request: Request) -> Answer:
        with self.changed:
            times = self.asked.setdefault(request.path, [])
            times.append(time.perf_counter())
            first = len(times) == 1
            self.changed.notify_all()
            if first:
                self.changed.wait_for(lambda: len(times) > 1, PATIENCE)
        return Answer(503 if first else 200)

    def until_asked(self, path: str, times: int) -> float:
        """When it was asked for the so-manieth time."""
        with self.changed:
            seen = self.changed.wait_for(lambda: len(self.asked.get(path, ())) >= times, PATIENCE)
            assert seen, f"{path} was not asked {times} times within {PATIENCE:.0f} s"
            return self.asked[path][times - 1]


class Field:
    """So many replicas, a vendor, and the pipelines that ask it."""

    def __init__(self, place: Path, url: str, lease: float, site: Loopback, count: int) -> None:
        self.database = Database(url)
        self.database.migrate()
        self.commands = Commands(self.database, Structures(), lambda: system_clock().timestamp())
        self.site = site
        self.replicas = {
            f"replica-{n}": Process(["worker"], place / f"worker-{n}.log", _settings(n, url, lease))
            for n in range(1, count + 1)
        }

    def ask(self, number: int) -> str:
        """Start an execution whose only action asks the vendor; the path that it will ask for."""
        declared = _journey(f"journey-{number}", self.site.url)
        self.commands.apply_pipeline(declared, BY)
        self.commands.start(declared.name, BY)
        return f"/{declared.name}"

    def holder(self) -> str:
        """The replica that holds the one claim there is now."""
        rows = table(ActionExecution)
        with self.database.read() as connection:
            owner = connection.execute(
                select(rows.c.owner).where(rows.c.owner.is_not(None))
            ).scalar_one()
        return str(owner).partition(" ")[0]  # its name; its kernel and its process id follow

    def statuses(self) -> Counter[str]:
        rows = table(Execution)
        with self.database.read() as connection:
            return Counter(connection.execute(select(rows.c.status)).scalars())


def _settings(number: int, url: str, lease: float) -> dict[str, str]:
    return {
        "TOWPATH_DATABASE_URL": url,
        "TOWPATH_REPLICA": f"replica-{number}",
        "TOWPATH_LEASE_SECONDS": str(lease),
    }


def _journey(name: str, site: str) -> PipelineDeclaration:
    kind = {"category": "Test", "owner": "Custom", "provider": "HttpJourney"}
    asks = {"BaseUrl": site, "Steps": STEPS % name}
    ask = {"name": "Ask", "actionTypeId": kind, "configuration": asks}
    stages: list[Any] = [{"name": "Only", "actions": [ask]}]
    return PipelineDeclaration.model_validate({"name": name, "stages": stages})


@contextmanager
def field_of(place: Path, url: str, lease: float, count: int = 3) -> Iterator[tuple[Field, Vendor]]:
    """Replicas at work; none is left behind."""
    vendor = Vendor()
    with loopback(vendor.answer) as site:
        made = Field(place, url, lease, site, count)
        try:
            for replica in made.replicas.values():
                replica.start()
            yield made, vendor
        finally:
            for replica in made.replicas.values():
                replica.stop()
            made.database.close()


def takeover(place: Path, url: str, lease: float = 10.0, rounds: int = 20) -> list[float]:
    """Seconds from each kill to the next call of another replica; AssertionError where work was lost."""
    chance = random.Random(rounds)
    found = []
    with field_of(place, url, lease) as (made, vendor):
        for number in range(rounds):
            path = made.ask(number)
            vendor.until_asked(path, 1)
            threading.Event().wait(chance.uniform(0, 0.6 * lease))  # also after a renewal
            victim = made.holder()
            made.replicas[victim].kill()
            killed = time.perf_counter()
            found.append(vendor.until_asked(path, 2) - killed)
            made.replicas[victim].start()
        _all_ended_well(made, vendor, rounds)
    return found


def _all_ended_well(made: Field, vendor: Vendor, rounds: int) -> None:
    """0 lost: each has succeeded. 0 doubled: each was asked once, and once more after the kill."""
    deadline = time.monotonic() + PATIENCE
    while made.statuses() != {"Succeeded": rounds}:
        assert time.monotonic() < deadline, made.statuses()
        threading.Event().wait(0.1)
    assert {path: len(times) for path, times in vendor.asked.items()} == {
        f"/journey-{n}": 2 for n in range(rounds)
    }


def lines(run: Run) -> list[Line]:
    """The worst of twenty, leases of ten seconds; PostgreSQL only."""
    if run.postgres is None:
        return []
    with folder() as place, run.postgres() as url:
        took = takeover(place, url)
    here = f"{statistics.median(took):.1f} s, worst of {len(took)} {max(took):.1f} s"
    return [
        Line("kill -9 of a replica, 10 s leases -> its work goes on elsewhere", here, "<= 11 s")
    ]
