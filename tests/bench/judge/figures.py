"""All figures of the judge's table: false rollbacks, catches, speed. Seeded, so that they stay the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any, NamedTuple

import numpy as np

from monitors.judge.comparison import POWER
from monitors.judge.history import History
from monitors.judge.levels import scale
from monitors.judge.rank import Wanted, first_bad, seen
from tests.bench.judge import errors, judges
from tests.bench.judge.pairs import Pair, folders, latency, real
from tests.bench.judge.shapes import SHAPES

LENGTHS = (5, 10, 30, 60)
SEED = 20240229
SLOW = 10
ASKED = 100
"""Kayenta's judge takes milliseconds: it is asked about a hundred pairs."""


class Row(NamedTuple):
    """A line of the table: shares (0 to 1) for each judge, by LENGTHS. goal: for a person."""

    what: str
    series: str
    shares: dict[str, list[float]]
    pairs: int
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Pairs of one class of series."""

    name: str
    pairs: list[Pair]


def samples(many: int) -> list[Sample]:
    """Cut and draw all pairs: many of each real series, and as many more of each generator."""
    dice = np.random.default_rng(SEED)
    made = [
        Sample("latency", latency(dice, 30 * many, 0.0)),
        Sample("latency, autocorrelation 0.5", latency(dice, 10 * many, 0.5)),
    ]
    for name, files in folders().items():
        cut = [pair for file in files for pair in real(file, many, dice)]
        made.append(Sample(name, [cut[place] for place in dice.permutation(len(cut))]))
    return made


def unchanged(found: Sequence[Sample], many: int) -> list[Row]:
    """Count rollbacks of releases that changed nothing."""
    rows = [_row("unchanged", one, lambda after: after, "≤ 1 %") for one in found]
    dice = np.random.default_rng(SEED + 1)
    short = [pair for file in folders()["CloudWatch (NAB)"] for pair in real(file, many, dice, 60)]
    name = "CloudWatch (NAB), only 60 points before"
    return [*rows, _row("unchanged", Sample(name, short), lambda after: after, "≤ 1 %")]


GOALS = {
    ("1.5 times", "latency"): "≥ 60 % at 10, ≥ 99 % at 30",
    ("2 times", "latency"): "≥ 90 % at 10",
}


def worsened(found: Sequence[Sample]) -> list[Row]:
    """Count how many regressions are caught, of each shape in each class of series."""
    return [
        _row(shape, one, put, "never" if "dead" in shape else GOALS.get((shape, one.name), ""))
        for shape, put in SHAPES.items()
        for one in found
        if not one.name.startswith("artificial")
    ]


def _row(what: str, one: Sample, put: Callable[[Any], Any], goal: str) -> Row:
    shares = {
        name: [
            judges.share(judge, one.pairs[: ASKED if name == "Kayenta" else None], length, put)
            for length in LENGTHS
        ]
        for name, judge in judges.JUDGES.items()
    }
    return Row(what, one.name, shares, len(one.pairs), goal)


def counts(many: int) -> list[Row]:
    """Do the same for errors of requests."""
    goals = dict(zip(errors.DRAWS, ("≤ 1 %", "≤ 1 %", "≥ 99 %", "never"), strict=True))
    rows = []
    for name, goal in goals.items():
        dice = np.random.default_rng(SEED + 2)
        drawn = [errors.draw(name, dice, length, many) for length in LENGTHS]
        shares = {
            judge: [sum(map(asked, pairs)) / len(pairs) for pairs in drawn]
            for judge, asked in errors.JUDGES.items()
        }
        rows.append(Row(name, "errors of requests", shares, many, goal))
    return rows


def certified(found: Sequence[Sample]) -> list[Row]:
    """Tell how often a release that changed nothing is told PASS (the rest is INCONCLUSIVE)."""
    rows = []
    for one in found:
        shares = []
        for length in LENGTHS:
            told = [_passes(pair, length) for pair in one.pairs[::SLOW]]
            shares.append(sum(told) / len(told))
        rows.append(Row("told PASS", one.name, {"Towpath": shares}, len(one.pairs) // SLOW))
    return rows


def _passes(pair: Pair, length: int) -> bool:
    made = scale(pair.before)
    told = seen(History(made.bring(pair.before)), made.bring(pair.after[:length]), Wanted())
    return not told.bad and not told.odd and told.power >= POWER


def speed(count: int = 1000) -> list[tuple[str, float]]:
    """Measure CPU seconds for so many signals, each of 60 points after 60 or 1,000 before."""
    told = []
    for size in (60, 1000):
        pairs = latency(np.random.default_rng(SEED), count, 0.0, size)
        for what, judge in (("one verdict each", _once), ("judged at every point", _always)):
            begun = process_time()
            for pair in pairs:
                judge(pair)
            told.append((f"{what}, {size} points before", process_time() - begun))
    return told


def _once(pair: Pair) -> None:
    made = scale(pair.before)
    seen(History(made.bring(pair.before)), made.bring(pair.after), Wanted())


def _always(pair: Pair) -> None:
    made = scale(pair.before)
    first_bad(History(made.bring(pair.before)), made.bring(pair.after), Wanted())
