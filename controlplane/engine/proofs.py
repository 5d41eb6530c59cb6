"""Proofs: rules of onSuccess that say once whether the release is well, after the stage's last action. Pure.

A signal watches from the first deployment on; a function, a build or a variable would answer for the old
version then. So each is asked once all actions have succeeded, beside the bake, and the stage ends well only
when every proof holds. One that nobody could answer is no evidence: it holds the bake and pages.
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
"""

from collections.abc import Mapping

from controlplane.declarations.model import Condition, RuleDeclaration
from controlplane.engine.view import ActionMove, ActionView, StageView
from controlplane.states import ActionStatus as A
from monitors.base import Verdict
from rollback.models import Cause, CauseKind

OPEN = frozenset({A.READY, A.STARTING, A.IN_PROGRESS})
Rows = Mapping[str, ActionView]


def to_ask(view: StageView, by_name: Rows) -> list[RuleDeclaration]:
    """Those that nobody has asked yet."""
    return [rule for rule in view.declared.proofs() if rule.name not in by_name]


def disproved(condition: Condition, rows: Rows) -> Cause | None:
    """The first proof of a condition that says no: the release is bad, as where a signal FAILs."""
    for rule in condition.proofs:
        row = rows.get(rule.name)
        if row is not None and (row.status == A.FAILED or row.verdict == Verdict.FAIL):
            return Cause(CauseKind.BAD_SIGNAL, row.name, row.summary)
    return None


def holding(view: StageView, by_name: Rows) -> bool:
    """Say whether every proof holds; True where there is none."""
    return all(_holds(by_name.get(rule.name)) for rule in view.declared.proofs())


def lost(view: StageView, by_name: Rows) -> list[ActionView]:
    """Those that nobody could answer."""
    found = (by_name.get(rule.name) for rule in view.declared.proofs())
    return [row for row in found if row is not None and row.status == A.ABANDONED]


def close(view: StageView, by_name: Rows) -> list[ActionMove]:
    """The bake is over, by their word or by a person's: nobody is asked any longer."""
    rows = [by_name[rule.name] for rule in view.declared.proofs() if rule.name in by_name]
    return [
        ActionMove(
            row.id, row.kind, row.name, A(row.status),
            A.SUCCEEDED if _holds(row) and row.status == A.IN_PROGRESS else A.ABANDONED,
            row.summary,
        )
        for row in rows
        if row.status in OPEN
    ]  # fmt: skip


def _holds(row: ActionView | None) -> bool:
    return row is not None and (row.status == A.SUCCEEDED or row.verdict == Verdict.PASS)
