"""Compare-and-swap in bulk: every row is moved from the state that it was seen in, or none is."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from controlplane.store.bulk import Bulk


class StaleError(Exception):
    """Somebody else moved a row in between: the transaction must be taken back and decided anew."""


def swap(connection: Connection, change: Bulk, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change every row; StaleError where one was no longer as it was seen."""
    moved = change(connection, rows)
    if moved != len(rows):
        table = change.target.name
        raise StaleError(f"{len(rows) - moved} of {len(rows)} rows of {table} had moved on")
