# ruff: noqa: INP001
"""Release 2's pool of database connections: "used ones are swept up together, to lock less often".

This is the defect of the sample: a connection stays out for up to a second after its use, so ten
of them carry ten requests a second and no more. Little load never shows it.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SWEEP = 1.0  # seconds


class ExhaustedError(Exception):
    """All connections are in use."""


class Pool:
    """At most `size` connections at a time."""

    def __init__(self, size: int = 10) -> None:
        self._lock = threading.Lock()
        self._free, self._used = size, 0
        self._swept = time.monotonic()

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Use a connection; ExhaustedError at once where none is free."""
        with self._lock:
            self._sweep()
            if not self._free:
                raise ExhaustedError
            self._free -= 1
        try:
            yield
        finally:
            with self._lock:
                self._used += 1

    def _sweep(self) -> None:
        if time.monotonic() - self._swept >= SWEEP:
            self._free, self._used = self._free + self._used, 0
            self._swept = time.monotonic()
