"""A witness in the database itself: triggers note every move of a state in the transaction that makes it.

The engine can not forget to tell it, and does not know of it; the invariants compare what it saw with
what the engine told.
"""

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

TABLE = """
CREATE TABLE simulated_move (
    id INTEGER PRIMARY KEY, kind TEXT, row TEXT, execution TEXT, place TEXT, name TEXT, old TEXT,
    new TEXT)
"""
COLUMNS = {
    "execution": ("execution", "NEW.id", "NEW.pipeline", "NEW.type"),
    "stage_execution": ("stage", "NEW.execution_id", "NEW.pipeline", "NEW.stage"),
    "action_execution": ("NEW.kind", "NEW.execution_id", "NEW.stage_id", "NEW.name"),
}
"""Table -> (kind, execution, place, name) of a move."""


def triggers() -> list[str]:
    """The statements that put the witness in."""
    made = [TABLE]
    for table, (kind, execution, place, name) in COLUMNS.items():
        said = kind if kind.startswith("NEW.") else f"'{kind}'"
        values = f"{said}, NEW.id, {execution}, {place}, {name}"
        columns = "kind, row, execution, place, name, old, new"
        note = f"INSERT INTO simulated_move ({columns}) VALUES ({values}"
        made.append(
            f"CREATE TRIGGER simulated_new_{table} AFTER INSERT ON {table} "
            f"BEGIN {note}, '', NEW.status); END"
        )
        made.append(
            f"CREATE TRIGGER simulated_moved_{table} AFTER UPDATE OF status ON {table} "
            f"WHEN OLD.status <> NEW.status BEGIN {note}, OLD.status, NEW.status); END"
        )
    return made


class Move(NamedTuple):
    """One move of one row. old "": the row is new. kind: execution, stage, action, rule.

    place: the pipeline of an execution or a stage, the stage execution of an action or a rule. name:
    an execution's type, a stage's, action's or rule's name.
    """

    id: int
    kind: str
    row: str
    execution: str
    place: str
    name: str
    old: str
    new: str


class Told(NamedTuple):
    """One event, and how many outbox rows it led to."""

    id: int
    kind: str
    pipeline: str
    execution: str
    stage: str
    action: str
    text: str
    outbox: int


class Due(NamedTuple):
    """A row that somebody must look at some time."""

    id: int
    execution: str
    name: str
    lane: int
    due_at: float
    status: str
    fence: int
    kind: str


EVENTS = """
SELECT e.id, e.kind, e.pipeline, e.execution_id, e.stage, e.action, e.text,
       (SELECT count(*) FROM outbox o WHERE o.event_id = e.id)
FROM event e WHERE e.id > ? ORDER BY e.id
"""
DUE = """
SELECT id, execution_id, name, lane, due_at, status, fence, kind
FROM action_execution WHERE due_at IS NOT NULL AND kind <> 'watch' ORDER BY id
"""


@dataclass(slots=True)
class Witness:
    """Reads what is new since it was last asked."""

    connection: sqlite3.Connection
    last_move: int = 0
    last_event: int = 0

    def moves(self) -> list[Move]:
        """The moves since the last time."""
        query = "SELECT * FROM simulated_move WHERE id > ? ORDER BY id"
        found = [Move(*row) for row in self.connection.execute(query, (self.last_move,))]
        self.last_move = found[-1].id if found else self.last_move
        return found

    def events(self) -> list[Told]:
        """The events since the last time."""
        found = [Told(*row) for row in self.connection.execute(EVENTS, (self.last_event,))]
        self.last_event = found[-1].id if found else self.last_event
        return found

    def due(self) -> list[Due]:
        """All rows that are due some time."""
        return [Due(*row) for row in self.connection.execute(DUE)]

    def is_due(self, now: float) -> bool:
        """Whether a turn of an engine would find something."""
        query = "SELECT 1 FROM action_execution WHERE lane IN (0, 1) AND due_at <= ? LIMIT 1"
        return self.connection.execute(query, (now,)).fetchone() is not None

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Anything else, by the names of its columns."""
        cursor = self.connection.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(query, values).fetchall()
