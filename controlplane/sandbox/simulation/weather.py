"""The faults of the vendors' edge: which are on, where, and what a call meets of them."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Mood(StrEnum):
    """What a call meets. LOST: the time-out comes after the effect, so the work goes on."""

    THROTTLED = "throttled"
    BROKEN = "5xx"
    LATE = "time-out before the effect"
    LOST = "time-out after the effect"
    GARBLED = "unparsable answer after the effect"
    EXPIRED = "expired credentials"
    REVOKED = "revoked credentials"
    DENIED = "access denied"


PASSING = (Mood.THROTTLED, Mood.BROKEN, Mood.LATE, Mood.LOST, Mood.GARBLED, Mood.EXPIRED)
"""What an ordinary day brings."""
ORDINARY = 0.02
"""Of all calls, in a seed that has faults at all."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A fault that lasts: what, at which service of which account ("": each), until when."""

    mood: Mood
    account: str
    service: str
    until: float
    chance: float

    def __str__(self) -> str:
        end = "for ever" if math.isinf(self.until) else f"until {self.until:.0f}"
        where = f"{self.service or 'every service'} of {self.account or 'every account'}"
        return f"{self.mood} at {where} {end}, {self.chance:.0%} of the calls"


@dataclass(slots=True)
class Weather:
    """The spells that are on; clear: not even an ordinary day's faults."""

    chance: Random
    ordinary: float = ORDINARY
    clear: bool = False
    spells: list[Spell] = field(default_factory=list)

    def meet(self, account: str, service: str, now: float) -> Mood | None:
        """What one call meets."""
        self.spells = [spell for spell in self.spells if spell.until > now]
        for spell in self.spells:
            here = spell.account in ("", account) and spell.service in ("", service)
            if here and self.chance.random() < spell.chance:
                return spell.mood
        if not self.clear and self.chance.random() < self.ordinary:
            return self.chance.choice(PASSING)
        return None

    def clear_up(self) -> None:
        """End all that may end: what was to last for ever lasts."""
        self.clear = True
        self.spells = [spell for spell in self.spells if math.isinf(spell.until)]
