"""Compare-and-swap in bulk: every row is moved from the state that it was seen in, or none is."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Update


class StaleError(Exception):
    """Somebody else moved a row in between: the transaction must be taken back and decided anew."""


def swap(connection: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run the statement for every row; StaleError where one was no longer as it was seen."""
    if not rows:
        return
    moved = connection.execute(statement, list(rows)).rowcount
    if moved != len(rows):
        table = statement.table.description
        raise StaleError(f"{len(rows) - moved} of {len(rows)} rows of {table} had moved on")
