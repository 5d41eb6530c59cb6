"""The verdict of a rule that compares levels (rank.py), and how it is told. Pure.

1. UNREACHABLE, NO_DATA, half an answer, too few points: as for every test (footing.py).
2. No level before, or too short a one, to compare with: INCONCLUSIVE.
3. Worse than chance allows: FAIL. A signal that was bad before is compared with its own level.
4. Something rose in the newest points but not for long enough, the signal does not move any more
   though it did before, or a regression that matters would hardly have been seen by now
   (MinimumPower): INCONCLUSIVE.
5. PASS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from monitors.base import Judgement, MonitorError, Point, Series, Verdict
from monitors.judge.beside import side_by_side
from monitors.judge.footing import Needs, Reading, percent, unfit, unreachable, usable
from monitors.judge.history import LEAST, REFERENCE, History
from monitors.judge.levels import Floats, Scale, scale
from monitors.judge.rank import Seen, Wanted, seen

SIGNS: Mapping[str, tuple[float, ...]] = {
    "increase": (1.0,),
    "decrease": (-1.0,),
    "either": (1.0, -1.0),
}
FROZEN = 5
"""So many equal points in a row of a signal that always moved before are no sign of health."""
REMEMBERED = 512
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Comparison:
    """direction: which way is worse. power: the least that a PASS needs. control: judged beside it."""

    needs: Needs
    direction: str = "increase"
    wanted: Wanted = Wanted()  # noqa: RUF009 - frozen
    power: float = POWER
    control: bool = False


class Sides(NamedTuple):
    """What is compared: numbers on the judge's scale, and how a person is told of them.

    history: what was before; mere points of the same time where there is no past to learn from.
    """

    history: History | Floats
    after: Floats
    scale: Scale
    against: str


def compare(rule: Comparison, read: Mapping[str, Reading], now: datetime) -> Judgement:
    """Judge "after" in the light of "before" (and "control before", "control after")."""
    after, before = read["after"], read["before"]
    if isinstance(after, MonitorError):
        return unreachable(rule.needs, after)
    points = usable(after)
    earlier = [] if isinstance(before, MonitorError) else usable(before)
    found = unfit(rule.needs, after, points, now)
    told = _Told(*found) if found else _compared(rule, read, earlier, points)
    newest = points[-1] if points else None
    return Judgement(
        told.verdict,
        told.reason,
        samples=len(points),
        value=newest.value if newest else None,
        newest=newest.at if newest else None,
        before=tuple(earlier),
        after=tuple(points),
        chance=told.chance,
        power=told.power,
    )


class _Told(NamedTuple):
    verdict: Verdict
    reason: str
    chance: float | None = None
    power: float | None = None


def _compared(
    rule: Comparison, read: Mapping[str, Reading], before: list[Point], after: list[Point]
) -> _Told:
    label = rule.needs.label
    for name in ("before", "control before", "control after"):
        one = read.get(name)
        if isinstance(one, MonitorError):
            what = "its level before the deployment" if name == "before" else f"its {name}"
            return _Told(Verdict.INCONCLUSIVE, f"{label}: {what} could not be read: {one}")
    sides = [_sides(rule, read, before, after, sign) for sign in SIGNS[rule.direction]]
    whole = [side for side in sides if side is not None]
    if not whole:
        had = f"{len(before)} points before the deployment"
        return _Told(
            Verdict.INCONCLUSIVE, f"{label} has {had}, and a comparison needs {LEAST}", 1.0, 0.0
        )
    wanted = Wanted(rule.wanted.minimum, rule.wanted.alpha / len(whole))
    looks = [(side, _look(side, wanted)) for side in whole]
    side, worst = max(looks, key=lambda one: (one[1].bad, one[1].odd, -one[1].look.chance))
    chance, power = min(1.0, len(whole) * worst.look.chance), min(one.power for _, one in looks)
    verdict, reason = _verdict(rule, side, worst, before, after, power)
    return _Told(verdict, reason, chance, power)


def _look(side: Sides, wanted: Wanted) -> Seen:
    if isinstance(side.history, History):
        return seen(side.history, side.after, wanted)
    return side_by_side(side.history, side.after, wanted)


def _verdict(
    rule: Comparison,
    side: Sides,
    worst: Seen,
    before: list[Point],
    after: list[Point],
    power: float,
) -> tuple[Verdict, str]:
    told = _sentence(rule, side, worst)
    if worst.bad:
        return Verdict.FAIL, told
    if worst.odd:
        return Verdict.INCONCLUSIVE, f"{told}: worse, but not for long enough to tell"
    if frozen([point.value for point in before], [point.value for point in after]):
        still = (
            f"its last {FROZEN} points are all {after[-1].value:.4g}, and before it always moved"
        )
        return Verdict.INCONCLUSIVE, f"{rule.needs.label} seems stuck: {still}"
    if power < rule.power:
        unsure = f"{rule.wanted.minimum:g} times worse would be seen by now with {percent(power)}"
        return Verdict.INCONCLUSIVE, f"{told}; {unsure}"
    return Verdict.PASS, told


def _sentence(rule: Comparison, side: Sides, found: Seen) -> str:
    """Say it as "latency 812 against 240 to 260 before, 14 of 14 points, chance 0.1 %"."""
    known = side.history
    past, usual = (
        (known.points, known.reference)
        if isinstance(known, History)
        else (known, float(np.median(known)))
    )
    recent = np.sort(past[-REFERENCE:])
    low, high = recent[len(recent) // 4], recent[(3 * len(recent)) // 4]
    width = found.look.width
    level = usual + found.look.rise
    beyond = int(np.count_nonzero(side.after[len(side.after) - width :] > high))
    if rule.control:
        times = np.exp(side.scale.sign * (level - usual))
        what = f"{times:.3g} times {side.against}"
    else:
        ends = sorted((side.scale.back(float(low)), side.scale.back(float(high))))
        value = side.scale.back(level) if found.look.width else float("nan")
        what = f"{value:.4g} against {ends[0]:.4g} to {ends[1]:.4g} {side.against}"
    return (
        f"{rule.needs.label} {what}, {beyond} of {width} points beyond, "
        f"chance {percent(found.look.chance)}"
    )


def _sides(
    rule: Comparison,
    read: Mapping[str, Reading],
    before: Sequence[Point],
    after: Sequence[Point],
    sign: float,
) -> Sides | None:
    """Bring both sides to the scale; None where there is no level to compare with."""
    if not rule.control:
        if len(before) < LEAST:
            return None
        made, history = _learnt(tuple(point.value for point in before), sign)
        return Sides(history, made.bring(np.array([p.value for p in after])), made, "before")
    return _beside(read, before, after, sign)


def _beside(
    read: Mapping[str, Reading], before: Sequence[Point], after: Sequence[Point], sign: float
) -> Sides | None:
    """Judge how far the signal is from its control, and how that changed (difference in differences).

    What has no past of its own (a canary's own label) is given its control's: they were the same.
    Where neither has one, the two are compared as they are.
    """
    past, present = (_of(read[f"control {word}"]) for word in ("before", "after"))
    own = {point.at: point.value for point in before}
    known = [(own[at], value) for at, value in past.items() if at in own]
    now = [(point.value, present[point.at]) for point in after if point.at in present]
    if not now:
        return None
    made = scale(np.array(list(past.values()) or list(present.values())), sign)
    new, old = (made.bring(np.array(one)) for one in zip(*now, strict=True))
    if len(known) >= LEAST:
        then, beside = (made.bring(np.array(one)) for one in zip(*known, strict=True))
        return Sides(History(then - beside), new - old, made, "what it was of its control")
    if len(past) < LEAST:
        return Sides(old, new, made, "its control")
    history = History(made.bring(np.array(list(past.values()))))
    return Sides(history, new - old + history.reference, made, "its control")


def _of(reading: Reading) -> dict[datetime, float]:
    series = reading if isinstance(reading, Series) else Series()
    return {point.at: point.value for point in usable(series)}


@lru_cache(maxsize=REMEMBERED)
def _learnt(before: tuple[float, ...], sign: float) -> tuple[Scale, History]:
    """Learn from a baseline once: it is the same at every look of a watch."""
    values = np.array(before)
    made = scale(values, sign)
    return made, History(made.bring(values))


def frozen(before: Sequence[float], after: Sequence[float]) -> bool:
    """Say whether a signal stands still that never did for as long before the deployment."""
    last = after[-FROZEN:]
    if min(len(last), len(before)) < FROZEN or any(value != last[0] for value in last):
        return False
    return not any(
        all(value == before[place] for value in before[place : place + FROZEN])
        for place in range(len(before) - FROZEN + 1)
    )
