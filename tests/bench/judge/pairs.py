"""Before and after: cut from real series away from labelled windows, or drawn from a generator.

A baseline is up to 1,000 points long, as a rule's default is; a cut takes what there is without a
labelled window in it, and at least FEWEST.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monitors.judge.levels import Floats
from tests.bench.judge.windows import WINDOWS

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "series" / "NAB" / "data"
LONGEST = 60
BASELINE = 1000
FEWEST = 288


class Pair(NamedTuple):
    """A baseline, and LONGEST points after a release that changed nothing."""

    before: Floats
    after: Floats


def folders() -> dict[str, list[Path]]:
    """Give NAB's series by what they are of."""
    assert DATA.exists(), f"the shared data is not beside the repository: {DATA} is missing"
    return {
        "CloudWatch (NAB)": sorted((DATA / "realAWSCloudwatch").glob("*.csv")),
        "ad exchange (NAB)": sorted((DATA / "realAdExchange").glob("*.csv")),
        "artificial (NAB)": sorted((DATA / "artificialNoAnomaly").glob("*.csv")),
    }


def real(path: Path, count: int, dice: np.random.Generator, baseline: int = BASELINE) -> list[Pair]:
    """Cut so many pairs from a series, at random places away from its labelled windows."""
    values, odd = _read(path)
    fewest = min(FEWEST, baseline)
    clear = [
        (start, at)
        for start, end in _stretches(odd)
        for at in range(start + fewest, end - LONGEST + 1)
    ]
    if not clear:
        return []
    picked = dice.choice(len(clear), size=count)
    return [
        Pair(values[max(start, at - baseline) : at], values[at : at + LONGEST])
        for start, at in (clear[int(place)] for place in picked)
    ]


def _read(path: Path) -> tuple[Floats, list[bool]]:
    rows = list(csv.reader(path.read_text().splitlines()))[1:]
    labelled = [
        (datetime.fromisoformat(begin), datetime.fromisoformat(end))
        for begin, end in WINDOWS.get(f"{path.parent.name}/{path.name}", ())
    ]
    times = [datetime.fromisoformat(row[0]) for row in rows]
    odd = [any(begin <= at <= end for begin, end in labelled) for at in times]
    return np.array([float(row[1]) for row in rows]), odd


def _stretches(odd: list[bool]) -> Iterator[tuple[int, int]]:
    """Give where the unlabelled stretches begin and end."""
    start = 0
    for place, labelled in enumerate([*odd, True]):
        if labelled:
            if place > start:
                yield start, place
            start = place + 1


def latency(
    dice: np.random.Generator, count: int, again: float, size: int = BASELINE
) -> list[Pair]:
    """Draw latencies as services have them: lognormal (sd 0.25), one point in a hundred a spike.

    again: how much a point is like the one before it (autocorrelation at one step).
    """
    made = []
    for _ in range(count):
        steps = dice.normal(size=size + LONGEST)
        walk = np.empty_like(steps)
        walk[0] = steps[0]
        for place in range(1, len(steps)):
            walk[place] = again * walk[place - 1] + np.sqrt(1 - again * again) * steps[place]
        spikes = np.where(dice.random(len(walk)) < 0.01, dice.uniform(2, 6, len(walk)), 1.0)
        values = 250 * np.exp(0.25 * walk) * spikes
        made.append(Pair(values[:size], values[size:]))
    return made
