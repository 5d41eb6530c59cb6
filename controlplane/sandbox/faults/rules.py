"""One rule: which fault befalls what, how often and when. Read strictly from JSON.

{"fault": "throttle", "service": "codedeploy", "operation": "CreateDeployment", "times": 2}

service, operation, account, region: what it matches; absent or "" is any. For events, service is
the source without "aws.", and operation the detail type. For a call, account is whose resources
are acted on: for AssumeRole that of the role.
after: so many matching ones pass first. times: it hits at most so often. probability: by the dice.
begins, ends: a window, in seconds since the rule was added.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from controlplane.sandbox.faults.kinds import CLOCK, KINDS, Option

MANY = 1_000_000_000


class RuleError(Exception):
    """A rule that cannot be read; the sentence names the field and the mend."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens."""

    service: str
    operation: str
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What was declared. options: the fault's own fields, with their defaults filled in."""

    fault: str
    service: str = ""
    operation: str = ""
    account: str = ""
    region: str = ""
    after: int = 0
    times: int | None = None
    probability: float = 1.0
    begins: float = 0.0
    ends: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def befalls(self) -> str:
        """What kind of thing it befalls."""
        return KINDS[self.fault].befalls

    def matches(self, place: Place) -> bool:
        """Whether it is about this place."""
        return (
            self.service in ("", place.service)
            and self.operation in ("", place.operation)
            and self.account in ("", place.account)
            and self.region in ("", place.region)
        )

    def document(self) -> dict[str, Any]:
        """Write it as it was given: what says nothing is left out."""
        told = {name: getattr(self, name) for name in FIELDS}
        plain = Rule(self.fault)
        kept = {name: value for name, value in told.items() if value != getattr(plain, name)}
        return {"fault": self.fault, **kept, **self.options}


Reader = Callable[[str, Any], Any]
"""(the field's name, what was given) -> the value. RuleError where it is wrong."""


def _text(pattern: str, mend: str) -> Reader:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or (value and not re.fullmatch(pattern, value)):
            raise RuleError(f"{name} is {_shown(value)}: {mend}, or leave it out for any.")
        return value

    return read


def _number(least: float, most: float, *, whole: bool = False) -> Reader:
    kinds = (int,) if whole else (int, float)
    kind = "a whole number" if whole else "a number"

    def read(name: str, value: Any) -> Any:
        right = isinstance(value, kinds) and not isinstance(value, bool)
        if not (right and least <= value <= most):
            raise RuleError(f"{name} is {_shown(value)}: give {kind} from {least:g} to {most:g}.")
        return value if whole else float(value)

    return read


FIELDS: Mapping[str, Reader] = MappingProxyType(
    {
        "service": _text(r"[a-z0-9-]{1,40}", "give a service by boto3's name, as codedeploy"),
        "operation": _text(r"[A-Za-z0-9 -]{1,100}", "give an operation, as CreateDeployment"),
        "account": _text(r"[0-9]{12}", "give the twelve digits of an account's id"),
        "region": _text(r"[a-z]{2}(-[a-z]+)+-[0-9]", "give a region, as eu-west-1"),
        "after": _number(0, MANY, whole=True),
        "times": _number(1, MANY, whole=True),
        "probability": _number(0, 1),
        "begins": _number(0, MANY),
        "ends": _number(0, MANY),
    }
)


def read(given: Any) -> Rule:
    """Read one rule. Raises RuleError."""
    if not isinstance(given, Mapping):
        raise RuleError(f'a rule is {_shown(given)}: give an object, as {{"fault": "throttle"}}.')
    fault = given.get("fault")
    if not isinstance(fault, str) or fault not in KINDS:
        raise RuleError(f"fault is {_shown(fault)}: give one of {', '.join(KINDS)}.")
    options = KINDS[fault].options
    for name in given:
        if name != "fault" and name not in FIELDS and name not in options:
            known = ", ".join(("fault", *FIELDS, *options))
            raise RuleError(f"{_shown(name)} is no field of {fault}: it has {known}.")
    fields = {name: how(name, given[name]) for name, how in FIELDS.items() if name in given}
    chosen = {name: _option(name, option, given) for name, option in options.items()}
    rule = Rule(fault=fault, **fields, options=MappingProxyType(chosen))
    _check(rule, given)
    return rule


def _option(name: str, option: Option, given: Mapping[str, Any]) -> Any:
    if name not in given:
        if option.needed:
            raise RuleError(f"{name} is missing: {given['fault']} does nothing without it.")
        return option.default
    value = given[name]
    if option.among:
        # True is 1 to Python, and no status to anybody.
        if isinstance(value, bool) or value not in option.among:
            choices = " or ".join(map(str, option.among))
            raise RuleError(f"{name} is {_shown(value)}: give {choices}.")
        return value
    if isinstance(option.default, str):
        return _text(r"[^\x00-\x1f]{1,255}", "give its name")(name, value)
    return _number(option.least, option.most, whole=isinstance(option.default, int))(name, value)


def _check(rule: Rule, given: Mapping[str, Any]) -> None:
    if rule.ends is not None and rule.ends <= rule.begins:
        raise RuleError(f"ends is {rule.ends:g}: give a time after begins ({rule.begins:g}).")
    if rule.befalls != CLOCK:
        return
    for name in ("service", "operation", "account", "region", "after", "times", "probability"):
        if name in given:
            raise RuleError(f"{name} says nothing of a clock: leave it out of {rule.fault}.")


def _shown(value: Any) -> str:
    return f"{value!r:.60}"
