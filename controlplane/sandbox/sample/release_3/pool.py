# ruff: noqa: INP001
"""Release 3's pool of database connections: "a connection that was just used is tested, it may be broken".

This is the defect of the sample: under load every connection was just used, so every request waits for a
test first, and takes several times as long. Nothing fails, and little load never shows it.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

JUST_USED = 1.2  # seconds
TEST = 0.016  # seconds that the database takes to answer it


class ExhaustedError(Exception):
    """All connections are in use."""


class Pool:
    """At most `size` connections at a time, each in its turn."""

    def __init__(self, size: int = 10) -> None:
        self._lock = threading.Lock()
        self._free = deque([float("-inf")] * size)  # when each was used last

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Use a connection; ExhaustedError at once where none is free."""
        with self._lock:
            if not self._free:
                raise ExhaustedError
            used = self._free.popleft()
        try:
            if time.monotonic() - used < JUST_USED:
                time.sleep(TEST)  # noqa: TID251 - it is what makes this release slow
            yield
        finally:
            with self._lock:
                self._free.append(time.monotonic())
