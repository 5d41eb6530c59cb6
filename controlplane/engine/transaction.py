"""One transaction of the engine: what it knows, and the moves it collects to write in bulk."""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from controlplane.engine.refusals import Person
from controlplane.engine.structures import Structures
from controlplane.journal import ITSELF, Fact, Journal
from controlplane.store import actions, executions, gates, pipelines
from controlplane.store.database import Database
from monitors.base import Judgement


@dataclass(slots=True)
class Transaction:
    """Rows to write, by table; `flush` writes them in the order in which they depend on each other.

    version: the one of a pipeline that counts; asked once. A new version that others store meanwhile counts
    from the next transaction on. at_gate: stage executions at whose gate a rule has said something.
    to_admit: (pipeline, stage) where somebody arrived or left; True where the way in itself was opened.
    keeps_new: new actions are not written yet, for the engine may take them at once; nothing that is
    decided in the same transaction looks at them. given_up: tries that were turned away in front of their
    stage, where the one before them left what it had deployed. wakes: sleepers are to look for what is due now.
    judged: by action, what this transaction's looks saw that is not kept unless the rule ends with it.
    entered: by stage execution, who came in here and is not settled since, as `executions.in_stages` would say.
    """

    connection: Connection
    now: float
    structures: Structures
    journal: Journal
    version: Callable[[str], int | None]
    new_actions: list[dict[str, Any]] = field(default_factory=list)
    new_stages: list[dict[str, Any]] = field(default_factory=list)
    action_moves: list[dict[str, Any]] = field(default_factory=list)
    stage_moves: list[dict[str, Any]] = field(default_factory=list)
    execution_moves: list[dict[str, Any]] = field(default_factory=list)
    to_admit: dict[tuple[str, str], bool] = field(default_factory=dict)
    to_settle: set[str] = field(default_factory=set)
    given_up: list[str] = field(default_factory=list)
    keeps_new: bool = False
    wakes: bool = True
    judged: dict[int, Judgement] = field(default_factory=dict)
    at_gate: set[str] = field(default_factory=set)
    entered: dict[str, Any] = field(default_factory=dict)
    _freezes: Sequence[Any] | None = None

    def freezes(self) -> Sequence[Any]:
        """The freezes that are in force; asked once."""
        if self._freezes is None:
            self._freezes = gates.freezes(self.connection, self.now)
        return self._freezes

    def no_freezes(self) -> None:
        """Another question has said that there is none."""
        self._freezes = ()

    def forget_freezes(self) -> None:
        """They were changed: ask again."""
        self._freezes = None

    def flush(self) -> None:
        """Write what was collected. Stages leave their locks before others enter."""
        actions.move(self.connection, self.action_moves)
        executions.move_stages(self.connection, self.stage_moves)
        executions.move(self.connection, self.execution_moves)
        executions.add_stages(self.connection, self.new_stages)
        for rows in (
            self.action_moves,
            self.stage_moves,
            self.execution_moves,
            self.new_stages,
        ):
            rows.clear()
        if not self.keeps_new:
            actions.add(self.connection, self.new_actions)
            self.new_actions.clear()

    def fact(self, kind: str, execution: Any, **more: Any) -> None:
        """Something happened to an execution."""
        self.journal.add(
            Fact(kind=kind, pipeline=execution.pipeline, execution_id=execution.id, **more)
        )


@contextmanager
def transaction(
    database: Database,
    structures: Structures,
    now: Callable[[], float],
    by: Person | None = None,
    *,
    wake: bool = True,
) -> Iterator[Transaction]:
    """Everything in it commits together, events and outbox included; then sleepers are woken.

    by: who asks for what is decided in it; None where Towpath decides itself.

    wake: False for the engine's own turns, which look for themselves what is due next.
    """
    with database.begin() as connection:
        at = database.time(connection, now)
        version = functools.cache(functools.partial(pipelines.version, connection))
        told = functools.cache(
            lambda name: structures.notifications(connection, name, version(name) or 0)
        )
        journal = Journal(connection, at, told, (by.name, by.door) if by else ITSELF)
        tx = Transaction(connection, at, structures, journal, version, wakes=wake)
        yield tx
        tx.flush()
        if not journal.flush(tell=tx.wakes) and tx.wakes:
            database.tell(connection)
    if tx.wakes or journal.told:
        database.wake()
