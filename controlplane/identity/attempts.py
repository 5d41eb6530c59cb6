"""Failed sign-ins: so many of one client, then 429 for a while. Bounded, in the memory of each replica."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

MOST, WINDOW = 10, 60.0
"""Failures of one client within so many seconds."""
MOST_OF_MANY = 300
"""The same, of an address behind which many people sit: who fails there on purpose keeps out no others."""
CLIENTS = 10_000
TOLD = 100
"""Refusals of an hour that are written down; a flood of them must not fill the audit log."""
HOUR = 3600.0


class TooManyAttemptsError(Exception):
    """This client must wait; retry_after: seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many failed sign-ins: try again in {retry_after} s.")
        self.retry_after = retry_after


@dataclass(slots=True)
class _Window:
    since: float
    failures: int = 0


class Attempts:
    """Counts failures of clients; the oldest client goes first where there are too many."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._clients: OrderedDict[str, _Window] = OrderedDict()
        self._told = _Window(float("-inf"))
        self._lock = threading.Lock()

    def check(self, client: str, most: int = MOST) -> None:
        """TooManyAttemptsError where the client must wait; nothing is counted."""
        with self._lock:
            window = self._window(client)
            if window is not None and window.failures >= most:
                raise TooManyAttemptsError(max(1, ceil(window.since + WINDOW - self._now())))

    def failed(self, client: str, most: int = MOST, *, tells: bool = True) -> bool:
        """Count a failure. Answers whether it is to be written down: the first and the last of a window.

        tells: False where it is counted for another client, too, who is the one to tell of.
        """
        with self._lock:
            window = self._window(client)
            if window is None:
                window = self._clients[client] = _Window(self._now())
                while len(self._clients) > CLIENTS:
                    self._clients.popitem(last=False)
            window.failures += 1
            return tells and window.failures in (1, most) and self._may_tell()

    def _window(self, client: str) -> _Window | None:
        found = self._clients.get(client)
        if found is not None and self._now() - found.since >= WINDOW:
            del self._clients[client]
            return None
        return found

    def _may_tell(self) -> bool:
        if self._now() - self._told.since >= HOUR:
            self._told = _Window(self._now())
        self._told.failures += 1
        return self._told.failures <= TOLD
