# ruff: noqa: INP001
"""Release 1's pool of database connections: each is given back as soon as it was used."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ExhaustedError(Exception):
    """All connections are in use."""


class Pool:
    """At most `size` connections at a time."""

    def __init__(self, size: int = 10) -> None:
        self._free = threading.BoundedSemaphore(size)

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Use a connection; ExhaustedError at once where none is free."""
        if not self._free.acquire(blocking=False):
            raise ExhaustedError
        try:
            yield
        finally:
            self._free.release()
