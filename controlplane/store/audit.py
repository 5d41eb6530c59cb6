"""The audit log's rows: added in the transaction of what they tell of, one after another."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, select

from controlplane.chain import Entry, Head, hash_of
from controlplane.clock import iso
from controlplane.store import locks
from controlplane.store.bulk import inserting
from controlplane.store.tables import AuditEntry, table

AUDIT = table(AuditEntry)
A = AUDIT.c
ADD = inserting(AUDIT, *(column.name for column in AUDIT.columns))
LAST = select(A.id, A.hash).order_by(A.id.desc()).limit(1)


class Decision(NamedTuple):
    """What somebody decided. who: a name; door: how he came in, "engine" where Towpath decided itself."""

    at: float
    who: str
    door: str
    kind: str
    pipeline: str = ""
    execution_id: str = ""
    stage: str = ""
    action: str = ""
    text: str = ""
    data: str = "{}"


class Decider(Protocol):
    """Who decides: a name, and by which door he came in."""

    @property
    def name(self) -> str: ...
    @property
    def door(self) -> str: ...


def note(connection: Connection, at: float, by: Decider, kind: str, text: str) -> None:
    """Add one decision that is about no pipeline and has no event."""
    locks.order_of_events(connection)
    append(connection, [Decision(at, by.name, by.door, kind, text=text)])


def append(connection: Connection, decisions: Sequence[Decision]) -> None:
    """Add decisions, in order. The caller holds `locks.order_of_events`: nobody else adds until we commit."""
    if not decisions:
        return
    last, rows = head(connection), []
    for decision in decisions:
        row = {**decision._asdict(), "id": last.id + 1, "previous": last.hash}
        last = Head(last.id + 1, hash_of(_said(row)))
        rows.append({**row, "hash": last.hash})
    ADD(connection, rows)


def head(connection: Connection) -> Head:
    """The newest entry."""
    row = connection.execute(LAST).one_or_none()
    return Head(row.id, row.hash) if row is not None else Head()


def entries(
    connection: Connection, after: int = 0, pipeline: str = "", limit: int = 500
) -> Iterator[Entry]:
    """Entries after an id, the oldest first, as they are hashed; of one pipeline, or all."""
    wanted = select(AUDIT).where(A.id > after).order_by(A.id).limit(limit)
    if pipeline:
        wanted = wanted.where(A.pipeline == pipeline)
    for row in connection.execute(wanted).mappings():
        yield {**_said(row), "hash": row["hash"]}


def newest(
    connection: Connection, before: int = 0, pipeline: str = "", limit: int = 50
) -> list[Entry]:
    """The newest entries, the newest first; before: an id to page on from."""
    wanted = select(AUDIT).order_by(A.id.desc()).limit(limit)
    if before:
        wanted = wanted.where(A.id < before)
    if pipeline:
        wanted = wanted.where(A.pipeline == pipeline)
    rows = connection.execute(wanted).mappings()
    return [{**_said(row), "hash": row["hash"]} for row in rows]


def _said(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as people read it, and as it is hashed."""
    return {
        "id": row["id"],
        "at": iso(row["at"]),
        "who": row["who"],
        "door": row["door"],
        "kind": row["kind"],
        "pipeline": row["pipeline"],
        "executionId": row["execution_id"],
        "stage": row["stage"],
        "action": row["action"],
        "text": row["text"],
        "data": json.loads(row["data"]),
        "previous": row["previous"],
    }
