"""A rule: what it measured, the verdict on it, and what followed. One line a change of the verdict."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from controlplane.clock import iso
from controlplane.declarations.model import RuleDeclaration, StageDeclaration
from controlplane.engine.terms import terms
from controlplane.explain.charts import chart
from controlplane.explain.doings import by_rule
from controlplane.explain.records import Records
from controlplane.feedback import policy_of
from monitors.base import Verdict
from rollback.consequences import CONSEQUENCES, Consequence
from rollback.models import Cause, CauseKind

RUNS = 20
"""Changes of the verdict that are told of a rule, the newest."""


def rule(records: Records, stage: Any, row: Any) -> dict[str, Any]:
    """All of one rule of a stage."""
    declared = records.declared.get(stage.stage)
    known = {one.name: one for one in declared.rules()} if declared else {}
    looks = records.measurements.get(row.id, ())
    every = runs(row.name, looks, declared)
    return {
        "name": row.name,
        "provider": known[row.name].rule_type_id.provider if row.name in known else "",
        **by_rule(known, row),
        "verdict": row.verdict,
        "status": row.status,
        "startedAt": iso(row.started_at),
        "endedAt": iso(row.ended_at),
        "looks": len(looks),
        "runs": every[-RUNS:],
        "leftOut": max(0, len(every) - RUNS),
        "chart": _chart(records, stage, row, known.get(row.name)),
    }


def _chart(
    records: Records, stage: Any, row: Any, declared: RuleDeclaration | None
) -> dict[str, Any] | None:
    kept, looks = records.series.get(row.id, ()), records.measurements.get(row.id, ())
    return chart(kept, looks, stage.since, declared)


def runs(
    name: str, looks: Sequence[Any], declared: StageDeclaration | None
) -> list[dict[str, Any]]:
    """Looks that follow each other with one verdict, told by the last of them."""
    found = []
    known = {one.name: one for one in declared.rules()} if declared else {}
    for verdict, group in groupby(looks, key=lambda row: row.verdict):
        same = list(group)
        last, follows = same[-1], consequence(verdict, declared, known.get(name))
        # A breach is what it was when it was seen; whatever else is said is truer the more was seen.
        reason = same[0].reason if verdict == Verdict.FAIL else last.reason
        found.append(
            {
                "verdict": verdict,
                "from": iso(same[0].at),
                "to": iso(last.at),
                "looks": len(same),
                "reason": reason,
                "value": last.value,
                "samples": last.samples,
                "chance": last.chance,
                "power": last.power,
                "consequence": follows,
                "text": sentence(name, verdict, same[0].at, reason, follows),
            }
        )
    return found


def sentence(name: str, verdict: str, at: float, reason: str, follows: str) -> str:
    """Latency FAIL at 12:03:10: p95 812 > 500 in 3 of 3 points since 12:02:40 → roll back."""
    clock = datetime.fromtimestamp(at, UTC)
    return f"{name} {verdict} at {clock:%H:%M:%S}: {reason} → {follows}"


FOLLOWS: Mapping[Consequence, str] = {
    Consequence.GO_ON: "go on",
    Consequence.ROLL_BACK: "roll back",
    Consequence.EXTEND: "extend the bake",
    Consequence.HOLD: "hold",
    Consequence.HOLD_AND_PAGE: "hold and page",
    Consequence.PAGE: "page, and go on",
    Consequence.PASS: "go on, with a note",
}
"""What a consequence is to a person."""


def consequence(
    verdict: str, stage: StageDeclaration | None, declared: RuleDeclaration | None = None
) -> str:
    """What follows from a verdict in a stage, in the words of the decision."""
    if verdict not in set(Verdict):
        return "nothing"
    cause = Cause(CauseKind.BAD_SIGNAL, declared.name, "") if declared else None
    rolls_back = stage is None or CauseKind.BAD_SIGNAL in policy_of(stage, cause=cause).on
    if verdict == Verdict.FAIL and not rolls_back:
        return "the stage fails, nothing is rolled back"
    follows = terms(declared).follows if declared else CONSEQUENCES
    return FOLLOWS[follows[Verdict(verdict)]]
