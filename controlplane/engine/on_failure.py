"""What follows where an action of a stage failed: onFailure's conditions, its result, another try. Pure.

The conditions are asked in their order, and the first that is not met says what follows; where all are met,
`onFailure.result` does. A rule that nobody can answer is no evidence: nothing is rolled back or tried
again for it, and a person is paged.
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from controlplane.declarations.model import Condition, Result, RuleDeclaration
from controlplane.declarations.retries import retry_of
from controlplane.declarations.way_back import is_one_way
from controlplane.engine.view import ActionMove, ActionView, StageView
from controlplane.states import ActionStatus as A
from monitors.base import Verdict

OPEN = (A.READY, A.STARTING, A.IN_PROGRESS)
Rows = Mapping[str, ActionView]
"""The last attempt of every action and rule, by name."""


class Follows(NamedTuple):
    """What follows; why: what is said of it besides, "" where it is just what was declared."""

    result: Result
    why: str = ""
    page: bool = False


def follows(view: StageView, by_name: Rows) -> Follows | None:
    """Say what follows a failed action; None while the rules of its conditions have not said enough.

    Where a person has asked to stop, no rule is waited for, and nothing is tried again.
    """
    declared = view.declared.on_failure
    if declared is None:
        return Follows(Result.FAIL)
    usual = declared.result or Result.FAIL
    if view.stop:
        return Follows(retry_of(view.declared).after if usual is Result.RETRY else usual)
    for condition in declared.conditions:
        met = _met(condition, by_name)
        if met is not None:
            return _wanted(view, by_name, met) if met.result is Result.RETRY else met
        if not _said(condition, by_name):
            return None
    return _wanted(view, by_name, Follows(usual))


def to_ask(view: StageView, by_name: Rows) -> list[RuleDeclaration]:
    """The rules of the conditions that nobody has asked yet."""
    return [rule for rule in view.declared.failure_rules() if rule.name not in by_name]


def close(by_name: Rows) -> list[ActionMove]:
    """The rules are asked no longer: what follows is decided."""
    rows = [one for one in by_name.values() if one.kind == "failure" and one.status in OPEN]
    return [
        ActionMove(
            one.id, one.kind, one.name, A(one.status),
            A.SUCCEEDED if _holds(one) and one.status == A.IN_PROGRESS else A.ABANDONED,
            one.summary,
        )
        for one in rows
    ]  # fmt: skip


def _met(condition: Condition, by_name: Rows) -> Follows | None:
    """What follows from a condition; None where it is met, or nobody knows yet."""
    rows = list(_rows(condition, by_name))
    broken = next((one for one in rows if _breaks(one)), None)
    if broken is not None:
        return Follows(condition.result, f"{broken.name} does not hold: {broken.summary}")
    lost = next((one for one in rows if one.status == A.ABANDONED), None)
    if lost is None:
        return None
    why = f"{lost.name} could not be told, so nothing follows from it: {lost.summary}"
    return Follows(Result.FAIL, why, page=True)


def _said(condition: Condition, by_name: Rows) -> bool:
    rows = list(_rows(condition, by_name))
    return len(rows) == len(condition.rules) and all(_holds(one) for one in rows)


def _rows(condition: Condition, by_name: Rows) -> Iterable[ActionView]:
    return (by_name[rule.name] for rule in condition.rules if rule.name in by_name)


def _holds(row: ActionView) -> bool:
    return row.status == A.SUCCEEDED or row.verdict == Verdict.PASS


def _breaks(row: ActionView) -> bool:
    return row.status == A.FAILED or row.verdict == Verdict.FAIL


def _wanted(view: StageView, by_name: Rows, wanted: Follows) -> Follows:
    """Another try, where there is one left and nothing speaks against it."""
    if wanted.result is not Result.RETRY:
        return wanted
    retry = retry_of(view.declared)
    why = _why_not(view, by_name, retry.attempts)
    return (
        Follows(retry.after, f"{view.declared.name} is not tried again: {why}") if why else wanted
    )


def _why_not(view: StageView, by_name: Rows, attempts: int) -> str:
    """A release that went bad is not tried again, and what cannot be undone is not done twice unasked."""
    bad = [one for one in view.declared.rules() if _is_bad(by_name.get(one.name))]
    if bad:
        return f"{bad[0].name} says that the release is bad"
    if any(map(is_one_way, view.declared.actions)):
        return "it is a one-way door"
    if view.no_retry:
        return view.no_retry
    return f"it was tried again {attempts} times" if view.retries >= attempts else ""


def _is_bad(row: ActionView | None) -> bool:
    return row is not None and row.verdict == Verdict.FAIL
