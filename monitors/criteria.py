"""What a watching rule calls bad, and on how much its verdict must rest. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitors.metric_queries import ask
from monitors.values import Configuration, choice, duration, number, text, whole

COMPARISONS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
"""CloudWatch's own names, and how a person writes them."""

MAX_AGE = timedelta(seconds=60)
STEP = timedelta(seconds=15)
WORSE_BY = 1.5
LABEL = 80


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is bad, and when it is enough.

    needed of the last `window` points make a breach (window = needed: all of the last ones).
    due: how long after the time of a point the next one is there where nothing is late; a signal is
      silent when that next one is overdue by more than max_age.
    worse_by: a signal that was bad before must be this many times as far beyond the threshold.
    alarm: the values are the two states of an alarm. It has counted its own datapoints, so one look
      at it is enough.
    """

    label: str
    comparison: str
    threshold: float
    needed: int = 1
    window: int = 1
    minimum_samples: int = 1
    max_age: timedelta = MAX_AGE
    due: timedelta = timedelta(0)
    worse_by: float = WORSE_BY
    alarm: bool = False

    @property
    def sign(self) -> str:
        """The comparison as a person writes it."""
        return COMPARISONS[self.comparison]

    def excess(self, value: float) -> float:
        """How far a value is beyond the threshold, in the bad direction; below 0 is good."""
        up = self.comparison.startswith("Greater")
        return value - self.threshold if up else self.threshold - value

    def is_bad(self, value: float) -> bool:
        """Say whether a value is on the bad side of the threshold."""
        beyond = self.excess(value)
        return beyond > 0 or (beyond == 0 and "OrEqual" in self.comparison)

    def is_worse(self, value: float, before: float) -> bool:
        """Say whether a value is clearly worse than a bad one from before."""
        return self.excess(value) > self.worse_by * self.excess(before)

    def overdue(self, newest: datetime, now: datetime) -> bool:
        """Say whether a signal whose newest point is this old has fallen silent."""
        return now - newest - self.due > self.max_age


def criteria(configuration: Configuration) -> Criteria:
    """Read a watching rule; ValueError with a sentence for a person where it is wrong."""
    needed = whole(configuration, "DatapointsToFail", 1, least=1)
    window = whole(configuration, "DatapointsWindow", needed, least=1)
    if window < needed:
        raise ValueError(
            f"DatapointsToFail is {needed}, but DatapointsWindow looks at {window} points only"
        )
    samples = whole(configuration, "MinimumSamples", 1, least=1)
    label, due, alarm = kind(configuration)
    worse_by = number(configuration, "WorseBy", WORSE_BY)
    if worse_by < 1:
        raise ValueError(f"WorseBy: {worse_by:g} is below 1, which is no worse than before")
    return Criteria(
        label=label,
        comparison=_comparison(configuration, alarm=alarm),
        threshold=0.5 if alarm else number(configuration, "Threshold"),
        needed=1 if alarm else needed,
        window=1 if alarm else window,
        minimum_samples=1 if alarm else samples,
        max_age=duration(configuration, "MaxAge", MAX_AGE),
        due=due,
        worse_by=worse_by,
        alarm=alarm,
    )


def _comparison(configuration: Configuration, *, alarm: bool) -> str:
    default = "GreaterThanThreshold"
    return default if alarm else choice(configuration, "Comparison", tuple(COMPARISONS), default)


def kind(configuration: Configuration) -> tuple[str, timedelta, bool]:
    """Tell the name of the signal, how its points follow each other, and whether it is an alarm."""
    if "AlarmName" in configuration:
        return f"alarm {text(configuration, 'AlarmName')}", timedelta(0), True
    if "Query" in configuration:
        # A point is of one moment; the next is due a step later.
        return _short(text(configuration, "Query")), duration(configuration, "Step", STEP), False
    # A point's time is the start of its period: it ends a period later, and the next a further one.
    metric = ask(configuration)
    return _short(configuration.get("MetricName", "") or metric.result_id), 2 * metric.period, False


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= LABEL else f"{name[: LABEL - 1]}…"
