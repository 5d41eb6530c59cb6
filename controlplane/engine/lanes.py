"""Who calls outside: threads in two lanes, and a bulkhead for each place.

A place is an endpoint as we reach it: lane, account, region and driver (and the address, where a
driver's endpoint has one). The calls of a place run one after another, so an endpoint that hangs
holds one thread for its time-out, and what else is to be called there waits at the place and not in
the pool. Where a driver lets several run side by side, those beside the first take spare threads only:
half of a lane's are kept for the first calls of places, so no places that hang close a lane to others.
Rollback's lane has threads of its own, so nothing ordinary holds it up.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

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


@dataclass(slots=True)
class _Entry:
    """A call that was handed to a pool. A pool may keep it though it raised: then it is void."""

    call: Call
    begun: bool = False
    void: bool = False


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
        self._stalled: set[Place] = set()
        """Where a pool refused the next call when another one ended: tried again at each turn."""
        self._closed = False
        # Re-entrant: an executor that runs at once comes back here from within `submit`.
        self._lock = threading.RLock()

    def room(self, lane: int) -> int:
        """How many more calls the lane takes now."""
        with self._lock:
            if self._stalled:
                self._try_again()
            return self._most - self._taken[lane]

    def submit(self, lane: int, where: Sequence[str], call: Call, *, width: int = 1) -> bool:
        """Run it when its place has room for it; False where too much waits there already.

        Raises what the pool raises (no thread can be had): then it is as if nobody had asked.
        width: how many calls may run side by side in this place.
        """
        place = (lane, tuple(where))
        with self._lock:
            bulkhead = self._places.setdefault(place, _Bulkhead())
            if len(bulkhead.waiting) >= QUEUE:
                return False
            counts = bulkhead.calls < self._share
            self._taken[lane] += counts
            bulkhead.waiting.append(call)
            bulkhead.width = width
            try:
                self._fill(lane, place, bulkhead)
            except Exception:
                if bulkhead.waiting and bulkhead.waiting[-1] is call:
                    bulkhead.waiting.pop()
                    self._taken[lane] -= counts
                self._forget_if_empty(place, bulkhead)
                raise
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
            entry = _Entry(bulkhead.waiting.popleft())
            try:
                self._pools[lane].submit(self._run, lane, place, entry)
            except Exception:
                if not entry.begun:  # it may be in the pool's queue all the same
                    entry.void = True
                    bulkhead.running -= 1
                    self._spare[lane] += beside
                    bulkhead.waiting.appendleft(entry.call)
                raise

    def _run(self, lane: int, place: Place, entry: _Entry) -> None:
        with self._lock:
            if entry.void:
                return
            entry.begun = True
        try:
            entry.call()
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
            self._fill_or_stall(lane, place, bulkhead)
            self._forget_if_empty(place, bulkhead)

    def _fill_or_stall(self, lane: int, place: Place, bulkhead: _Bulkhead) -> None:
        """Whose call just ended is not to blame where no thread can be had for the next."""
        try:
            self._fill(lane, place, bulkhead)
        except Exception:
            log.exception("a call to %s cannot be begun yet", "/".join(place[1]))
            self._stalled.add(place)

    def _try_again(self) -> None:
        stalled, self._stalled = self._stalled, set()
        for place in stalled:
            if (bulkhead := self._places.get(place)) is not None:
                self._fill_or_stall(place[0], place, bulkhead)

    def _forget_if_empty(self, place: Place, bulkhead: _Bulkhead) -> None:
        if not bulkhead.calls:
            self._places.pop(place, None)
