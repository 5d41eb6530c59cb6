"""From a rule's configuration to its test: what must be read, and who judges it. Pure.

Read the literal tables as the reference of `Test`. A series beside the rule's own (the requests of a
count, a control) is the same query with one key in place of another, so that one call reads all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from monitors.base import Judgement
from monitors.criteria import MAX_AGE, criteria, kind
from monitors.judge import burn, comparison, count, ratio
from monitors.judge.burn import Burn
from monitors.judge.comparison import Comparison
from monitors.judge.footing import Needs, Reading
from monitors.judge.rank import Wanted
from monitors.judge.ratio import Ratio
from monitors.judge.recovery import burn_well, level_well, limit_well, ratio_well
from monitors.judge.threshold import judge
from monitors.metric_queries import ask
from monitors.values import Configuration, choice, duration, number, whole

TESTS = ("threshold", "rank", "count", "burnRate")
ALPHA = 0.01
"""False alarms that are let through, of all the releases that a signal judges."""
DIRECTIONS = tuple(comparison.SIGNS)
INSTEAD: Mapping[str, Mapping[str, str]] = {
    "requests": {
        "Requests": "Query",
        "RequestsId": "ResultId",
        "RequestsMetricName": "MetricName",
    },
    "control": {
        "Control": "Query",
        "ControlId": "ResultId",
        "ControlDimensions": "Dimensions",
    },
}
"""For each further series, the keys that name it and the key of the rule's own each stands for."""

BASELINE = timedelta(minutes=5)
"""Before a limit: was it broken already?"""
DAY = timedelta(days=1)
POINTS = 1000
"""A comparison learns from a day before, or from as many points where those take longer."""
HOUR = timedelta(hours=1)
STEP = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Asked:
    """A series to read: name as `Rule.judge` takes it, without "before" or "after"."""

    name: str
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was understood.

    judge: takes what was read, "before" and "after" of each asked series ("requests before"), and
    the time; it answers the verdict. well: takes how many of the newest points count, too, and
    answers PASS where a rollback has helped. label: its signal, for a person. patience: how long it may
    go without a look before that itself must be told.
    """

    test: str
    baseline: timedelta
    asked: tuple[Asked, ...]
    judge: Callable[[Mapping[str, Reading], datetime], Judgement]
    well: Callable[[Mapping[str, Reading], datetime, int], Judgement]
    label: str = ""
    patience: timedelta = MAX_AGE


def by_chance(configuration: Configuration) -> bool:
    """Say whether a rule may be wrong by chance, and was given no share of that by hand."""
    limited = configuration.get("Test", TESTS[0]) == TESTS[0] or "AlarmName" in configuration
    return not limited and "Alpha" not in configuration


def among(configuration: Configuration, signals: int) -> Configuration:
    """Give one of several such rules its share of the false alarms that one alone is let through.

    Bonferroni's: with twenty signals at 1 % each, every fifth quiet release would be rolled back. It
    holds however the signals depend on each other, and needs none of the others' verdicts.
    """
    if signals <= 1 or not by_chance(configuration):
        return configuration
    return {**configuration, "Alpha": f"{ALPHA / signals:g}"}


def rule(configuration: Configuration) -> Rule:
    """Read a watching rule; ValueError with a sentence for a person where it is wrong."""
    test = choice(configuration, "Test", TESTS, "threshold")
    own = "threshold" if "AlarmName" in configuration else test
    made = MADE[own](configuration)
    label, due, _ = kind(configuration)
    patience = duration(configuration, "MaxAge", MAX_AGE) + due
    return replace(made, label=label, patience=patience)


def _threshold(configuration: Configuration) -> Rule:
    limit = criteria(configuration)
    baseline = duration(configuration, "Baseline", BASELINE)

    def judged(read: Mapping[str, Reading], now: datetime) -> Judgement:
        return judge(limit, read["before"], read["after"], now)

    own = (Asked("", configuration),)
    return Rule("threshold", baseline, own, judged, partial(limit_well, limit))


def _rank(configuration: Configuration) -> Rule:
    direction = choice(configuration, "Direction", DIRECTIONS, "increase")
    beside = _also(configuration, "control")
    made = Comparison(
        _needs(configuration),
        direction,
        Wanted(_times(configuration), _part(configuration, "Alpha", ALPHA)),
        _part(configuration, "MinimumPower", 0.8),
        control=beside is not None,
    )
    own = (Asked("", configuration), *((beside,) if beside else ()))
    judged, well = partial(comparison.compare, made), partial(level_well, made)
    return Rule("rank", _baseline(configuration), own, judged, well)


def _count(configuration: Configuration) -> Rule:
    wanted = count.Wanted(
        _times(configuration),
        _part(configuration, "MinimumRate", 0.005),
        _part(configuration, "Alpha", ALPHA),
    )
    made = Ratio(_needs(configuration), wanted, _part(configuration, "MinimumPower", 0.8))
    judged, well = partial(ratio.ratio, made), partial(ratio_well, made)
    return Rule("count", _baseline(configuration), _pair(configuration), judged, well)


def _burn(configuration: Configuration) -> Rule:
    objective = number(configuration, "Objective")
    if not 0 < objective < 100:  # noqa: PLR2004 - a percentage
        raise ValueError(f"Objective: {objective:g} is no percentage below 100, such as 99.9")
    made = Burn(
        _needs(configuration),
        objective / 100,
        step(configuration),
        _part(configuration, "Alpha", ALPHA),
    )
    baseline = duration(configuration, "Baseline", HOUR)
    judged, well = partial(burn.burn, made), partial(burn_well, made)
    return Rule("burnRate", baseline, _pair(configuration), judged, well)


def _baseline(configuration: Configuration) -> timedelta:
    return duration(configuration, "Baseline", max(DAY, POINTS * step(configuration)))


def _pair(configuration: Configuration) -> tuple[Asked, Asked]:
    beside = _also(configuration, "requests")
    if beside is None:
        keys = ", ".join(INSTEAD["requests"])
        raise ValueError(f"Requests is missing: say what errors are of, by one of {keys}")
    return Asked("", configuration), beside


def _also(configuration: Configuration, name: str) -> Asked | None:
    """Read the further series of that name, where the configuration has one."""
    for key, instead in INSTEAD[name].items():
        if configuration.get(key):
            return Asked(name, {**configuration, instead: configuration[key]})
    return None


def _needs(configuration: Configuration) -> Needs:
    label, due, _ = kind(configuration)
    samples = whole(configuration, "MinimumSamples", 1, least=1)
    return Needs(label, samples, duration(configuration, "MaxAge", MAX_AGE), due)


def step(configuration: Configuration) -> timedelta:
    """Tell how far the points of a rule's signal lie apart."""
    if "Query" in configuration:
        return duration(configuration, "Step", STEP)
    return ask(configuration).period


def _times(configuration: Configuration) -> float:
    found = number(configuration, "MinimumEffect", 1.5)
    if not 1 < found <= 1000:  # noqa: PLR2004 - beyond it nothing is ever found
        raise ValueError(
            f"MinimumEffect: {found:g} must be above 1, such as 1.5 for half as much more"
        )
    return found


def _part(configuration: Configuration, key: str, default: float) -> float:
    found = number(configuration, key, default)
    if not 0 < found < 1:
        raise ValueError(f"{key}: {found:g} must be between 0 and 1, such as {default:g}")
    return found


MADE: Mapping[str, Callable[[Configuration], Rule]] = {
    "threshold": _threshold,
    "rank": _rank,
    "count": _count,
    "burnRate": _burn,
}
