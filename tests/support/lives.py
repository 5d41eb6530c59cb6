"""Towpath as a chain of short lives: each is a real process that kills itself at a commit.

`python -m tests.support.lives BOOK [exact]` imports everything once, then forks a child for one life after
another. A child is a whole Towpath worker on the settings of the environment, and a person who
approves. At each commit after which a row stands as it has not stood before, one life ends just
before the commit takes effect, and the next that comes there ends just after it. BOOK is the list of
these crash points, so that each is visited once and the chain comes to its end.
"""

import ctypes
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import cel  # noqa: F401 - what a life would import late, all of them share
import scipy.special  # noqa: F401
from botocore.loaders import JSONFileLoader, Loader
from sqlalchemy import Connection, event, select

from accounts.connect import Connector
from controlplane.demo.processes import PR_SET_PDEATHSIG
from controlplane.engine.refusals import CommandError, Person
from controlplane.settings import Settings
from controlplane.store.tables import ActionExecution, table
from controlplane.telemetry import log_to_stderr
from controlplane.wiring import House, build
from controlplane.worker import Worker

SIDES = ("before", "after")
STANDS = """
WITH known AS (
    SELECT id, status, rollback_state,
           CASE WHEN :exact THEN type || ' ' || row_number() OVER (ORDER BY id) ELSE type END AS run
    FROM execution
)
SELECT 'execution ' || run || ' ' || status || ' ' || rollback_state FROM known
UNION ALL
SELECT 'stage ' || run || ' ' || s.stage || ' ' || s.status || s.attempt
FROM stage_execution s JOIN known ON known.id = s.execution_id
UNION ALL
SELECT 'action ' || run || ' ' || s.stage || '/' || a.name || ' ' || a.status
       || CASE WHEN a.owner IS NULL THEN '' ELSE ' held' END
       || CASE WHEN a.answer = '' THEN '' ELSE ' answered' END
FROM action_execution a JOIN stage_execution s ON s.id = a.stage_id
JOIN known ON known.id = s.execution_id
UNION ALL
SELECT 'outbox ' || o.provider || CASE WHEN :exact THEN ' ' || e.kind ELSE '' END
       || ' ' || o.status || CASE WHEN o.owner IS NULL THEN '' ELSE ' held' END
FROM outbox o JOIN event e ON e.id = o.event_id
"""
"""How every row stands that the journey moves, in words that the next life finds again.

Executions go by their type, or exactly by their number too: their ids are others where one was not
committed. Exactly, a second release is killed where the first was, and at each kind of notification.
"""


def stands(connection: Any, *, exact: bool) -> set[str]:
    """Through the driver's own connection, so that nobody is told of the question."""
    return {state for (state,) in connection.execute(STANDS, {"exact": exact}).fetchall()}


class Book:
    """The crash points that were visited: a paragraph a death, a line a state, before or after it."""

    def __init__(self, file: Path) -> None:
        file.touch()
        self._file = file
        lines = filter(None, file.read_text().splitlines())
        self.visited = {tuple(line.split(" ", 1)) for line in lines}

    def kills(self) -> int:
        """How many died."""
        return self._file.read_text().count("\n\n")

    def new_side(self, states: set[str]) -> str:
        """On which side of this commit to die now; "" where both were visited."""
        for side in SIDES:
            if any((side, state) not in self.visited for state in states):
                return side
        return ""

    def note(self, side: str, states: set[str]) -> None:
        with self._file.open("a") as file:
            file.write("".join(f"{side} {state}\n" for state in sorted(states)) + "\n")


class Mortal:
    """Listens to an engine's transactions, and dies by SIGKILL where the book has no entry yet."""

    def __init__(self, book: Book, *, exact: bool) -> None:
        self._book, self._exact = book, exact
        self._stood: set[str] = set()  # one transaction at a time writes

    def listen(self, engine: Any) -> None:
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._commit)

    def _begin(self, connection: Connection) -> None:
        if not connection.get_execution_options().get("towpath_read"):
            self._stood = stands(connection.connection.dbapi_connection, exact=self._exact)

    def _commit(self, connection: Connection) -> None:
        if connection.get_execution_options().get("towpath_read"):
            return
        driver: Any = connection.connection.dbapi_connection
        new = stands(driver, exact=self._exact) - self._stood
        side = self._book.new_side(new)
        if not side:
            return
        self._book.note(side, new)
        if side == "after":
            driver.commit()
        os.kill(os.getpid(), signal.SIGKILL)


def approve(house: House) -> None:
    """What a person does who sees that an approval is open."""
    rows = table(ActionExecution)
    waits = select(rows).where(
        rows.c.status == "InProgress", rows.c.handle == rows.c.token, rows.c.answer == ""
    )
    with house.database.read() as connection:
        found = connection.execute(waits).all()
    for row in found:
        if row.name != "ToProd":
            continue
        with suppress(CommandError):  # it was decided in the meantime
            house.commands.decide_approval(
                row.execution_id, "Approve", row.name, Person("anne", "api"),
                approve=True, summary="well",
            )  # fmt: skip


def live(book: Path, *, exact: bool) -> None:
    """One life."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with build(Settings()) as house:
        Mortal(Book(book), exact=exact).listen(house.database.engine)
        Worker(house).start()
        while True:
            approve(house)
            threading.Event().wait(0.1)


class Remembering(JSONFileLoader):
    """Reads a service's model once for all lives."""

    known: dict[str, Any] = {}  # noqa: RUF012 - shared on purpose

    def load_file(self, file_path: str) -> Any:
        if file_path not in self.known:
            self.known[file_path] = super().load_file(file_path)
        return self.known[file_path]


def warm(folder: Path) -> None:
    """Load once, for all lives, what a life would load: models, endpoints, what is imported late."""
    Loader.FILE_LOADER_CLASS = Remembering
    with build(Settings(database_url=f"sqlite:///{folder}/warm.db")):
        connector = Connector(boto3.Session("made", "up", region_name="eu-west-1"))
        connector.sts("eu-west-1")
        for service in SERVICES:
            connector.client(boto3.Session("made", "up", region_name="eu-west-1"), service)


SERVICES = ("cloudwatch", "codedeploy", "inspector2", "s3", "sns", "sqs", "sts", "synthetics")


def main(book: Path, *, exact: bool) -> None:
    """One life after another; ends where one ends otherwise than it should."""
    log_to_stderr()
    warm(book.parent)
    while True:
        child = os.fork()
        if not child:
            try:
                live(book, exact=exact)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"a life ended by itself: status {status}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), exact=sys.argv[2:] == ["exact"])
