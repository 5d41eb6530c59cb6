"""The sandbox's clock: the machine's, unless a simulation or a test sets another.

AWS's clock may be made to differ from it (the fault clock_jumps): `now` is AWS's, `real` is ours.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from controlplane.clock import Clock, system_clock

_clock: list[Clock] = [system_clock]
_offsets: list[Callable[[], float]] = []


def now() -> datetime:
    """Answer the sandbox's time, in UTC."""
    return real() + timedelta(seconds=offset())


def real() -> datetime:
    """Answer the time of whoever does not suffer from a jump of AWS's clock."""
    return _clock[0]()


def offset() -> float:
    """Answer by how many seconds AWS's clock is ahead of ours."""
    return sum(each() for each in _offsets)


def use(clock: Clock | None) -> None:
    """Set the clock of the whole sandbox; None is the machine's."""
    _clock[0] = clock or system_clock


def shift_by(seconds: Callable[[], float]) -> None:
    """Let AWS's clock be off by what this answers."""
    _offsets.append(seconds)
