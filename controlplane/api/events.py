"""Events in order; with `wait`, the answer comes when there is something to tell (a long poll)."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.concurrency import run_in_threadpool

from controlplane.api import words
from controlplane.api.documents import Document
from controlplane.api.guard import guarded_router
from controlplane.api.inputs import EventId, FilterName, Limit
from controlplane.api.parts import GivenChanges, GivenParts, Parts
from controlplane.store import queries

router = guarded_router("events")

MAX_WAIT = 20.0
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, allow_inf_nan=False)]


@router.get("/events")
async def list_events(  # noqa: PLR0913 - one parameter a filter, all by name
    parts: GivenParts,
    changes: GivenChanges,
    after: EventId = 0,
    pipeline: FilterName = "",
    execution: FilterName = "",
    limit: Limit = 500,
    wait: Wait = 0,
) -> Document:
    """Events after an id. wait: seconds to wait where there is none yet.

    `last` is what to ask for next (`after`).
    """
    # Waiting is counted by the polls' own time-outs: this room reads no clock.
    wanted = {"pipeline": pipeline, "execution": execution, "limit": limit}
    left = wait
    found, newest = await run_in_threadpool(_read, parts, after, wanted)
    while not found and left > 0:
        began = parts.clock()
        if await changes.after(newest, left) == newest:
            break
        left -= max(0.05, (parts.clock() - began).total_seconds())
        found, newest = await run_in_threadpool(_read, parts, after, wanted)
    return {"events": found, "last": found[-1]["id"] if found else max(after, 0)}


def _read(parts: Parts, after: int, wanted: dict[str, Any]) -> tuple[list[Document], int]:
    with parts.database.read() as connection:
        newest = queries.last_event(connection)
        rows = queries.events_after(connection, after, **wanted)
        return [words.event(row) for row in rows], newest
