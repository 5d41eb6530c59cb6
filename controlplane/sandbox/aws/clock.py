"""The sandbox's clock: the machine's, unless a simulation or a test sets another."""

from datetime import datetime

from controlplane.clock import Clock, system_clock

_clock: list[Clock] = [system_clock]


def now() -> datetime:
    """Answer the sandbox's time, in UTC."""
    return _clock[0]()


def use(clock: Clock | None) -> None:
    """Set the clock of the whole sandbox; None is the machine's."""
    _clock[0] = clock or system_clock
