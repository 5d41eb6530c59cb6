"""The demo's stage with a Towpath that lives from commit to commit, and what must be true at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controlplane.declarations.load import load_text
from controlplane.demo.pipelines import pipeline_text
from controlplane.demo.processes import Process, answer, is_up, settings_for
from controlplane.demo.stage import Stage, make_token
from controlplane.demo.story import Story
from controlplane.engine.commands import Commands
from controlplane.engine.refusals import Person
from controlplane.engine.structures import Structures
from controlplane.store.database import Database
from tests.support.crashing import (
    OVER,
    Evidence,
    deployments,
    every_event_was_told,
    nothing_happened_twice,
    nothing_was_started_twice,
    releases_served,
    standing,
    unsent,
)
from tests.support.lives import SIDES, Book, stands

QUICK = {"TOWPATH_POLL_SOURCES_SECONDS": "1"}
"""An event whose taker died stays out of sight for half a minute; the poll finds its release first."""
JOURNEY = [
    ("STANDARD", "Succeeded", ""),
    ("STANDARD", "Failed", ""),
    ("ROLLBACK", "Succeeded", "done"),
]
"""What an undisturbed demo leaves behind."""
DEPLOYED = (6, 7)
"""Twice to dev, test and prod; and once back, unless CodeDeploy was stopped in flight and went back itself."""


class Lives(Stage):
    """The demo's stage, with a Towpath that lives from commit to commit."""

    def __init__(self, folder: Path, *, exact: bool = False) -> None:
        super().__init__(folder, Story(to_stderr=True), 0)
        self.exact = exact

    def open(self) -> None:
        self.sandbox.start()
        self.until(lambda: is_up(f"{self.sandbox_url}/_sandbox/world"), self.sandbox, "the sandbox")
        world = answer(f"{self.sandbox_url}/_sandbox/world")
        environment = settings_for(world, self.folder, 0) | QUICK
        self.evidence = Evidence(self.sandbox_url, environment["TOWPATH_DATABASE_URL"])
        make_token(self.evidence.database)
        self._apply(pipeline_text(has_prometheus=bool(world["prometheus_url"])))
        book = [str(self.folder / "book"), *(["exact"] if self.exact else [])]
        log = self.folder / "towpath.log"
        self.towpath = Process(book, log, environment, "tests.support.lives")
        self.towpath.start()

    def _apply(self, text: str) -> None:
        database = Database(self.evidence.database)
        commands = Commands(database, Structures(), lambda: 0.0)
        commands.apply_pipeline(load_text(text, "pipeline.json"), Person("anne", "api"))
        database.close()

    def until_it_stands(self, wanted: list[tuple[str, str, str]]) -> None:
        """Wait for these executions to be over, and for everything to be told."""

        def over() -> bool:
            found = standing(self.evidence)
            done = len(found) >= len(wanted) and all(row[1] in OVER for row in found)
            return done and not unsent(self.evidence)

        assert self.towpath is not None
        self.until(over, self.towpath, f"the journey to {wanted[-1]}", within=900)

    def kills(self) -> int:
        """How many lives ended at a commit so far."""
        return Book(self.folder / "book").kills()

    def play(self) -> None:
        """The demo: a good release, then one that comes back."""
        self.release(1)
        self.until_it_stands(JOURNEY[:1])
        self.release(2)
        self.until_it_stands(JOURNEY)


@contextmanager
def opened(lives: Lives) -> Iterator[Lives]:
    """Open it, and leave no process behind."""
    try:
        lives.open()
        yield lives
    finally:
        lives.close()


def ended_as_if_undisturbed(evidence: Evidence) -> None:
    """The same facts as without a single crash, each by the sandbox's records."""
    assert standing(evidence) == JOURNEY
    assert len(deployments(evidence)) in DEPLOYED
    nothing_was_started_twice(evidence)
    nothing_happened_twice(evidence)
    every_event_was_told(evidence)
    assert releases_served(evidence) == {"dev": {2}, "test": {2}, "prod": {1}}


def every_commit_was_a_crash(lives: Lives) -> None:
    """As everything stands now it was committed by a life that died before it, and one after it."""
    database = Database(lives.evidence.database)
    with database.read() as connection:
        now = stands(connection.connection.dbapi_connection, exact=lives.exact)
    database.close()
    visited = Book(lives.folder / "book").visited
    assert len(visited) > len(now) > 0
    for side in SIDES:
        assert now <= {state for seen, state in visited if seen == side}
