"""Ids. Execution ids sort by the time they were made; tokens name one attempt of one action for ever."""

import hashlib
import secrets
import threading
import uuid

_lock = threading.Lock()
_last = 0


def execution_id(now: float) -> str:
    """A UUID of version 7: milliseconds, a counter, chance; rising within a process.

    RFC 9562, 6.2, method 1: two executions accepted in one millisecond keep their order.
    """
    global _last  # noqa: PLW0603 - the counter is the point
    with _lock:
        _last = max(_last + 1, int(now * 1000) << 12)
        head = _last
    milliseconds, counter = head >> 12, head & 0xFFF
    value = milliseconds << 80 | 7 << 76 | counter << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value & (1 << 128) - 1))


def stage_id(execution: str, position: int, attempt: int = 1) -> str:
    """The same for the same entry: a doubled insert is refused by the primary key."""
    return f"{execution}:{position}:{attempt}"


def token(stage: str, action: str, attempt: int) -> str:
    """What an outside call is made under; short enough for any vendor's description field."""
    digest = hashlib.blake2s(f"{stage}/{action}/{attempt}".encode(), digest_size=12)
    return f"tp-{digest.hexdigest()}"
