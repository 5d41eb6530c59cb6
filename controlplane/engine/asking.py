"""What every command needs: a transaction in the name of who asks, and what it is about, locked."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import Connection

from controlplane.engine.loop import Engine
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.structures import Structures
from controlplane.engine.transaction import Transaction, transaction
from controlplane.journal import Fact
from controlplane.store import executions, locks, pipelines
from controlplane.store.database import Database


class Asking:
    """Whoever takes requests. Each is one transaction."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        now: Callable[[], float],
        most_open: int | None = None,
    ) -> None:
        """most_open: executions of one pipeline that have not ended; a start beyond it is refused."""
        self._database = database
        self._structures = structures
        self._now = now
        self._most_open = most_open
        self.note: Callable[[Connection], None] | None = None
        """What else is written in each transaction (`noting`)."""
        self.engine: Engine | None = None
        """Who works in this process, once there is one: what it can take at once need not wait for it."""

    def noting(self, note: Callable[[Connection], None]) -> Self:
        """The same commands, for one request: its note is written in the transaction of what is done.

        So whoever took the request never does it twice, wherever he is killed. What note raises takes all of it
        back.
        """
        mine = copy.copy(self)
        mine.note = note
        return mine

    @contextmanager
    def _transaction(self, by: Person) -> Iterator[Transaction]:
        with transaction(self._database, self._structures, self._now, by) as tx:
            yield tx
            if self.note is not None:
                self.note(tx.connection)

    def _execution(self, tx: Transaction, execution_id: str) -> Any:
        """As it stands, and stays until we commit: the engine of another replica waits for us."""
        locks.execution(tx.connection, execution_id)
        found = executions.by_id(tx.connection, execution_id)
        if found is None:
            raise CommandError(Problem.UNKNOWN, f"there is no execution {execution_id!r}")
        return found

    def _known_stage(self, tx: Transaction, pipeline: str, stage: str) -> None:
        version = pipelines.version(tx.connection, pipeline)
        if version is None:
            raise CommandError(Problem.UNKNOWN, f"there is no pipeline {pipeline!r}")
        names = [s.name for s in self._structures.pipeline(tx.connection, pipeline, version).stages]
        if stage not in names:
            known = ", ".join(names)
            raise CommandError(
                Problem.UNKNOWN, f"{pipeline} has no stage {stage!r}; it has {known}"
            )

    def _say(self, tx: Transaction, kind: str, pipeline: str, stage: str, text: str) -> None:
        tx.journal.add(Fact(kind=kind, pipeline=pipeline, stage=stage, text=text))
