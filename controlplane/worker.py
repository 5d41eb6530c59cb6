"""Threads and the scheduler call the engine, nothing more.

APScheduler (3.11, the stable line) triggers the periodic work; the engine and the delivery wake
themselves.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from accounts.base import AccountError
from controlplane.engine import retention
from controlplane.store import periodic
from controlplane.wiring import House
from monitors.base import MonitorError

log = logging.getLogger(__name__)

FEED_PAUSE = 5.0
LOOKS_A_TURN = 4
"""How often a replica asks, within one interval, whether periodic work is due and nobody has done it."""
REFRESH = 5.0
STALLED_AFTER = 30.0
HOUSEKEEPING = 60.0
LATE = 15.0
HEARTBEAT = 10.0
DRILLING = 1.0
"""Seconds between two steps of the drills that are open: an alarm that is set does not stay so for long."""
SCHEDULE = 60.0
SHADOWING = 60.0
DRAINED_WITHIN = 110.0
"""Seconds: what a driver does at once is a few calls to a vendor, each 39 at most (accounts.connect)."""


COALESCED: Mapping[str, Any] = {
    "coalesce": True,
    "misfire_grace_time": None,
    "max_instances": 2,
}
"""Turns that were missed are made up by one, however late. Two instances: while a turn lasts, the next one
finds it at work and leaves (`one_at_a_time`), where APScheduler would log each as a warning.
https://apscheduler.readthedocs.io/en/3.x/userguide.html#missed-job-executions-and-coalescing
"""


def one_at_a_time(work: Callable[[], object]) -> Callable[[], None]:
    """Do it, unless it is being done."""
    busy = threading.Lock()

    def turn() -> None:
        if busy.acquire(blocking=False):
            try:
                work()
            finally:
                busy.release()

    return turn


YOUNG = 50_000
"""Objects; a batch of rows on their way makes some ten thousand, and none of them is in a cycle."""


def settle_memory() -> None:
    """Let the garbage collector look less often, and never at what lives as long as the process.

    As Python has it, it begins after 700 new objects: many times in every turn, to find nothing, for what a
    turn makes goes by its reference counts. And now and then it walks over all that was ever imported and
    parsed, which holds every thread up for a fifth of a second. https://docs.python.org/3/library/gc.html
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)


class Worker:
    """Start it, stop it; a stop drains: what is being called is finished, claims are given back."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=COALESCED)

    def start(self) -> None:
        """Everything in threads of its own."""
        settle_memory()
        self._thread("towpath-engine", self._house.engine.run)
        self._thread("towpath-delivery", self._house.delivery.run)
        self._thread("towpath-slack", self._house.inbox.run)
        if self._house.sockets is not None:
            self._thread("towpath-sockets", self._house.sockets.run)
        if self._house.feed is not None:
            self._thread("towpath-feed", self._feed)
        self._every(self._house.settings.poll_sources_seconds, "sources", self._house.sources.poll)
        self._every(LATE, "late deliveries", self._house.late.run_once)
        self._every(HOUSEKEEPING, "retention", self._keep_house)
        self._every(SHADOWING, "shadows", self._house.shadow.follow)
        if self._house.settings.digest_at is not None:
            self._every(SCHEDULE, "digest of the day", self._house.daily.tell)
        if self._house.settings.drills:
            self._every(SCHEDULE, "drills due", self._drills_due)
        self._scheduler.add_job(
            self._drill, "interval", seconds=DRILLING, max_instances=1, coalesce=True
        )
        self._house.health.beat()
        self._at(HEARTBEAT, self._house.health.beat)
        self._at(REFRESH, self._refresh)
        self._scheduler.start()

    def stop(self) -> None:
        """Drain."""
        self._stop.set()
        self._scheduler.shutdown(wait=False)
        self._house.engine.stop()
        self._house.delivery.stop()
        if self._house.sockets is not None:
            self._house.sockets.stop()
        self._house.inbox.stop()
        until = time.monotonic() + DRAINED_WITHIN
        for thread in self._threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))
        self._house.health.leave()
        busy = [thread.name for thread in self._threads if thread.is_alive()]
        if busy or not self._house.engine.drained:
            log.error("not drained in %.0f s (%s): its leases run out", DRAINED_WITHIN, busy)
        else:
            log.info("drained: what was begun is written, the rest is given back")

    def alive(self) -> dict[str, str]:
        """The threads that died, by name: none, where all is well."""
        return {t.name: "the thread died" for t in self._threads if not t.is_alive()}

    def health(self) -> dict[str, str]:
        """What keeps this process from being ready, by name; empty where nothing does."""
        problems = self.alive()
        engine = self._house.engine
        silent = self._house.clock().timestamp() - engine.last_turn
        if engine.last_turn and silent > STALLED_AFTER:
            problems["engine"] = f"no turn for {silent:.0f} s"
        problems |= self._house.health.problems()
        return problems

    def _keep_house(self) -> None:
        """Counters and retention."""
        house = self._house
        keep = retention.wanted(house.settings)
        with house.database.read() as connection:  # what ended, ended by the database's clock
            now = house.database.time(connection, lambda: house.clock().timestamp())
        try:
            retention.run_once(house.database, keep, now, pause=self._stop.wait)
        except OSError as error:
            log.error("the archive cannot be written, nothing was deleted: %s", error)  # noqa: TRY400

    def _drills_due(self) -> None:
        """Whether one is due is a row of its own."""
        self._house.drills.due(self._house.settings.drills)

    def _drill(self) -> None:
        """One replica at a time takes those that are open further; where none is, one look says so."""
        runs = self._house.drill_runs
        try:
            if runs.any_open():
                with self._house.database.alone("drills") as mine:
                    if mine:
                        runs.step()
        except SQLAlchemyError:
            log.exception("drills wait; the next turn tries")

    def _refresh(self) -> None:
        """Other replicas change accounts too."""
        try:
            self._house.registry.refresh()
        except (SQLAlchemyError, AccountError):
            log.exception("the accounts could not be read anew; those known go on counting")

    def _every(self, seconds: float, name: str, work: Callable[[], object]) -> None:
        """Have it done every so many seconds by one replica, whichever comes first."""
        pause = max(1.0, seconds / LOOKS_A_TURN)
        self._at(pause, lambda: self._take_turn(seconds, name, work))

    def _at(self, seconds: float, work: Callable[[], object]) -> None:
        self._scheduler.add_job(one_at_a_time(work), "interval", seconds=seconds)

    def _take_turn(self, seconds: float, name: str, work: Callable[[], object]) -> None:
        """The row says whether it is due; the lock, that no replica is still at it."""
        database = self._house.database
        try:
            with database.alone(name) as mine:
                if mine and self._is_due(seconds, name):
                    work()
        except SQLAlchemyError:
            log.exception("%s could not be done; the next turn tries", name)

    def _is_due(self, seconds: float, name: str) -> bool:
        database = self._house.database
        with database.begin() as connection:
            now = database.time(connection, lambda: self._house.clock().timestamp())
            return periodic.take(connection, name, now, seconds)

    def _thread(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _feed(self) -> None:
        """Take source events as they come; where the queue cannot be read, polling goes on."""
        feed = self._house.feed
        while feed is not None and not self._stop.is_set():
            try:
                self._house.sources.take(feed)
            except MonitorError as error:
                log.warning("the queue of source events could not be read: %s", error)
                self._stop.wait(FEED_PAUSE)
            except Exception:
                log.exception("taking source events failed; the events stay in the queue")
                self._stop.wait(FEED_PAUSE)
