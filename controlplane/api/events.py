"""Events in order; with `wait`, the answer comes when there is something to tell (a long poll)."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from fastapi import Query
from fastapi.concurrency import run_in_threadpool

from controlplane.api import words
from controlplane.api.documents import Document
from controlplane.api.guard import GivenHolder, guarded_router
from controlplane.api.inputs import EventId, FilterName, Limit
from controlplane.api.parts import GivenChanges, GivenParts, Parts
from controlplane.store import queries
from controlplane.store.grants import seen_by

router = guarded_router("events")

MAX_WAIT = 20.0
PASSED_OVER = 20
"""Pages of events that somebody may not read, of one answer."""
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT, allow_inf_nan=False)]


@router.get("/events")
async def list_events(  # noqa: PLR0913 - one parameter a filter, all by name
    parts: GivenParts,
    changes: GivenChanges,
    holder: GivenHolder,
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
    seen = seen_by(holder.grants)
    reading = Reading(parts, wanted, (lambda _: True) if seen is None else seen)
    found, newest, after = await run_in_threadpool(reading.read, after)
    while not found and left > 0 and newest >= 0:
        began = parts.clock()
        if await changes.after(newest, left) == newest:
            break
        left -= max(0.05, (parts.clock() - began).total_seconds())
        found, newest, after = await run_in_threadpool(reading.read, after)
    return {"events": found, "last": after}


class Reading(NamedTuple):
    """What somebody wants of the events, and of which pipelines he may read them."""

    parts: Parts
    wanted: dict[str, Any]
    seen: Callable[[str], bool]

    def read(self, after: int) -> tuple[list[Document], int, int]:
        """Answer the next page that shows him anything, the newest event, and what to ask for next.

        Of a long history that is not his so much is passed over at once; newest is -1 where there is more.
        """
        with self.parts.database.read() as connection:
            newest = queries.last_event(connection)
            for _ in range(PASSED_OVER):
                rows = queries.events_after(connection, after, **self.wanted)
                after = rows[-1].id if rows else after
                found = [words.event(row) for row in rows if self.seen(row.pipeline)]
                if found or not rows:
                    return found, newest, after
        return [], -1, after
