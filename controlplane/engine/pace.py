"""When to look again: rows of one place fall due together, so that one call looks at all of them.

Rows start at any moment; each with its own due time would be looked at by a call of its own. So a
look's time is rounded down to a grid: sooner than asked for, never later. The grids are nested
(every tick of 10 s is one of 5, 2 and 1), and each place has a phase of its own, so that places
take turns. Pure: it reads no clock.
"""

import zlib
from functools import lru_cache

from controlplane.engine.calls import Result

STEPS = (60, 20, 10, 5, 2, 1)
"""Seconds. A pause below the least is kept as it is: somebody waits for it."""
PHASES = 60_000


def due(result: Result, now: float) -> float | None:
    """When the row of an outcome is due again; None: nobody looks before its time-out.

    What failed or must wait its turn is tried after exactly its pause: sooner, it may be refused
    again. No time-out is slept through.
    """
    pause, task = result.due_in, result.job.task
    timeout: float | None = result.job.row.timeout_at
    if pause is None:
        return timeout
    where = (*result.job.key, task.account, task.region)
    at = now + pause if result.failures or result.exactly else aligned(now, pause, where)
    return at if timeout is None else min(at, timeout)


def aligned(now: float, pause: float, where: tuple[str, ...]) -> float:
    """The last tick of the place's grid that is no later than now + pause."""
    step = next((step for step in STEPS if step <= pause), None)
    if step is None:
        return now + pause
    shift = phase(where)
    # Whole seconds are added to the phase, so rows of a place get the very same number.
    tick = shift + step * ((now + pause - shift) // step)
    return tick if tick > now else now + pause


@lru_cache(maxsize=4096)
def phase(where: tuple[str, ...]) -> float:
    """Where in the minute a place's ticks lie; the same in every process."""
    return zlib.crc32("/".join(where).encode()) % PHASES / 1000
