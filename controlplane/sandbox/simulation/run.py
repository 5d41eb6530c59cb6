"""One seed, or many: run it, and report what broke so that a person can find the cause."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from controlplane.sandbox.simulation.happenings import next_, temper
from controlplane.sandbox.simulation.invariants import broken
from controlplane.sandbox.simulation.rest import rest
from controlplane.sandbox.simulation.world import World, world

BETWEEN_RESTS = 200
"""Steps after which all is let become quiet, and looked at; the world then goes on."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a seed went. invariant "": clean. sum: the same for every replay."""

    seed: int
    steps: int
    step: int = 0
    invariant: str = ""
    what: str = ""
    sum: str = ""
    moves: int = 0
    releases: int = 0
    deployments: int = 0
    pages: int = 0
    virtual_seconds: int = 0
    events: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def simulate(seed: int, steps: int) -> Report:
    """Run one seed until its end, or until an invariant breaks."""
    with world(seed) as made:
        for step, wrong in _steps(made, steps):
            if wrong:
                return _report(made, seed, steps, step, wrong)
        return _report(made, seed, steps, steps, ("", ""))


def _steps(made: World, steps: int) -> Iterator[tuple[int, tuple[str, str] | None]]:
    weights = temper(made.chance)
    for step in range(1, steps + 1):
        next_(made, weights)
        yield step, next(broken(made.look()), None)
        if step % BETWEEN_RESTS == 0 or step == steps:
            yield step, next(rest(made), None)


def _report(made: World, seed: int, steps: int, step: int, wrong: tuple[str, str]) -> Report:
    invariant, what = wrong
    return Report(
        seed=seed,
        steps=steps,
        step=step,
        invariant=invariant,
        what=what,
        sum=made.trace.sum,
        moves=made.moves,
        releases=made.releases,
        deployments=len(made.begun),
        pages=len([key for key in made.pages if not key[1]]),
        virtual_seconds=round(made.now - made.started),
        events=list(made.trace.last) if invariant else [],
    )
