"""Threads and the scheduler call the engine, nothing more.

APScheduler (3.11, the stable line) triggers the periodic work; the engine and the delivery wake
themselves.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from controlplane.engine import retention
from controlplane.wiring import House
from monitors.base import MonitorError

log = logging.getLogger(__name__)

FEED_PAUSE = 5.0
STALLED_AFTER = 30.0
HOUSEKEEPING = 60.0
HEARTBEAT = 10.0


class Worker:
    """Start it, stop it; a stop drains: what is being called is finished, claims are given back."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        """Everything in threads of its own."""
        self._thread("towpath-engine", self._house.engine.run)
        self._thread("towpath-delivery", self._house.delivery.run)
        if self._house.feed is not None:
            self._thread("towpath-feed", self._feed)
        self._scheduler.add_job(
            self._house.sources.poll,
            "interval",
            seconds=self._house.settings.poll_sources_seconds,
            max_instances=1,
            coalesce=True,
        )
        self._scheduler.add_job(
            self._keep_house, "interval", seconds=HOUSEKEEPING, max_instances=1, coalesce=True
        )
        self._house.health.beat()
        self._scheduler.add_job(self._house.health.beat, "interval", seconds=HEARTBEAT)
        self._scheduler.start()

    def stop(self) -> None:
        """Drain."""
        self._stop.set()
        self._scheduler.shutdown(wait=False)
        self._house.engine.stop()
        self._house.delivery.stop()
        for thread in self._threads:
            thread.join(timeout=30)
        self._house.health.leave()

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
        """Counters and retention: one replica at a time."""
        house = self._house
        try:
            with house.database.alone("retention") as mine:
                if mine:
                    keep, now = retention.wanted(house.settings), house.clock().timestamp()
                    retention.run_once(house.database, keep, now, pause=self._stop.wait)
        except (OSError, SQLAlchemyError) as error:
            log.error("retention stopped, and is tried again: %s", error)  # noqa: TRY400

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
