"""The engine: one thread that commits, and threads that call outside.

A turn is one transaction: the outcomes of the calls that ended, what follows from them, and the claim
of what is due. Then the claimed rows are called, grouped by driver, account and region. Level-triggered:
nothing is remembered here that is not in a row, so a turn that never happens is made up by the next.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from controlplane.clock import Clock
from controlplane.engine import calls, outcomes, owners
from controlplane.engine.calls import Drivers, Result
from controlplane.engine.settle import settle
from controlplane.engine.structures import Structures
from controlplane.engine.tasks import Job, jobs
from controlplane.engine.transaction import transaction
from controlplane.states import ActionStatus
from controlplane.store import actions
from controlplane.store.actions import Claim
from controlplane.store.database import Database

log = logging.getLogger(__name__)

LANES = (0, 1)
"""Rollback's own lane is served first, and has threads of its own."""


SHORTEST_NAP = 0.002
"""Seconds; due rows may be unclaimable for a moment because every thread is busy."""


@dataclass(frozen=True, slots=True)
class Limits:
    """batch: rows claimed at once. threads: (rollback's lane, the ordinary one). lease, idle: seconds."""

    batch: int = 200
    threads: tuple[int, int] = (8, 16)
    lease: float = 30.0
    idle: float = 1.0


class Engine:
    """Moves every execution further, until stopped."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        drivers: Drivers,
        clock: Clock,
        limits: Limits = Limits(),
        pools: Sequence[Executor] | None = None,
    ) -> None:
        """pools: who calls outside, one for each lane; threads where none are given."""
        self._database = database
        self._structures = structures
        self._drivers = drivers
        self._now: Callable[[], float] = lambda: clock().timestamp()
        self._limits = limits
        self.owner = owners.me()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._held: dict[int, int] = {}
        self._busy = [0, 0]
        self._wakeup = threading.Event()
        self._stop = threading.Event()
        self._renewed = 0.0
        self._pools: Sequence[Executor] = pools or tuple(
            ThreadPoolExecutor(n, thread_name_prefix=f"towpath-lane{lane}")
            for lane, n in zip(LANES, limits.threads, strict=True)
        )
        self.moves = 0
        self.last_turn = 0.0
        database.on_wake(self._wakeup.set)

    def run(self) -> None:
        """Until `stop`: turns, and between them sleep until something is due or ends."""
        self._take_over()
        while not self._stop.is_set():
            self._wakeup.clear()
            try:
                busy = self.turn()
            except Exception:
                log.exception("a turn of the engine failed; the next one tries again")
                self._stop.wait(self._limits.idle)
                continue
            if not busy:
                self._wakeup.wait(self._nap())
        self._drain()

    def _take_over(self) -> None:
        """Make due at once what dead processes of this host held."""
        with self._database.begin() as connection:
            for owner in actions.owners(connection):
                if owners.is_dead(owner):
                    actions.release(connection, owner, self._now())

    def stop(self) -> None:
        """End after this turn: finish what is being called, give back the rest."""
        self._stop.set()
        self._wakeup.set()

    def turn(self) -> bool:
        """One transaction and the calls it leads to; True where there may be more to do at once."""
        results = self._ended()
        with transaction(self._database, self._structures, self._now, wake=False) as tx:
            settle(tx, outcomes.record(tx, results))
            tx.flush()
            rows = self._claim(tx)
            self._renew(tx)
            found = jobs(tx.connection, self._structures, rows, tx.now)
        self.moves += len(results) + len(rows)
        self.last_turn = tx.now
        self._call(found, tx.now)
        return bool(rows) or not self._results.empty()

    def _ended(self) -> list[Result]:
        results: list[Result] = []
        while not self._results.empty() and len(results) < 2 * self._limits.batch:
            result = self._results.get()
            results.append(result)
            self._held.pop(result.job.row.id, None)
        return results

    def _claim(self, tx: Any) -> list[Any]:
        rows: list[Any] = []
        for lane in LANES:
            room = self._limits.batch - self._busy[lane]
            if room > 0:
                until = tx.now + self._limits.lease
                wanted = Claim(self.owner, tx.now, until, room, lane)
                rows.extend(actions.claim(tx.connection, wanted))
        return rows

    def _renew(self, tx: Any) -> None:
        """Heartbeat: what is still being called stays ours."""
        if self._held and tx.now - self._renewed > self._limits.lease / 3:
            actions.renew(tx.connection, self._held, tx.now + self._limits.lease)
            self._renewed = tx.now

    def _call(self, found: Sequence[Job], now: float) -> None:
        groups: dict[tuple[Any, ...], list[Job]] = {}
        for job in found:
            self._held[job.row.id] = job.row.fence
            if job.error or job.key not in self._drivers:
                self._results.put(_refused(job))
            elif job.row.timeout_at is not None and job.row.timeout_at <= now:
                self._submit(job, calls.time_out, job)
            elif job.row.status == ActionStatus.STARTING:
                self._submit(job, calls.start, job)
            else:
                place = (job.row.lane, job.key, job.task.account, job.task.region)
                groups.setdefault(place, []).append(job)
        for group in groups.values():
            self._submit(group[0], calls.look, group)

    def _submit(self, job: Job, call: Callable[[Drivers, Any], list[Result]], what: Any) -> None:
        if calls.is_inline(self._drivers[job.key]):
            self._finish(call(self._drivers, what), None)
            return
        lane = job.row.lane
        self._busy[lane] += 1
        self._pools[lane].submit(lambda: self._finish(call(self._drivers, what), lane))

    def _finish(self, results: Sequence[Result], lane: int | None) -> None:
        for result in results:
            self._results.put(result)
        if lane is not None:
            self._busy[lane] -= 1
            self._wakeup.set()

    def _nap(self) -> float:
        """Until something is due, and no longer than `idle`."""
        with self._database.read() as connection:
            due = actions.next_due(connection)
        wait = self._limits.idle if due is None else due - self._now()
        return min(self._limits.idle, max(SHORTEST_NAP, wait))

    def _drain(self) -> None:
        """Finish the calls that are under way, write what came of them, give back the rest."""
        for pool in self._pools:
            pool.shutdown(wait=True)
        with transaction(self._database, self._structures, self._now, wake=False) as tx:
            settle(tx, outcomes.record(tx, self._ended()))
            tx.flush()
            actions.release(tx.connection, self.owner, tx.now)


def _refused(job: Job) -> Result:
    """There is nothing to call: an input is missing, or no driver is known."""
    why = job.error or f"no driver is known for {'/'.join(job.key)}"
    return Result(job, ActionStatus.FAILED, job.row.handle, why)
