"""The engine: one thread that commits, and threads that call outside.

A turn is one transaction: the outcomes of the calls that ended, what follows from them, and the claim
of what is due. Then the claimed rows are called, grouped by driver, account and region. Level-triggered:
nothing is remembered here that is not in a row, so a turn that never happens is made up by the next.
"""

import functools
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from accounts import term
from controlplane.clock import Clock
from controlplane.engine import calls, outcomes, owners, work
from controlplane.engine.calls import Drivers, Result
from controlplane.engine.conflicts import is_conflict, retried
from controlplane.engine.lanes import LANES, Lanes
from controlplane.engine.settle import settle
from controlplane.engine.structures import Structures
from controlplane.engine.tasks import Job, jobs
from controlplane.engine.transaction import Transaction, transaction
from controlplane.states import ActionStatus
from controlplane.store import actions, locks
from controlplane.store.actions import Claim
from controlplane.store.database import Database, reason

log = logging.getLogger(__name__)

SHORTEST_NAP = 0.002
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """batch: rows claimed at once. threads: (rollback's lane, the ordinary one). lease, idle: seconds."""

    batch: int = 200
    threads: tuple[int, int] = (16, 16)
    lease: float = 30.0
    idle: float = 1.0


class Taken(NamedTuple):
    """What was claimed, when (by the database's clock), and when its transaction began (by `tick`)."""

    jobs: Sequence[Job]
    now: float
    began: float


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
        self._until: dict[int, float] = {}  # until when what is held is ours, by `tick`
        self._renewing: Sequence[int] = ()
        self.tick: Callable[[], float] = time.monotonic
        """Leases are counted by it here: a clock that jumps would make a call that comes too late."""
        self._wakeup = threading.Event()
        self._stop = threading.Event()
        self._running = False
        self._renewed = self._kept = 0.0
        self.drained = False
        self._lanes = Lanes(limits.threads, limits.batch, self._wakeup.set, pools)
        self.moves = 0
        self.last_turn = 0.0
        self._ahead = 0.0  # seconds by which the database's clock is ahead of this machine's
        database.on_wake(self._wakeup.set)

    def run(self) -> None:
        """Until `stop`: turns, and between them sleep until something is due or ends."""
        self._take_over()
        with self._database.tended():
            self._running = True
            while not self._stop.is_set():
                self._wakeup.clear()
                self._turn_or_nap()
        self._running = False
        self._drain()

    def _turn_or_nap(self) -> None:
        try:
            if not self.turn():
                self._wakeup.wait(self._nap())
        except OperationalError as error:
            log.error("the database cannot be used: %s; trying again", reason(error))  # noqa: TRY400 - it says all
            self._stop.wait(self._limits.idle)
        except Exception:
            log.exception("a turn of the engine failed; the next one tries again")
            self._stop.wait(self._limits.idle)

    def _take_over(self) -> None:
        """Make due at once what dead processes of this host held."""
        try:
            with self._database.begin() as connection:
                now = self._database.time(connection, self._now)
                for owner in actions.owners(connection):
                    if owners.is_dead(owner):
                        actions.release(connection, owner, now)
        except SQLAlchemyError:
            log.exception("what dead processes held is left to its leases")

    def stop(self) -> None:
        """End after this turn: finish what is being called, give back the rest."""
        self._running = False
        self._stop.set()
        self._wakeup.set()

    def take(self, tx: Transaction) -> Taken | None:
        """Claim what a transaction of this process that is no turn makes due; None where that must wait.

        Whoever commits it hands it back to `go`: the first call of what was just accepted goes out a whole
        turn sooner. Where this process ends in between, the lease does.
        """
        if not self._running:
            return None
        began = self.tick()
        tx.flush()
        wanted = self._wanted(tx)
        left = [max(0, room) for room in wanted.room]
        rows = actions.add_claimed(tx.connection, wanted, _taken(tx.new_actions, left))
        return self._taken(tx, rows, began)

    def go(self, taken: Taken) -> None:
        """Call what was taken, now that it is committed; in the thread that asks, whose request is granted."""
        try:
            self._call(*taken)
        except Exception:
            log.exception("what was taken at once could not be called; its leases run out")
        self._wakeup.set()

    def turn(self) -> bool:
        """One transaction and the calls it leads to; True where there may be more to do at once."""
        results = self._ended()
        try:
            rows, taken = retried(lambda: self._commit(results))
        except Exception:
            self._one_by_one(results)
            raise
        self._renewed = self._kept
        self._prolong(self._renewing, taken.began)
        self.moves += len(results) + len(rows)
        self.last_turn = self._now()
        self._ahead = taken.now - self.last_turn
        self._call(*taken)
        return bool(rows) or not self._results.empty()

    def _commit(self, results: Sequence[Result]) -> tuple[list[Any], Taken]:
        began, self._kept, self._renewing = self.tick(), self._renewed, ()
        with transaction(self._database, self._structures, self._now, wake=False) as tx:
            locks.stages(tx.connection, {result.job.row.stage_id for result in results})
            tx.keeps_new = True
            settle(tx, outcomes.record(tx, results))
            tx.flush()
            self._renew(tx)  # before claiming: after a pause of the machine, what is ours is due
            rows = self._claim(tx)
            return rows, self._taken(tx, rows, began)

    def _taken(self, tx: Transaction, rows: Sequence[Any], began: float) -> Taken:
        """What is to be called of claimed rows; what workers are to do is on record with the claim."""
        found = jobs(tx.connection, self._structures, rows, tx.now, tx.entered)
        return Taken(work.on_record(tx, found), tx.now, began)

    def _one_by_one(self, results: Sequence[Result]) -> None:
        """Write what can be written: one outcome that cannot must not take the others with it."""
        for result in results:
            try:
                retried(functools.partial(self._write, [result]))
            except Exception as error:
                if isinstance(error, OperationalError) and not is_conflict(error):
                    raise  # the database is away, and would be for each: the leases run out
                token = result.job.task.token
                log.exception("%s: its outcome cannot be written; its lease runs out", token)

    def _write(self, results: Sequence[Result]) -> None:
        with transaction(self._database, self._structures, self._now, wake=False) as tx:
            locks.stages(tx.connection, {result.job.row.stage_id for result in results})
            settle(tx, outcomes.record(tx, results))

    def _ended(self) -> list[Result]:
        results: list[Result] = []
        while not self._results.empty() and len(results) < 2 * self._limits.batch:
            result = self._results.get()
            results.append(result)
            row = result.job.row
            if self._held.get(row.id) == row.fence:  # a late one of an old claim ends no newer one
                self._held.pop(row.id)
                self._until.pop(row.id, None)
        return results

    def _claim(self, tx: Transaction) -> list[Any]:
        """What is due longest, and where there is room left, what this turn itself made due."""
        tx.keeps_new = False
        wanted = self._wanted(tx)
        room = wanted.room
        if room == (0, 0):
            return []
        rows: list[Any] = list(actions.claim(tx.connection, wanted))
        left = [room[lane] - sum(row.lane == lane for row in rows) for lane in LANES]
        return rows + actions.add_claimed(tx.connection, wanted, _taken(tx.new_actions, left))

    def _wanted(self, tx: Transaction) -> Claim:
        room = (max(0, self._room(0)), max(0, self._room(1)))
        return Claim(self.owner, tx.now, tx.now + self._limits.lease, room)

    def _renew(self, tx: Any) -> None:
        """Heartbeat: what is still being called stays ours."""
        if self._held and tx.now - self._renewed > self._limits.lease / 3:
            until = tx.now + self._limits.lease
            self._renewing = actions.renew(tx.connection, dict(self._held), until)
            self._kept = tx.now  # it counts once this transaction has committed

    def _call(self, found: Sequence[Job], now: float, began: float) -> None:
        groups: dict[tuple[Any, ...], list[Job]] = {}
        for job in found:
            if job.error or job.key not in self._drivers:
                self._results.put(_refused(job, now))
            elif _is_late(job, now):
                self._submit([job], calls.time_out, job, began)
            elif job.row.status == ActionStatus.STARTING:
                self._submit([job], calls.give_up if job.stopping else calls.start, job, began)
            else:
                place = (job.row.lane, calls.place(self._drivers, job))
                groups.setdefault(place, []).append(job)
        for group in groups.values():
            self._submit(group, calls.look, group, began)

    def _submit(
        self,
        group: Sequence[Job],
        call: Callable[[Drivers, Any], list[Result]],
        what: Any,
        began: float,
    ) -> None:
        """Call it where the engine stands, or at its place in its lane; later, if that is full."""
        lane, driver = group[0].row.lane, self._drivers[group[0].key]
        if calls.is_inline(driver):
            self._finish(call(self._drivers, what))
            return
        where, width = calls.place(self._drivers, group[0]), calls.side_by_side(driver)
        late, stale = call is calls.time_out, began + self._limits.lease

        def work() -> None:
            # Another may have made it, and no fence holds at the vendor; or its stage was stopped.
            if self.tick() >= stale and not late:
                self._finish([calls.crowded_out(job, late=False) for job in group])
            elif late:
                self._finish(call(self._drivers, what))
            else:
                with term.within(self._term(held)):
                    self._finish(call(self._drivers, what))

        # What is held is renewed until its result comes: only what somebody calls may be.
        held = {job.row.id: job.row.fence for job in group}
        self._held.update(held)
        self._until.update(dict.fromkeys(held, stale))
        try:
            fits = self._lanes.submit(lane, where, work, width=width)
        except Exception:
            for id_ in held:
                self._held.pop(id_, None)
                self._until.pop(id_, None)
            raise
        if not fits:
            self._finish([calls.crowded_out(job, late=late) for job in group])

    def _finish(self, results: Sequence[Result]) -> None:
        for result in results:
            self._results.put(result)

    def _room(self, lane: int) -> int:
        return self._lanes.room(lane)

    def _term(self, held: Mapping[int, int]) -> term.Term:
        """How long what is held stays ours; what is held no longer is nobody's to call for.

        Nor is what we hold by another claim since: that is called for anew.
        """

        def left() -> float:
            ours = (self._held.get(id_) == fence for id_, fence in held.items())
            if not all(ours):
                return 0.0
            return min(self._until.get(id_, 0.0) for id_ in held) - self.tick()

        return term.Term(left, term.least(self._limits.lease))

    def _prolong(self, ids: Sequence[int], began: float) -> None:
        """The lease of these was renewed, and that is committed."""
        for id_ in ids:
            if id_ in self._until:
                self._until[id_] = began + self._limits.lease

    def _keep(self) -> None:
        """Renew what is held, outside a turn."""
        began = self.tick()
        try:
            with self._database.begin() as connection:
                until = self._database.time(connection, self._now) + self._limits.lease
                kept = actions.renew(connection, dict(self._held), until)
            self._prolong(kept, began)
        except SQLAlchemyError:
            log.exception("what is still being called could not be kept; its leases run out")

    def _nap(self) -> float:
        """Until something is due that could be called, and no longer than `idle`."""
        lanes = [lane for lane in LANES if self._room(lane) > 0]  # a call that ends wakes us
        with self._database.read() as connection:
            due = actions.next_due(connection, lanes)
        wait = self._limits.idle if due is None else due - self._now() - self._ahead
        return min(self._limits.idle, max(SHORTEST_NAP, wait))

    def _drain(self) -> None:
        """Finish the calls that are under way, write what came of them, give back the rest."""
        ending = threading.Thread(target=self._lanes.close, name="towpath-drain")
        ending.start()
        while ending.is_alive():  # a call may last longer than a lease; it stays ours until it ends
            ending.join(self._limits.lease / 3)
            self._keep()
        while results := self._ended():
            self._one_by_one(results)
        retried(self._release)
        self.drained = True

    def _release(self) -> None:
        with self._database.begin() as connection:
            actions.release(connection, self.owner, self._database.time(connection, self._now))


def _taken(new: list[dict[str, Any]], room: list[int]) -> list[dict[str, Any]]:
    """Take out of the new rows as many of each lane as there is room for."""
    taken: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for row in new:
        fits = row["status"] == ActionStatus.READY and room[row["lane"]] > 0
        room[row["lane"]] -= fits
        (taken if fits else others).append(row)
    new[:] = others
    return taken


def _is_late(job: Job, now: float) -> bool:
    """Its time is over, and no answer came in time that nobody has looked at yet."""
    timeout = job.row.timeout_at
    return timeout is not None and timeout <= now and not job.row.answer


def _refused(job: Job, now: float) -> Result:
    """There is nothing to call: an input is missing, or no driver is known."""
    why = job.error or f"no driver is known for {'/'.join(job.key)}"
    return calls.refused(job, why, late=_is_late(job, now))
