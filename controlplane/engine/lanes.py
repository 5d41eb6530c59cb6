"""Who calls outside: threads in two lanes, and a bulkhead for each place.

A place is an endpoint as we reach it: lane, account, region and driver (and the address, where a
driver's endpoint has one). The calls of a place run one after another, so an endpoint that hangs
holds one thread for its time-out, and what else is to be called there waits at the place and not in
the pool. Where a driver lets several run side by side, those beside the first take spare threads only:
half of a lane's are kept for the first calls of places, so no places that hang close a lane to others.
Rollback's lane has threads of its own, so nothing ordinary holds it up.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

LANES = (0, 1)
"""Rollback's own lane is served first, and has threads of its own."""
SHARE = 8
"""One place takes at most an eighth of its lane's room, however much waits there."""
QUEUE = 500
"""Calls that wait at one place; more are put back into the database for a while."""

Place = tuple[int, tuple[str, ...]]
"""The lane, and whatever names the endpoint."""
Call = Callable[[], object]


@dataclass(slots=True)
class _Bulkhead:
    """One place's calls: those that wait, how many threads are in it, and how many may be."""

    waiting: deque[Call] = field(default_factory=deque)
    running: int = 0
    width: int = 1

    @property
    def calls(self) -> int:
        return len(self.waiting) + self.running


class Lanes:
    """Runs calls by place. Safe under threads."""

    def __init__(
        self,
        threads: Sequence[int],
        room: int,
        ended: Callable[[], None],
        pools: Sequence[Executor] | None = None,
    ) -> None:
        """threads: of each lane; room: calls a lane may have under way; ended: told after each.

        pools: who runs the calls, where it is not to be threads of our own.
        """
        self._pools: Sequence[Executor] = pools or tuple(
            ThreadPoolExecutor(n, thread_name_prefix=f"towpath-lane{lane}")
            for lane, n in zip(LANES, threads, strict=True)
        )
        self._spare = [n // 2 for n in threads]
        self._most = room
        self._share = max(1, room // SHARE)
        self._ended = ended
        self._places: dict[Place, _Bulkhead] = {}
        self._taken = [0 for _ in LANES]
        self._closed = False
        # Re-entrant: an executor that runs at once comes back here from within `submit`.
        self._lock = threading.RLock()

    def room(self, lane: int) -> int:
        """How many more calls the lane takes now."""
        with self._lock:
            return self._most - self._taken[lane]

    def submit(self, lane: int, where: Sequence[str], call: Call, *, width: int = 1) -> bool:
        """Run it when its place has room for it; False where too much waits there already.

        width: how many calls may run side by side in this place.
        """
        place = (lane, tuple(where))
        with self._lock:
            bulkhead = self._places.setdefault(place, _Bulkhead())
            if len(bulkhead.waiting) >= QUEUE:
                return False
            self._taken[lane] += bulkhead.calls < self._share
            bulkhead.waiting.append(call)
            bulkhead.width = width
            self._fill(lane, place, bulkhead)
        return True

    def close(self) -> None:
        """Finish what is being called; what waits is not called any more."""
        with self._lock:
            self._closed = True
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)

    def _fill(self, lane: int, place: Place, bulkhead: _Bulkhead) -> None:
        """Let in what waits and may."""
        while bulkhead.waiting and not self._closed:
            beside = bulkhead.running > 0
            if beside and not (bulkhead.running < bulkhead.width and self._spare[lane]):
                return
            self._spare[lane] -= beside
            bulkhead.running += 1
            self._pools[lane].submit(self._run, lane, place, bulkhead.waiting.popleft())

    def _run(self, lane: int, place: Place, call: Call) -> None:
        try:
            call()
        finally:
            self._leave(lane, place)
            self._ended()

    def _leave(self, lane: int, place: Place) -> None:
        """Make room; the place's next call goes to the end of the pool's queue, behind others."""
        with self._lock:
            bulkhead = self._places[place]
            self._taken[lane] -= bulkhead.calls <= self._share
            bulkhead.running -= 1
            self._spare[lane] += bulkhead.running > 0
            self._fill(lane, place, bulkhead)
            if not bulkhead.calls:
                self._places.pop(place, None)
