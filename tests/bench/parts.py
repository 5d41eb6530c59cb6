"""What the benches share: where they measure, and an engine with real clocks and drivers that do nothing."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.actions.approval import Approval
from controlplane.actions.base import ActionDriver
from controlplane.actions.noop import NoOp
from controlplane.clock import system_clock
from controlplane.engine.loop import Engine, Limits
from controlplane.worker import settle_memory
from tests.support import tables
from tests.support.house import KEYS, House, action, pipeline

STAGES, ORDERS = 3, 4
"""3 stages x 4 actions in sequence: a 12-action execution."""

BATCH = 1_000

Place = Callable[[], AbstractContextManager[str]]
"""Makes an empty database, and answers its URL."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of benches. postgres: None where it is not installed."""

    rounds: int
    executions: int
    waiting: int
    sqlite: Place
    postgres: Place | None

    def databases(self) -> Mapping[str, Place]:
        """Each by its name."""
        found = {"SQLite FULL": self.sqlite}
        return found | ({"PostgreSQL": self.postgres} if self.postgres else {})


@contextmanager
def folder() -> Iterator[Path]:
    """On the disk of the checkout, not in memory, and out of git's sight."""
    place = Path(".bench")
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as made:
        yield Path(made).absolute()


@contextmanager
def sqlite() -> Iterator[str]:
    """A database in a file of its own, gone afterwards."""
    with folder() as place:
        yield f"sqlite:///{place}/towpath.db"


def house(url: str) -> House:
    """A database with the two pipelines, and commands to start them."""
    tables.make(url)
    made = House(Path(), url, durable=True)
    made.clock = system_clock  # type: ignore[assignment]
    stages = [
        {"name": f"S{i}", "actions": [action(f"a{j}", "NoOp", j) for j in range(1, ORDERS + 1)]}
        for i in range(STAGES)
    ]
    made.apply(pipeline(*stages, mode="PARALLEL"))
    waits = {"name": "Gate", "actions": [action("Ask", "Manual")]}
    made.apply(pipeline(waits, name="waiting", mode="PARALLEL"))
    return made


def engine(made: House, noop: ActionDriver | None = None) -> Engine:
    """As it is in production, except that nothing outside is called."""
    settle_memory()
    does_nothing = noop or NoOp()
    drivers = {
        KEYS["NoOp"]: does_nothing,
        KEYS["S3"]: does_nothing,
        KEYS["Manual"]: Approval(),
    }
    return Engine(made.database, made.structures, drivers, system_clock, Limits(batch=BATCH))
