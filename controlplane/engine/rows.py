"""New rows: of a stage execution, of an action, of a rule."""

from typing import Any

from controlplane.declarations.model import ActionDeclaration, RuleDeclaration
from controlplane.declarations.registered import is_job
from controlplane.declarations.wave_keys import is_gate
from controlplane.engine import ids
from controlplane.states import ActionStatus, StageStatus

MINUTE = 60.0
DAY = 86_400.0
ABANDONED = "abandoned"
"""The kind of a row that follows what an action began and nobody waits for."""
LONGEST_LEFT = 6 * DAY
"""Seconds. No deployment of CodeDeploy lasts longer (ECS: 120 hours)."""
AUTOMATIC, MANUAL = "automatic", "manual"
"""How a stage came to be tried again."""
TIMEOUT_MINUTES = {"Approval": 7 * 24 * 60, "Deploy": 5 * 24 * 60}
"""CodePipeline's own limits; anything else gets an hour."""
JOB_MINUTES = 24 * 60
"""CodePipeline's limit of what workers and functions do (https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html)."""
ANSWER_MINUTES = 10
ASKED = ("failure", "proof")
"""Kinds of rules that are asked once, and have so long to answer where nothing else is said."""
"""So long a failed stage waits for what a rule of onFailure says."""
BUILD_MINUTES = {"CodeBuild": 8 * 60, "Commands": 55}
"""Of a provider, whatever its category."""


BEGUN = (
    "stage_id", "name", "run_order", "attempt", "token", "starts", "handle", "summary", "url",
    "output", "started_at",
)  # fmt: skip
"""What of an action's row says what it began."""


def stage_row(
    execution: Any, position: int, name: str, attempt: int = 1, retried: str = ""
) -> dict[str, Any]:
    """A stage execution that waits in front of its stage. retried: who began another attempt."""
    return {
        "id": ids.stage_id(execution.id, position, attempt),
        "execution_id": execution.id,
        "pipeline": execution.pipeline,
        "stage": name,
        "position": position,
        "attempt": attempt,
        "status": StageStatus.INBOUND,
        "locked": False,
        "cause": "",
        "held": "",
        "noted": "",
        "judged": "",
        "watch": "",
        "drill": False,
        "retried": retried,
    }


def action_row(
    execution: Any,
    stage_id: str,
    declared: ActionDeclaration | RuleDeclaration,
    now: float,
    attempt: int = 1,
    kind: str = "",
) -> dict[str, Any]:
    """An action or rule that is due now; kind: of a rule that is no signal ("gate", "failure", "proof")."""
    rule = isinstance(declared, RuleDeclaration)
    return {
        "execution_id": execution.id,
        "stage_id": stage_id,
        "name": declared.name,
        "kind": kind or ("rule" if rule else "action"),
        "run_order": 0 if isinstance(declared, RuleDeclaration) else declared.run_order,
        "attempt": attempt,
        "status": ActionStatus.READY,
        "lane": 0 if execution.type == "ROLLBACK" else 1,
        "token": ids.token(stage_id, declared.name, attempt),
        "due_at": now,
        "timeout_at": _timeout_at(declared, now, kind),
        "fence": 0,
        "wake": 0,
        "starts": 0,
        "failures": 0,
        "handle": "",
        "summary": "",
        "url": "",
        "output": "{}",
        "answer": "",
        "verdict": "",
        "verdict_at": None,
        "started_at": None,
        "ended_at": None,
    }


def watch_row(
    execution: Any, stage_id: str, rule: RuleDeclaration, now: float, attempt: int
) -> dict[str, Any]:
    """A rule that goes on watching after its stage is done. No rule is named with a slash."""
    row = action_row(execution, stage_id, rule, now, attempt)
    return {**row, "kind": "watch", "token": ids.token(stage_id, f"watch/{rule.name}", attempt)}


def abandoned_row(execution: Any, action: Any, now: float) -> dict[str, Any]:
    """Go on looking at what an action row began, under the same token: by it the vendor knows the work."""
    return {
        **{name: getattr(action, name) for name in BEGUN},
        "execution_id": execution.id,
        "kind": ABANDONED,
        "status": ActionStatus.IN_PROGRESS,
        "lane": 1,  # nobody waits for it
        "due_at": now,
        "timeout_at": now + LONGEST_LEFT,
        "fence": 0,
        "wake": 0,
        "failures": 0,
        "answer": "",
        "verdict": "",
        "verdict_at": None,
        "ended_at": None,
    }


def _timeout_at(
    declared: ActionDeclaration | RuleDeclaration, now: float, kind: str
) -> float | None:
    """None for what only ends by what it waits for; a gate says in its declaration for how long it waits."""
    if isinstance(declared, RuleDeclaration):
        waits = declared.timeout_in_minutes if kind in ("gate", *ASKED) else None
        waits = ANSWER_MINUTES if waits is None and kind in ASKED else waits
        return now + waits * MINUTE if waits else None
    if is_gate(declared):
        return None
    minutes = declared.timeout_in_minutes
    if minutes is None and is_job(declared):
        minutes = JOB_MINUTES
    if minutes is None:
        made = declared.action_type_id
        minutes = BUILD_MINUTES.get(made.provider) or TIMEOUT_MINUTES.get(made.category, 60)
    return now + minutes * MINUTE
