"""The users of one environment: a bounded, even stream of requests, each answer recorded."""

import http.client
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from controlplane.clock import Clock
from controlplane.sandbox.fleet.balancer import Balancer, forward

WORKERS = 4
MOST_WAITING = 16
KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer a user got; latency in seconds, status 502 where the instance did not answer."""

    time: datetime
    environment: str
    instance: str
    status: int
    latency: float
    release: int | None
    digest: str

    @property
    def bad(self) -> bool:
        """It was a server's fault."""
        return self.status >= http.client.INTERNAL_SERVER_ERROR


class Traffic:
    """Sends `rate` requests a second through the balancer's choice, and tells `record` of each.

    While no instance is in service there are no users; that gap is a deployment's own restart.
    """

    def __init__(
        self,
        environment: str,
        balancer: Balancer,
        rate: float,
        record: Callable[[Answer], None],
        now: Clock,
    ) -> None:
        self._environment, self._balancer, self._rate = environment, balancer, rate
        self._record, self._now = record, now
        self._ended = threading.Event()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._workers = ThreadPoolExecutor(WORKERS, f"users-{environment}")
        self._thread = threading.Thread(target=self._run, name=f"traffic-{environment}")

    def start(self) -> None:
        """Let the users come."""
        self._thread.start()

    def close(self) -> None:
        """Send the users away and wait until the last has gone."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._workers.shutdown()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due = max(due + 1 / self._rate, time.monotonic() - 1)  # never catch up more than 1 s
            if self._waiting.acquire(blocking=False):
                self._workers.submit(self._visit)

    def _visit(self) -> None:
        try:
            with self._balancer.choose() as instance:
                if instance is None:
                    return
                started, at = time.perf_counter(), self._now()
                status, headers, _ = forward(instance, "/")
            latency = time.perf_counter() - started
            release = int(headers["X-Release"]) if "X-Release" in headers else None
            digest = headers.get("X-Digest", "")
            self._record(
                Answer(at, self._environment, instance.id, status, latency, release, digest)
            )
        finally:
            self._waiting.release()


class Book:
    """Every answer of the last while, and totals since the start. Safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: deque[Answer] = deque(maxlen=KEPT)
        self._fresh: dict[str, list[Answer]] = {}
        self._totals: dict[str, dict[str, dict[str, object]]] = {}

    def record(self, answer: Answer) -> None:
        """Write one answer down."""
        with self._lock:
            self._answers.append(answer)
            self._fresh.setdefault(answer.environment, []).append(answer)
            _count(self._totals.setdefault(answer.environment, {}), answer)

    def answers(self) -> list[Answer]:
        """List the answers that are still kept, oldest first."""
        with self._lock:
            return list(self._answers)

    def fresh(self, environment: str) -> list[Answer]:
        """Take the answers of an environment that came since the last call."""
        with self._lock:
            return self._fresh.pop(environment, [])

    def totals(self) -> dict[str, dict[str, dict[str, object]]]:
        """Count by environment and release.

        {environment: {release: {"digest", "requests", "errors", "first_at",
        "first_bad_response_at"}}}; times are ISO 8601 or None, release "" is an instance that did
        not answer.
        """
        with self._lock:
            return {
                environment: {release: dict(one) for release, one in releases.items()}
                for environment, releases in self._totals.items()
            }


def _count(releases: dict[str, dict[str, object]], answer: Answer) -> None:
    name = "" if answer.release is None else str(answer.release)
    total = releases.setdefault(
        name,
        {
            "digest": answer.digest,
            "requests": 0,
            "errors": 0,
            "first_at": answer.time.isoformat(),
            "first_bad_response_at": None,
        },
    )
    total["requests"] = int(str(total["requests"])) + 1
    if answer.bad:
        total["errors"] = int(str(total["errors"])) + 1
        total["first_bad_response_at"] = total["first_bad_response_at"] or answer.time.isoformat()
