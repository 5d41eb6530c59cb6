"""Ids. Execution ids sort by the time they were made; tokens name one attempt of one action for ever."""

import hashlib
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Maker:
    """Makes execution ids that rise: each process has one, and so has each simulated one."""

    def __init__(self, chance: Callable[[int], int] = secrets.randbits) -> None:
        """chance: answers so many random bits."""
        self._chance = chance
        self._lock = threading.Lock()
        self._last = 0

    def execution_id(self, now: float) -> str:
        """A UUID of version 7: milliseconds, a counter, chance; rising within a process.

        RFC 9562, 6.2, method 1: two executions accepted in one millisecond keep their order.
        """
        with self._lock:
            self._last = head = max(self._last + 1, int(now * 1000) << 12)
        milliseconds, counter = head >> 12, head & 0xFFF
        value = milliseconds << 80 | 7 << 76 | counter << 64 | 2 << 62 | self._chance(62)
        return str(uuid.UUID(int=value & (1 << 128) - 1))


_maker: ContextVar[Maker] = ContextVar("maker", default=Maker())  # noqa: B039 - one a process is meant


@contextmanager
def made_by(maker: Maker) -> Iterator[None]:
    """Take ids from this maker instead of the process's own: a simulation replays exactly."""
    before = _maker.set(maker)
    try:
        yield
    finally:
        _maker.reset(before)


def execution_id(now: float) -> str:
    """The next id of this process."""
    return _maker.get().execution_id(now)


def stage_id(execution: str, position: int, attempt: int = 1) -> str:
    """The same for the same entry: a doubled insert is refused by the primary key."""
    return f"{execution}:{position}:{attempt}"


def token(stage: str, action: str, attempt: int) -> str:
    """What an outside call is made under; short enough for any vendor's description field."""
    digest = hashlib.blake2s(f"{stage}/{action}/{attempt}".encode(), digest_size=12)
    return f"tp-{digest.hexdigest()}"
