"""What befalls an event on its way to a target: it comes twice, later, or out of order."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from controlplane.sandbox.aws import clock
from controlplane.sandbox.aws.fault_desk import RULES
from controlplane.sandbox.faults.in_force import InForce
from controlplane.sandbox.faults.kinds import EVENT
from controlplane.sandbox.faults.rules import Place

Send = Callable[[], None]


@dataclass(slots=True)
class _Kept:
    """The deliveries that a rule keeps back, each with the time at which it is due."""

    by: InForce
    sends: list[tuple[datetime, Send]] = field(default_factory=list)


_lock = threading.Lock()
_kept: dict[int, _Kept] = {}


def deliver(place: Place, send: Send) -> None:
    """Deliver one event to one target, as the faults in force will have it."""
    hit = RULES.take(EVENT, place)
    if hit is None:
        send()
        return
    WAYS[hit.rule.fault](hit, send)


def step() -> None:
    """Deliver what is due; and all that a rule kept which is no more."""
    now = clock.real()
    with _lock:
        ready = [send for kept in list(_kept.values()) for send in _due(kept, now)]
    for send in ready:
        send()


def _twice(_hit: InForce, send: Send) -> None:
    send()
    send()


def _later(hit: InForce, send: Send) -> None:
    due = clock.real() + timedelta(seconds=float(hit.rule.options["seconds"]))
    with _lock:
        _kept.setdefault(hit.id, _Kept(hit)).sends.append((due, send))


def _mixed(hit: InForce, send: Send) -> None:
    _later(hit, send)
    with _lock:
        full = len(_kept[hit.id].sends) >= hit.rule.options["among"]
        ready = _mix(_kept.pop(hit.id)) if full else []
    for each in ready:
        each()


def _due(kept: _Kept, now: datetime) -> list[Send]:
    """Take what is due now out of what a rule keeps. A mixed lot goes with its first."""
    over = kept.by.gone.is_set()
    if kept.by.rule.fault == "event_reordered":
        return _mix(_kept.pop(kept.by.id)) if over or kept.sends[0][0] <= now else []
    ready = [send for due, send in kept.sends if over or due <= now]
    kept.sends = [] if over else [(due, send) for due, send in kept.sends if due > now]
    if not kept.sends:
        del _kept[kept.by.id]
    return ready


def _mix(kept: _Kept) -> list[Send]:
    sends = [send for _, send in kept.sends]
    kept.by.dice.shuffle(sends)
    return sends


WAYS: Mapping[str, Callable[[InForce, Send], None]] = {
    "event_duplicated": _twice,
    "event_delayed": _later,
    "event_reordered": _mixed,
}
