"""One transaction of the engine: what it knows, and the moves it collects to write in bulk."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from controlplane.engine.structures import Structures
from controlplane.journal import Fact, Journal
from controlplane.store import actions, executions, gates
from controlplane.store.database import Database


@dataclass(slots=True)
class Transaction:
    """Rows to write, by table; `flush` writes them in the order in which they depend on each other.

    at_gate: stage executions at whose gate a rule has said something.
    to_admit: (pipeline, stage) where somebody arrived or left; True where the way in itself was opened.
    """

    connection: Connection
    now: float
    structures: Structures
    journal: Journal
    new_actions: list[dict[str, Any]] = field(default_factory=list)
    new_stages: list[dict[str, Any]] = field(default_factory=list)
    action_moves: list[dict[str, Any]] = field(default_factory=list)
    stage_moves: list[dict[str, Any]] = field(default_factory=list)
    execution_moves: list[dict[str, Any]] = field(default_factory=list)
    to_admit: dict[tuple[str, str], bool] = field(default_factory=dict)
    to_settle: set[str] = field(default_factory=set)
    at_gate: set[str] = field(default_factory=set)
    _freezes: Sequence[Any] | None = None

    def freezes(self) -> Sequence[Any]:
        """The freezes that are in force; asked once."""
        if self._freezes is None:
            self._freezes = gates.freezes(self.connection, self.now)
        return self._freezes

    def forget_freezes(self) -> None:
        """They were changed: ask again."""
        self._freezes = None

    def flush(self) -> None:
        """Write what was collected. Stages leave their locks before others enter."""
        actions.move(self.connection, self.action_moves)
        executions.move_stages(self.connection, self.stage_moves)
        executions.move(self.connection, self.execution_moves)
        executions.add_stages(self.connection, self.new_stages)
        actions.add(self.connection, self.new_actions)
        for rows in (
            self.action_moves,
            self.stage_moves,
            self.execution_moves,
            self.new_stages,
            self.new_actions,
        ):
            rows.clear()

    def fact(self, kind: str, execution: Any, **more: Any) -> None:
        """Something happened to an execution."""
        self.journal.add(
            Fact(kind=kind, pipeline=execution.pipeline, execution_id=execution.id, **more)
        )


@contextmanager
def transaction(
    database: Database, structures: Structures, now: Callable[[], float], *, wake: bool = True
) -> Iterator[Transaction]:
    """Everything in it commits together, events and outbox included; then sleepers are woken.

    wake: False for the engine's own turns, which look for themselves what is due next.
    """
    with database.begin() as connection:
        at = database.time(connection, now)
        told = functools.cache(lambda name: structures.notifications(connection, name))
        journal = Journal(connection, at, told)
        tx = Transaction(connection, at, structures, journal)
        yield tx
        tx.flush()
        journal.flush()
        if wake:
            database.tell(connection)
    if wake or journal.told:
        database.wake()
