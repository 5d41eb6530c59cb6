"""Bakes and rollbacks: what is watched, for how long, and whether there is a way back."""

from collections.abc import Iterator
from datetime import timedelta

from accounts.yaml_text import Path
from controlplane.declarations.durations import parse_duration
from controlplane.declarations.findings import Finding
from controlplane.declarations.keys import VARIABLE
from controlplane.declarations.model import (
    Condition,
    ExecutionMode,
    PipelineDeclaration,
    Result,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.declarations.providers import provider_of
from controlplane.declarations.retries import AFTER
from controlplane.declarations.rule_providers import BAKE
from controlplane.declarations.walk import conditions
from controlplane.declarations.words import CONSEQUENCES
from monitors.base import Verdict
from rollback.consequences import Consequence

BAKE_RESULTS = (Result.ROLLBACK, Result.FAIL)
FAIL = CONSEQUENCES[Verdict.FAIL]
DRIVERS_OWN = frozenset({"Interval", "MinimumSamples", "MaxAge", "Baseline"})
"""Read at each look, when variables have their values; the rest is read when the bake is decided."""


def check_bakes(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield what is wrong with the bakes and rollbacks of each stage."""
    for i, stage in enumerate(declaration.stages):
        path: Path = ("stages", i)
        yield from _bake(stage, (*path, "onSuccess"))
        for where in _rollbacks(stage, path):
            if i == 0:
                yield Finding(where, "the source stage cannot be rolled back: take it out")
            elif not deploys(stage):
                message = "nothing to roll back: no action of this stage deploys"
                yield Finding(where, message)
            elif declaration.execution_mode is ExecutionMode.PARALLEL:
                message = "a PARALLEL pipeline cannot roll back: use SUPERSEDED or QUEUED, or fail"
                yield Finding(where, message)


def deploys(stage: StageDeclaration) -> bool:
    """Say whether an action of the stage changes what runs on a target.

    A provider that is not known may: that it is not known is said elsewhere.
    """
    known = [provider_of(action.action_type_id) for action in stage.actions]
    return any(provider is None or provider.deploys for provider in known)


def _rollbacks(stage: StageDeclaration, path: Path) -> Iterator[Path]:
    """Every place where a rollback is asked for, bakes that watch nothing left out."""
    if stage.on_failure is not None and stage.on_failure.result is Result.ROLLBACK:
        yield (*path, "onFailure", "result")
    for j, action in enumerate(stage.actions):
        if action.configuration.get(AFTER) == Result.ROLLBACK:
            yield (*path, "actions", j, "configuration", AFTER)
    for word, i, condition in conditions(stage):
        said = condition.result is Result.ROLLBACK and word != "beforeEntry"
        if said and (word == "onFailure" or deploys(stage)):
            yield (*path, word, "conditions", i, "result")


def _bake(stage: StageDeclaration, path: Path) -> Iterator[Finding]:
    group = stage.on_success
    if group is None:
        return
    if not group.conditions:
        yield Finding(path, "is empty: write a bake with signals, or take it out")
    elif stage.rules() and not deploys(stage):
        message = "a bake watches a deployment, and no action of this stage deploys"
        yield Finding(path, message, True)
    for i, condition in enumerate(group.conditions):
        where = (*path, "conditions", i)
        if not condition.rules:
            message = "a bake without signals watches nothing: give at least one under `signals`"
            yield Finding((*where, "rules"), message)
        if condition.result not in BAKE_RESULTS:
            message = f"{condition.result} is not for a bake: use rollback or fail"
            yield Finding((*where, "result"), message)
        yield from _result(condition, where)
        yield from _quorum(condition, where)
        yield from _signals(condition, where)


def _signals(condition: Condition, path: Path) -> Iterator[Finding]:
    for j, rule in enumerate(condition.rules):
        if not rule.is_proof:
            yield from _timeout(rule, (*path, "rules", j))
            yield from _variables(rule, (*path, "rules", j, "configuration"))


def _result(condition: Condition, path: Path) -> Iterator[Finding]:
    """`FAIL: rollback` beside `onFail: fail` are two answers to one question."""
    if condition.result is Result.ROLLBACK:
        return
    for j, rule in enumerate(condition.rules):
        if rule.configuration.get(FAIL) == Consequence.ROLL_BACK:
            message = f"the bake says {condition.result} of a breach: keep one of the two"
            yield Finding((*path, "rules", j, "configuration", FAIL), message)


def _quorum(condition: Condition, path: Path) -> Iterator[Finding]:
    """A quorum is of the signals of a bake, so all say the same, and there must be as many."""
    signals = [
        (j, rule.configuration) for j, rule in enumerate(condition.rules) if not rule.is_proof
    ]
    said = [given.get("Quorum", "1") for _, given in signals]
    many = sum(given.get("Critical") != "true" for _, given in signals)
    for (j, _), quorum in zip(signals, said, strict=True):
        where = (*path, "rules", j, "configuration", "Quorum")
        if quorum != said[0]:
            yield Finding(where, "is another quorum than the first signal's: say it of the bake")
        elif quorum.isdecimal() and int(quorum) > max(1, many):
            yield Finding(where, f"{quorum} of {many} signals that are not critical can never FAIL")


def _variables(rule: RuleDeclaration, path: Path) -> Iterator[Finding]:
    for key in (*BAKE, "Critical"):
        if VARIABLE.search(rule.configuration.get(key, "")) and key not in DRIVERS_OWN:
            yield Finding((*path, key), "is read before variables have values: write it out")


def _timeout(rule: RuleDeclaration, path: Path) -> Iterator[Finding]:
    if rule.timeout_in_minutes is None:
        return
    try:
        bake = parse_duration(rule.configuration.get("BakeTime", "5m"))
    except ValueError:
        return  # said already, where the configuration is checked
    if timedelta(minutes=rule.timeout_in_minutes) < bake:
        message = f"{rule.timeout_in_minutes} minutes are over before the bake of {bake} is"
        yield Finding((*path, "timeoutInMinutes"), message)
