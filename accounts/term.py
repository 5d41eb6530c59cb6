"""How long whoever calls may still call: what a lease covers belongs to somebody else once it has run out.

No fence holds at a vendor: a process that stood still between its check and its call would start what
another has started meanwhile. So the engine says around its calls how much of the lease is left, and every
call of a client asks last of all, when it is signed and about to be sent. It is sent only where its own
time-outs fit into what is left; then whoever takes over looks for what it has begun when it has long been
answered.

Drivers need not know. What is called by nobody's lease (the doctor, sources, notifications) is not held up.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from accounts.connect import CONNECT_SECONDS, READ_SECONDS
from accounts.throttle import CallError

CALL_SECONDS = CONNECT_SECONDS + READ_SECONDS
"""One attempt at most, until its answer begins."""


class OverdueError(CallError):
    """The lease has run out, or would while the call lasts: nobody was asked."""

    postponed = True


@dataclass(frozen=True, slots=True)
class Term:
    """left: seconds until the lease ends, asked at each call. least: so many a call needs."""

    left: Callable[[], float]
    least: float


_TERM: ContextVar[Term | None] = ContextVar("towpath_term", default=None)


@contextmanager
def within(term: Term) -> Iterator[None]:
    """Let this thread's calls go out within a term only."""
    token = _TERM.set(term)
    try:
        yield
    finally:
        _TERM.reset(token)


def is_set() -> bool:
    """Say whether this thread calls within a term."""
    return _TERM.get() is not None


def least(lease: float) -> float:
    """Seconds of a lease that must be left for a call; of a short lease the half."""
    return min(float(CALL_SECONDS), lease / 2)


def check() -> None:
    """OverdueError where the term of this thread does not cover another call."""
    term = _TERM.get()
    if term is not None and (left := term.left()) < term.least:
        raise OverdueError(
            f"{left:.1f} s of the lease are left, and a call needs {term.least:.0f} s: it is left to whoever "
            "holds the lease next.",
            retry_after=0.0,
        )


def attach(client: Any) -> None:
    """Let a boto3 client ask before it sends; the last thing before the socket, and once an attempt."""
    client.meta.events.register_last("before-send", _before_send, unique_id="towpath-term")


def _before_send(**_: Any) -> None:
    check()
