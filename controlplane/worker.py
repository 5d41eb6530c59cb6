"""Threads and the scheduler call the engine, nothing more.

APScheduler (3.11, the stable line) triggers the periodic work; the engine and the delivery wake
themselves.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC

from apscheduler.schedulers.background import BackgroundScheduler

from controlplane.actions.base import EventFeed
from controlplane.engine.delivery import Delivery
from controlplane.engine.loop import Engine
from controlplane.engine.sources import Sources
from monitors.base import MonitorError

log = logging.getLogger(__name__)

FEED_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Jobs:
    """What a worker runs. poll_seconds: how often sources are polled."""

    engine: Engine
    delivery: Delivery
    sources: Sources
    feed: EventFeed | None
    poll_seconds: float


class Worker:
    """Start it, stop it; a stop drains: what is being called is finished, claims are given back."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        """Everything in threads of its own."""
        self._thread("towpath-engine", self._jobs.engine.run)
        self._thread("towpath-delivery", self._jobs.delivery.run)
        if self._jobs.feed is not None:
            self._thread("towpath-feed", self._feed)
        self._scheduler.add_job(
            self._jobs.sources.poll,
            "interval",
            seconds=self._jobs.poll_seconds,
            max_instances=1,
            coalesce=True,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Drain."""
        self._stop.set()
        self._scheduler.shutdown(wait=False)
        self._jobs.engine.stop()
        self._jobs.delivery.stop()
        for thread in self._threads:
            thread.join(timeout=30)

    def alive(self) -> dict[str, str]:
        """The threads that died, by name: none, where all is well."""
        return {t.name: "the thread died" for t in self._threads if not t.is_alive()}

    def _thread(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _feed(self) -> None:
        """Take source events as they come; where the queue cannot be read, polling goes on."""
        feed = self._jobs.feed
        while feed is not None and not self._stop.is_set():
            try:
                self._jobs.sources.take(feed)
            except MonitorError as error:
                log.warning("the queue of source events could not be read: %s", error)
                self._stop.wait(FEED_PAUSE)
            except Exception:
                log.exception("taking source events failed; the events stay in the queue")
                self._stop.wait(FEED_PAUSE)
