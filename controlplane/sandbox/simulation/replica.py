"""One replica of Towpath: engine, delivery, sources and commands, on a clock that may lie.

What the engine calls outside waits in `calls` until the simulation lets it happen, so that a replica can
die or fall asleep between a claim and its call, and between a call and its commit.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import httpx
from sqlalchemy.exc import SQLAlchemyError

from accounts.base import Clients
from controlplane.actions.base import ActionDriver, Revision, SourceEvent
from controlplane.actions.registry import ACTIONS, RULES
from controlplane.actions.registry import Parts as ActionParts
from controlplane.clock import Clock
from controlplane.engine import ids
from controlplane.engine.commands import Commands
from controlplane.engine.delivery import Delivery
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.notes import NoteMaker
from controlplane.engine.pushes import Pushes
from controlplane.engine.sources import Sources
from controlplane.engine.structures import Structures
from controlplane.notify.sns import SnsNotifier
from controlplane.sandbox.simulation.disk import SimulatedDatabase
from controlplane.sandbox.simulation.witness import Witness

PROVIDERS = (
    "S3", "S3Promote", "CodeDeploy", "CodeDeployStop", "CodeDeployRestore", "Manual",
    "CloudWatchAlarm", "CloudWatchMetric", "CloudWatchAlarmRecovered", "CloudWatchMetricRecovered",
)  # fmt: skip


@dataclass(slots=True)
class SkewedClock:
    """The true time, and by how much this machine's clock is wrong."""

    true: Clock
    wrong: float = 0.0

    def __call__(self) -> datetime:
        return self.true() + timedelta(seconds=self.wrong)

    def timestamp(self) -> float:
        """Seconds since the epoch."""
        return self().timestamp()


class Waiting(Executor):
    """Keeps what is submitted until it is let go: one thread, one order."""

    def __init__(self) -> None:
        self.calls: deque[Callable[[], Any]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Later."""
        self.calls.append(partial(fn, *args, **kwargs))
        return Future()

    def run(self, most: int) -> int:
        """Let some of them happen, the oldest first; how many did."""
        done = 0
        while self.calls and done < most:
            self.calls.popleft()()
            done += 1
        return done


@dataclass(slots=True)
class Feed:
    """An EventFeed over the simulation's queue: at least once, in any order."""

    chance: Random
    waiting: list[SourceEvent] = field(default_factory=list)
    number: int = 0

    def add(self, key: str, bucket: str, version: str, copies: int) -> None:
        """A revision arrived: so many messages of it will come."""
        for _ in range(copies):
            self.number += 1
            matches = {"S3Bucket": bucket, "S3ObjectKey": key}
            revision = Revision(version, f"s3://{bucket}/{key}")
            self.waiting.append(SourceEvent("S3", matches, revision, str(self.number)))

    def receive(self) -> Sequence[SourceEvent]:
        """Some of them, in any order; they stay until they are done."""
        most = self.chance.randint(0, len(self.waiting))
        return self.chance.sample(self.waiting, most)

    def done(self, receipts: Sequence[str]) -> None:
        """Gone, or mostly: a deletion may be lost."""
        gone = {one for one in receipts if self.chance.random() > 0.1}  # noqa: PLR2004 - one of ten
        self.waiting = [event for event in self.waiting if event.receipt not in gone]


@dataclass(frozen=True, slots=True)
class Made:
    """What a replica is made with: the true clock, and chance of its own."""

    true: Clock
    chance: Random


class Replica:
    """A process. dead: its memory is gone; asleep: it stands still, and may come back as a zombie."""

    def __init__(
        self, name: str, database: SimulatedDatabase, witness: Witness, clients: Clients, made: Made
    ) -> None:
        self.name = name
        chance = made.chance
        self.clock, self._true = SkewedClock(made.true), made.true
        self.asleep = False
        self.busy = True
        self._witness = witness
        self.pools = (Waiting(), Waiting())
        self._maker = ids.Maker(chance.getrandbits)
        structures = Structures()
        self.drivers = _drivers(clients, self.clock)
        limits = Limits(batch=chance.choice((3, 200)))
        self.engine = Engine(
            database, structures, self.drivers, self.clock, limits=limits, pools=self.pools
        )
        self.engine.owner = name
        self.engine.tick = lambda: made.true().timestamp()
        self.commands = Commands(database, structures, self.clock.timestamp)
        notes = NoteMaker(lambda pipeline, _: f"https://towpath/{pipeline}", "secret")
        self.delivery = Delivery(
            database, {"SNS": SnsNotifier(clients)}, notes, self.clock.timestamp
        )
        self.delivery.tick = self.engine.tick
        pushes = Pushes(database, structures, self.clock.timestamp)
        self.sources = Sources(database, structures, self.commands, self.drivers, pushes)

    def asked(self, ask: Callable[["Replica"], object]) -> str:
        """Do something as this process; "" or how it went wrong. KilledError is for the caller."""
        with ids.made_by(self._maker):
            try:
                ask(self)
            except SQLAlchemyError as error:
                return type(error).__name__
        return ""

    def turns(self, most: int, calls: int) -> bool:
        """Go on until nothing is due, at most so far; calls: how many of the calls happen a turn.

        True where nothing was left to do.
        """
        for _ in range(most):
            due = self._witness.is_due(self._true().timestamp())
            if not (self.busy or due or any(pool.calls for pool in self.pools)):
                return True  # a turn would find nothing: the engine's own loop naps now, too
            self.busy = True  # also where it raises
            more = self.engine.turn()
            called = sum(pool.run(calls) for pool in self.pools)
            self.busy = more or called > 0
            if not self.busy:
                return True
        return False

    def deliver(self) -> None:
        """Send what is due, batch by batch."""
        while self.delivery.turn():
            pass


def _drivers(clients: Clients, clock: Clock) -> Mapping[tuple[str, str, str], ActionDriver]:
    parts = ActionParts(clients, clock, HTTP)
    return {
        key: make(parts) for key, make in (*ACTIONS.items(), *RULES.items()) if key[2] in PROVIDERS
    }


def _nobody(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nothing listens in a simulation")


HTTP = httpx.Client(transport=httpx.MockTransport(_nobody))
"""No driver of a simulation calls over HTTP; those that could are made with this."""
