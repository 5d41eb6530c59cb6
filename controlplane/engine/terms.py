"""What a rule of a bake asks for, read from its configuration. Pure.

`validate` has refused what cannot be read; where an older declaration has it all the same, the safe
default counts: nothing that is stored may stop the engine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

from controlplane.declarations.durations import parse_duration
from controlplane.declarations.model import RuleDeclaration
from controlplane.declarations.words import CONSEQUENCES as WHEN
from monitors.base import Verdict
from rollback.consequences import CONSEQUENCES, LEGAL, Consequence

MINUTE = 60.0
BAKE = 5 * MINUTE
LEAST_EXTENSION = 10 * MINUTE
INTERVAL = 10.0
EARLY_POWER = 0.99
READ = (
    "BakeTime", "ExtendUpTo", "Interval", "Quorum", "Critical", "EndEarly", "EarlyPower", "Watch",
    *WHEN.values(),
)  # fmt: skip
"""The keys that are read here, and so before any variable has a value."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Terms:
    """Times are in seconds.

    extend: how much longer the bake may last. quorum: so many rules that are not critical must FAIL.
    early: the power from which a PASS may end the bake before its time; None: never.
    fresh: a verdict older than this is no fresh one. watch: how long the rule is looked at after the
    stage is done, 0 for not at all. follows: verdict -> consequence.
    """

    time: float
    extend: float
    fresh: float
    quorum: int
    critical: bool
    early: float | None
    watch: float
    follows: Mapping[Verdict, Consequence]


def terms(rule: RuleDeclaration) -> Terms:
    """Read a rule's terms."""
    return _terms(tuple(rule.configuration.get(key, "") for key in READ))


@lru_cache(maxsize=4096)
def _terms(given: tuple[str, ...]) -> Terms:
    said = dict(zip(READ, given, strict=True))
    time = _read(said["BakeTime"], _seconds, BAKE)
    early = _read(said["EarlyPower"], float, EARLY_POWER)
    follows = {
        verdict: _read(said[key], _among(verdict), CONSEQUENCES[verdict])
        for verdict, key in WHEN.items()
    }
    return Terms(
        time=time,
        extend=_read(said["ExtendUpTo"], _seconds, max(time, LEAST_EXTENSION)),
        fresh=max(MINUTE, 3 * _read(said["Interval"], _seconds, INTERVAL)),
        quorum=_read(said["Quorum"], int, 1),
        critical=said["Critical"] == "true",
        early=early if said["EndEarly"] == "true" else None,
        watch=_read(said["Watch"], _seconds, 0.0),
        follows=MappingProxyType({**CONSEQUENCES, **follows}),
    )


def _read(text: str, read: Callable[[str], T], default: T) -> T:
    try:
        return read(text) if text else default
    except ValueError:
        return default


def _seconds(text: str) -> float:
    return parse_duration(text).total_seconds()


def _among(verdict: Verdict) -> Callable[[str], Consequence]:
    """Read a consequence that this verdict may have."""

    def read(text: str) -> Consequence:
        found = Consequence(text)
        if found not in LEGAL[verdict]:
            raise ValueError(text)
        return found

    return read
