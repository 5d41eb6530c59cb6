"""The rules of a stage as deciding sees them: what each said last, how fresh it is, what it leads to. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from controlplane.declarations.model import StageDeclaration
from controlplane.engine import proofs
from controlplane.engine.terms import Terms, terms
from controlplane.engine.view import ActionView, StageView
from monitors.base import Verdict
from rollback.consequences import LETS_END, Consequence
from rollback.models import Cause, CauseKind


class Rule(NamedTuple):
    """One rule of a stage: its row where it has one, and its terms."""

    terms: Terms
    row: ActionView | None

    @property
    def verdict(self) -> Verdict | None:
        """What it said last; None where it said nothing yet."""
        return Verdict(self.row.verdict) if self.row and self.row.verdict else None

    @property
    def follows(self) -> Consequence | None:
        """What its verdict leads to; None where there is none yet."""
        return None if self.verdict is None else self.terms.follows[self.verdict]

    def said_since(self, moment: float, now: float) -> bool:
        """Say whether its verdict was given after a moment, and not too long ago either."""
        at = (self.row.verdict_at if self.row else None) or 0.0
        return at >= max(moment, now - self.terms.fresh)

    def lets_end(self, moment: float, now: float) -> bool:
        """Say whether its verdict lets go on what waits for one since a moment."""
        return self.follows in LETS_END and self.said_since(moment, now)

    def is_unheard(self, moment: float, now: float) -> bool:
        """Say whether it had every chance to give a verdict since a moment, and gave none.

        Twice as long as a verdict is fresh: whoever takes over from a dead replica looks first.
        """
        return now >= moment + 2 * self.terms.fresh and not self.said_since(moment, now)

    @property
    def told(self) -> str:
        """Name and verdict, for a person."""
        return f"{self.row.name}: {self.row.verdict}" if self.row else ""


def rules_of(view: StageView, by_name: Mapping[str, ActionView]) -> list[Rule]:
    """Every rule of the stage, declared in this order."""
    return [Rule(terms(one), by_name.get(one.name)) for one in view.declared.rules()]


def breach(
    stage: StageDeclaration, rows: Mapping[str, ActionView], *, watching: bool = False
) -> Cause | None:
    """The first condition of onSuccess that is broken, and by which of its signals. rows: by rule.

    watching: the stage is done, and proofs are asked no more. The quorum stays the declared one: what has
    ceased to watch, or never did, makes it no smaller.
    """
    for condition in stage.on_success.conditions if stage.on_success else ():
        rules = [Rule(terms(one), rows.get(one.name)) for one in condition.signals]
        cause = _breach(rules)
        cause = cause or proofs.disproved(condition, {} if watching else rows)
        if cause is not None:
            return cause
    return None


def _breach(rules: Sequence[Rule]) -> Cause | None:
    """Say which signals roll back: a critical one alone, others where a quorum of them FAIL."""
    failed = _failed(rules)
    critical = [one for one in failed if one.terms.critical]
    if not critical and (not failed or len(failed) < _needed(rules)):
        return None
    rows = [one.row for one in critical or failed if one.row]
    return Cause(CauseKind.BAD_SIGNAL, rows[0].name, "; ".join(row.summary for row in rows))


def _failed(rules: Sequence[Rule]) -> list[Rule]:
    return [one for one in rules if one.row and one.follows is Consequence.ROLL_BACK]


def _needed(rules: Sequence[Rule]) -> int:
    others = [one for one in rules if not one.terms.critical]
    return min(max((one.terms.quorum for one in others), default=1), len(others))


def unconfirmed(
    stage: StageDeclaration, rows: Mapping[str, ActionView], dark: Callable[[Rule], bool]
) -> str:
    """Say who keeps what FAILs from being a quorum only because nobody can read it; "" where none does.

    What cannot be read is not well, and is no proof that the release is bad either: a person decides.
    dark: whether a signal cannot be read. rows: of those that watch; all others have ceased to, or never did.
    """
    for condition in stage.on_success.conditions if stage.on_success else ():
        named = [(one.name, Rule(terms(one), rows.get(one.name))) for one in condition.signals]
        rules = [rule for _, rule in named]
        failed, lost = _failed(rules), [name for name, rule in named if dark(rule)]
        if failed and len(failed) < _needed(rules) <= len(failed) + len(lost):
            return f"{', '.join(lost)} cannot be read, and {_needed(rules)} must FAIL"
    return ""


def reasons(rules: Iterable[Rule]) -> str:
    return "; ".join(f"{one.told} ({one.row.summary})" for one in rules if one.row)


def clock(at: float) -> str:
    """The time of day (UTC) of seconds since the epoch."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"
