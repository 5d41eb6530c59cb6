"""Every fault that there is: one literal table. Data, for whoever emulates a vendor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

CALL, DATA, ALARM, EVENT, CLOCK = "call", "data", "alarm", "event", "clock"
"""What a fault befalls: a call to AWS, what CloudWatch answers, an alarm, an event, the clock."""

NOTHING: Mapping[str, "Option"] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Option:
    """A field that belongs to some faults only. least, most: of a number; among: the choices."""

    default: Any
    least: float = 0.0
    most: float = 0.0
    among: tuple[Any, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault: what it befalls, what happens, and which options it takes."""

    befalls: str
    says: str
    options: Mapping[str, Option] = field(default_factory=lambda: NOTHING)


HANG = Option(30.0, 0, 300)
"""Seconds that the caller is kept; 0 hangs up at once. Deleting the rule lets everybody go."""

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "throttle": Kind(
            CALL,
            "refused as too fast, in the service's own words, with Retry-After",
            {"retry_after": Option(1.0, 0, 3600)},
        ),
        "server_error": Kind(
            CALL,
            "a 5xx, without the effect",
            {"status": Option(500, among=(500, 502, 503, 504))},
        ),
        "timeout_before": Kind(CALL, "no answer, and no effect", {"seconds": HANG}),
        "timeout_after": Kind(CALL, "the effect, but no answer", {"seconds": HANG}),
        "truncated": Kind(CALL, "the effect, but the answer breaks off in its middle"),
        "expired_credentials": Kind(CALL, "ExpiredToken, whatever the session's time"),
        "revoked_credentials": Kind(
            CALL, "sessions issued before the rule are denied, as by IAM's revoke-sessions"
        ),
        "access_denied": Kind(CALL, "no identity-based policy allows it any more"),
        "late": Kind(
            DATA,
            "points can be read so many seconds after their time, by alarms as well",
            {"seconds": Option(60.0, 1, 86_400)},
        ),
        "out_of_order": Kind(DATA, "points in any order"),
        "partial": Kind(
            DATA,
            "PartialData with the older half of the points, or InternalError with none",
            {"status": Option("PartialData", among=("PartialData", "InternalError"))},
        ),
        "none": Kind(DATA, "no points, and Complete all the same; for alarms as well"),
        "alarm_flaps": Kind(
            ALARM,
            "ALARM and OK by turns, so many seconds each",
            {"alarm": Option("", needed=True), "seconds": Option(5.0, 0.1, 3600)},
        ),
        "event_duplicated": Kind(EVENT, "delivered twice to its target"),
        "event_delayed": Kind(
            EVENT, "delivered so many seconds later", {"seconds": Option(5.0, 0.1, 3600)}
        ),
        "event_reordered": Kind(
            EVENT,
            "kept until `among` are there (or so many seconds), then delivered in any order",
            {"among": Option(3, 2, 100), "seconds": Option(10.0, 0.1, 3600)},
        ),
        "clock_jumps": Kind(
            CLOCK,
            "AWS's clock is so many seconds ahead of ours, or behind it",
            {"seconds": Option(0.0, -86_400 * 366, 86_400 * 366, needed=True)},
        ),
    }
)
