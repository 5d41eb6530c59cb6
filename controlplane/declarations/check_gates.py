"""Gates: conditions before a stage, and what each of their rules was told.

A window that never opens, an expression over names that nobody has: found here, before a release waits for it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from accounts.yaml_text import Path
from controlplane.declarations.findings import Finding
from controlplane.declarations.keys import VARIABLE
from controlplane.declarations.model import (
    Condition,
    PipelineDeclaration,
    Result,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.declarations.providers import provider_of
from controlplane.declarations.walk import conditions
from controlplane.gates.base import zone_of
from controlplane.gates.expressions import Expression
from controlplane.gates.matchers import matchers
from controlplane.gates.variable_check import pattern
from controlplane.gates.windows import is_written_out, window

GATE_RESULTS = (Result.FAIL, Result.SKIP)
DECIDED = frozenset({"VariableCheck", "LambdaInvoke", "CodeBuild", "Commands"})
"""Rules that end by themselves. (CodePipeline lets only the first two skip a stage.)"""
FREEZE = "Freeze"
PAIRS = {"(": ")", "[": "]", "{": "}"}
PROMQL = re.compile(
    r"""#[^\n]*|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`[^`]*`?|[()\[\]{}]""", re.DOTALL
)
"""Comments, texts and brackets."""
TIMES = ("Cron", "Allow", "Deny", "Calendar")

Wrong = Iterator[tuple[str, str]]
"""(key of the configuration, what is wrong with it and the mend)."""


def check_gates(declaration: PipelineDeclaration, now: datetime | None) -> Iterator[Finding]:
    """Yield what is wrong with gates. now: None where windows are not to be looked for an opening."""
    for i, stage in enumerate(declaration.stages):
        yield from _stage(stage, ("stages", i), first=i == 0)
        for word, number, condition in conditions(stage):
            path = ("stages", i, word, "conditions", number, "rules")
            for j, rule in enumerate(condition.rules):
                yield from _rule(rule, (*path, j), word, now)


def _stage(stage: StageDeclaration, path: Path, *, first: bool) -> Iterator[Finding]:
    if stage.before_entry is None:
        return
    path = (*path, "beforeEntry")
    if not stage.before_entry.conditions:
        yield Finding(path, "is empty: write a condition with rules, or take it out")
    for number, condition in enumerate(stage.before_entry.conditions):
        where = (*path, "conditions", number)
        if not condition.rules:
            yield Finding((*where, "rules"), "a gate without rules is no gate: give at least one")
        if condition.result not in GATE_RESULTS:
            message = f"{condition.result} is not for a gate: use FAIL or SKIP"
            yield Finding((*where, "result"), message)
        elif condition.result is Result.SKIP:
            yield from _skips(condition, where, first=first)


def _skips(condition: Condition, path: Path, *, first: bool) -> Iterator[Finding]:
    if first:
        yield Finding((*path, "result"), "the source stage cannot be skipped: use FAIL")
    for j, rule in enumerate(condition.rules):
        if rule.rule_type_id.provider not in DECIDED and rule.timeout_in_minutes is None:
            said = "it waits, so it never skips: give it timeoutInMinutes, or use FAIL"
            yield Finding((*path, "rules", j), said)


def _rule(rule: RuleDeclaration, path: Path, word: str, now: datetime | None) -> Iterator[Finding]:
    provider = provider_of(rule.rule_type_id)
    if provider is None:
        return
    if word not in provider.stands:
        message = f"{provider.provider} stands under {' or '.join(provider.stands)} only"
        yield Finding((*path, "ruleTypeId", "provider"), message)
        return
    if word == "beforeEntry" and rule.name == FREEZE:
        yield Finding(
            (*path, "name"), f"{FREEZE!r} is the name of the freeze's own rule: choose another"
        )
    check = CHECKS.get(provider.provider)
    for key, message in check(rule.configuration, now) if check is not None else ():
        yield Finding((*path, "configuration", *((key,) if key else ())), message)


def _window(given: Mapping[str, str], now: datetime | None) -> Wrong:
    if not any(key in given for key in TIMES):
        yield "", f"DeploymentWindow needs one of {', '.join(TIMES)}"
        return
    if any(VARIABLE.search(given.get(key, "")) for key in (*TIMES, "TimeZone")):
        yield "", "a window is the same for every execution: no variable may stand in it"
        return
    written = dict(given)
    if not is_written_out(written.get("Calendar", "")):
        written.pop("Calendar", None)  # its text is not here; the doctor reads it
    try:
        times = window(written, {})
    except ValueError as error:
        key, _, message = str(error).partition(" ")
        yield key.rstrip(":"), message
        return
    if now is not None and times.opens_at(now) is None:
        key = next(key for key in TIMES if key in given)
        yield (
            key,
            f"never opens within five years from {now:%Y-%m-%d}: allow other times, or deny less",
        )


def _expression(given: Mapping[str, str], now: datetime | None) -> Wrong:
    del now
    text = given.get("Expression", "")
    if VARIABLE.search(text):
        yield (
            "Expression",
            "write variables.namespace.name for #{namespace.name}: text is not put in",
        )
    elif text:
        try:
            Expression(text)
        except ValueError as error:
            yield "Expression", str(error)
    yield from _zone(given)


def _zone(given: Mapping[str, str]) -> Wrong:
    try:
        zone_of(given)
    except ValueError as error:
        yield "TimeZone", str(error).removeprefix("TimeZone: ")


def _incident(given: Mapping[str, str], now: datetime | None) -> Wrong:
    del now
    text = given.get("Matchers", "")
    if not text or VARIABLE.search(text):
        return
    try:
        matchers(text, equality=not (given.get("Alertmanager") or given.get("Url")))
    except ValueError as error:
        yield "Matchers", str(error).removeprefix("Matchers").lstrip(": ")


def _variable(given: Mapping[str, str], now: datetime | None) -> Wrong:
    del now
    text = given.get("Value", "")
    if given.get("Operator") == "MATCHES" and not VARIABLE.search(text):
        try:
            pattern(text)
        except ValueError as error:
            yield "Value", str(error).removeprefix("Value").lstrip(": ")


def _promql(given: Mapping[str, str], now: datetime | None) -> Wrong:
    """Only what is wrong in any PromQL: brackets and quotes. The doctor asks Prometheus itself."""
    del now
    text = given.get("Query", "")
    unclosed: list[str] = []
    for token in PROMQL.finditer(text):
        one = token[0]
        if one in PAIRS:
            unclosed.append(PAIRS[one])
        elif one in PAIRS.values():
            if not unclosed or unclosed.pop() != one:
                yield "Query", f"is no PromQL: {one} at {token.start() + 1} closes nothing"
                return
        elif one[0] != "#" and (len(one) == 1 or one[-1] != one[0]):
            yield "Query", f"is no PromQL: the text at {token.start() + 1} is not closed"
            return
    if unclosed:
        yield "Query", f"is no PromQL: {unclosed[-1]} is missing at its end"


CHECKS: Mapping[str, Callable[[Mapping[str, str], datetime | None], Wrong]] = {
    "DeploymentWindow": _window,
    "Expression": _expression,
    "OpenIncident": _incident,
    "PrometheusQuery": _promql,
    "VariableCheck": _variable,
}
