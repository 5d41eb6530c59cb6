"""The rules in force: how often each matched and hit, and the dice that say whether it does.

The same rules, the same seed and the same sequence of what happens give the same faults: every rule
has dice of its own, and throws them once for each that matches.
"""

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controlplane.sandbox.faults.kinds import CLOCK
from controlplane.sandbox.faults.rules import Place, Rule


@dataclass(slots=True)
class InForce:
    """A rule that was added, and what became of it. gone: set when it is deleted."""

    id: int
    rule: Rule
    since: datetime
    dice: random.Random
    matched: int = 0
    hits: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    def is_on(self, now: datetime) -> bool:
        """Whether its window is open, and it may hit again."""
        age = (now - self.since).total_seconds()
        rule = self.rule
        left = rule.times is None or self.hits < rule.times
        return left and age >= rule.begins and (rule.ends is None or age < rule.ends)

    def befalls(self) -> bool:
        """Count one that matches; whether it is hit."""
        self.matched += 1
        thrown = self.dice.random()
        hit = self.matched > self.rule.after and thrown < self.rule.probability
        self.hits += hit
        return hit

    def document(self) -> dict[str, Any]:
        """Tell the rule and its counts."""
        counts = {"matched": self.matched, "hits": self.hits}
        return {"id": self.id, **self.rule.document(), **counts}


class RulesInForce:
    """All of them; safe under threads. now: the time by which windows open."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._rules: list[InForce] = []
        self._last = 0
        self.seed = 0

    def add(self, rules: Iterable[Rule], seed: int | None = None) -> None:
        """Add rules, after those that are there; a seed is for the dice of these and later ones."""
        with self._lock:
            if seed is not None:
                self.seed = seed
            for rule in rules:
                self._last += 1
                number = len(self._rules)
                # The place in the list, not the id: a set that is given again throws the same.
                dice = random.Random(f"{self.seed}/{number}")  # noqa: S311 reproducible by design
                self._rules.append(InForce(self._last, rule, self._now(), dice))

    def clear(self, id_: int | None = None) -> int:
        """Delete one rule, or all; who hangs by them is let go. Answers how many there were."""
        with self._lock:
            ended = [each for each in self._rules if id_ in (None, each.id)]
            self._rules = [each for each in self._rules if each not in ended]
        for each in ended:
            each.gone.set()
        return len(ended)

    def take(self, befalls: str, place: Place) -> InForce | None:
        """Answer the first rule that hits what happens now, and count it."""
        return self.take_of(befalls, place, lambda _rule: True)

    def take_of(
        self, befalls: str, place: Place, fits: Callable[[InForce], bool]
    ) -> InForce | None:
        """Answer the same, of the rules that fit: the others neither count nor throw their dice."""
        with self._lock:
            for each in self._on(befalls):
                if each.rule.matches(place) and fits(each) and each.befalls():
                    return each
        return None

    def standing(self, befalls: str) -> list[InForce]:
        """Answer the rules that are on now, without counting: what holds for a time, not a call."""
        with self._lock:
            return self._on(befalls)

    def count(self, each: InForce) -> None:
        """Count a hit of a rule that holds for a time."""
        with self._lock:
            each.matched += 1
            each.hits += 1

    def clock_offset(self) -> float:
        """Answer by how many seconds the clock is off."""
        return sum(float(each.rule.options["seconds"]) for each in self.standing(CLOCK))

    def document(self) -> Mapping[str, Any]:
        """Tell all of them."""
        with self._lock:
            return {"seed": self.seed, "rules": [each.document() for each in self._rules]}

    def _on(self, befalls: str) -> list[InForce]:
        if not self._rules:
            return []
        now = self._now()
        return [each for each in self._rules if each.rule.befalls == befalls and each.is_on(now)]
