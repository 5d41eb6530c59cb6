"""What state an alarm has: M out of N with missing data, and the rules of composite alarms. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-and-missing-data
"""

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}

MORE = 2
"""Periods looked at beyond N: CloudWatch prefers real points to missing ones."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an alarm asks for: `needed` of `periods` points that compare so with the threshold."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str = "missing"


def state_of(points: Sequence[float | None], terms: Terms, current: str) -> str:
    """Answer the state by the points of the last N + MORE periods, oldest first, None missing."""
    recent = list(points[-terms.periods :])
    real = [point for point in points if point is not None]
    if None not in recent:
        return _verdict(recent, terms)
    if len(real) >= terms.periods:
        return _verdict(real[-terms.periods :], terms)
    if not real:
        return _silent(terms, current)
    filled = {"breaching": terms.periods - len(real), "notBreaching": 0}.get(terms.missing)
    if filled is None:
        return _with_gaps(points, real, terms, current)
    return "ALARM" if _breaching(real, terms) + filled >= terms.needed else "OK"


def _silent(terms: Terms, current: str) -> str:
    states = {"missing": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK"}
    return states.get(terms.missing, current)  # "ignore" keeps what it was


def _with_gaps(
    points: Sequence[float | None], real: Sequence[float], terms: Terms, current: str
) -> str:
    breaching = _breaching(real, terms)
    if breaching >= terms.needed:
        return "ALARM"
    if breaching < len(real):
        return "OK"
    if terms.missing == "ignore":
        return current
    # Only breaching points, but too few: it counts once the oldest is M periods old.
    oldest = next(i for i, point in enumerate(points) if point is not None)
    return "ALARM" if len(points) - oldest >= terms.needed else current


def _breaching(points: Sequence[float | None], terms: Terms) -> int:
    compare = COMPARISONS[terms.comparison]
    return sum(1 for point in points if point is not None and compare(point, terms.threshold))


def _verdict(points: Sequence[float | None], terms: Terms) -> str:
    return "ALARM" if _breaching(points, terms) >= terms.needed else "OK"


# --- Composite alarms ---------------------------------------------------------------------------


class RuleError(ValueError):
    """A rule of a composite alarm that cannot be read."""


TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|"
    r"(?P<plain>[^\s()\"]+))\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE|\(|\)))",
    re.IGNORECASE,
)
DEEPEST = 30

StateOf = Callable[[str], str]


def holds(rule: str, state_of_alarm: StateOf) -> bool:
    """Whether a rule holds; alarms are named by name or ARN. Raises RuleError."""
    tokens = list(_tokens(rule))
    value = _either(tokens, state_of_alarm, 0)
    if tokens:
        raise RuleError(f"AlarmRule: {tokens[0][0]!r} was not expected")
    return value


def names_in(rule: str) -> list[str]:
    """Answer the names of the alarms that a rule asks for. Raises RuleError."""
    return [name for word, name in _tokens(rule) if name]


def _tokens(rule: str) -> Iterator[tuple[str, str]]:
    place = 0
    text = rule.strip()
    while place < len(text):
        found = TOKEN.match(text, place)
        if not found:
            raise RuleError(f"AlarmRule: cannot read {text[place : place + 40]!r}")
        place = found.end()
        name = found["quoted"] or found["plain"] or ""
        yield (found["state"] or found["word"]).upper(), name.rpartition(":alarm:")[2]


def _either(tokens: list[tuple[str, str]], state: StateOf, depth: int) -> bool:
    value = _both(tokens, state, depth)
    while tokens and tokens[0][0] == "OR":
        tokens.pop(0)
        value = _both(tokens, state, depth) or value
    return value


def _both(tokens: list[tuple[str, str]], state: StateOf, depth: int) -> bool:
    value = _one(tokens, state, depth)
    while tokens and tokens[0][0] == "AND":
        tokens.pop(0)
        value = _one(tokens, state, depth) and value
    return value


def _one(tokens: list[tuple[str, str]], state: StateOf, depth: int) -> bool:
    if not tokens or depth > DEEPEST:
        raise RuleError("AlarmRule: it ends too early or is nested too deeply")
    word, name = tokens.pop(0)
    if name:
        return state(name) == word
    if word == "NOT":
        return not _one(tokens, state, depth + 1)
    if word in ("TRUE", "FALSE"):
        return word == "TRUE"
    if word != "(":
        raise RuleError(f"AlarmRule: {word!r} was not expected")
    value = _either(tokens, state, depth + 1)
    if not tokens or tokens.pop(0)[0] != ")":
        raise RuleError("AlarmRule: a closing bracket is missing")
    return value
