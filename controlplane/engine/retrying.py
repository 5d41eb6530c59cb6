"""A failed stage begins another attempt: asked for by a person, or by itself as onFailure says.

The attempt waits in front of its stage as every execution does: a closed way in, a gate or a freeze that
came meanwhile keeps it out, and in SUPERSEDED mode a newer execution that waits there overtakes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.declarations.model import StageDeclaration
from controlplane.declarations.retries import retry_of, wants_retry
from controlplane.engine.carried import in_quarantine
from controlplane.engine.gate_facts import covering
from controlplane.engine.rows import AUTOMATIC, stage_row
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import ActionView, StageView
from controlplane.engine.waves import unfinished
from controlplane.ledger import Fared
from controlplane.states import ActionStatus
from controlplane.store import actions, executions, ledger, queries
from rollback.models import Cause

CARRIED = (
    "name",
    "kind",
    "run_order",
    "token",
    "handle",
    "summary",
    "url",
    "output",
    "started_at",
    "ended_at",
)


def facts(
    tx: Transaction,
    row: Any,
    execution: Any,
    declared: StageDeclaration,
    found: Sequence[ActionView],
) -> Mapping[str, Any]:
    """What deciding on another try must know of our rows: read only where one may be due."""
    if not wants_retry(declared) or all(one.status != ActionStatus.FAILED for one in found):
        return {}
    tried = executions.of_execution(tx.connection, execution.id)
    mine = [one for one in tried if one.position == row.position]
    return {
        "retries": sum(one.retried == AUTOMATIC for one in mine),
        "no_retry": _against(tx, row, execution),
    }


def _against(tx: Transaction, row: Any, execution: Any) -> str:
    if execution.type != "STANDARD":
        return f"it is of a {execution.type.lower()}"
    if held := in_quarantine(tx.connection, tx.structures, execution, row.position):
        return f"{held} is in quarantine"
    if goes_back_now(tx, execution):
        return "its execution is being rolled back"
    if queries.newer_in_stage(tx.connection, row.pipeline, row.stage, execution.id):
        return "a newer execution has entered the stage"
    return ""


def goes_back_now(tx: Transaction, execution: Any) -> bool:
    """True while a ROLLBACK execution takes away what an execution has deployed."""
    backs = executions.rollbacks_of(tx.connection, execution.id)
    return any(one.ended_at is None for one in backs)


def try_again(tx: Transaction, view: StageView, row: Any, execution: Any, cause: Cause) -> None:
    """Begin the attempt that was decided, in the transaction in which the one before it ended."""
    retry = retry_of(view.declared)
    mine = [action.id for action in view.actions if action.kind == "action"]
    ledger.fared(tx.connection, mine, Fared.BAD, tx.now)  # what is kept is carried over from there
    add_attempt(tx, row, execution, AUTOMATIC, all_actions=retry.all_actions)
    what = "all actions" if retry.all_actions else "what failed"
    number = view.retries + 1
    tx.fact(
        "stage.retried", execution, stage=row.stage,
        text=f"by itself ({number} of {retry.attempts}, {what}): {cause.by}: {cause.reason}",
        data={"trigger": AUTOMATIC, "attempt": number, "cause": cause.kind, "by": cause.by},
    )  # fmt: skip
    tx.to_admit[row.pipeline, row.stage] = False
    held = [
        one for one in queries.transitions(tx.connection, row.pipeline) if one.stage == row.stage
    ]
    shut = [*held, *covering(tx.freezes(), row.pipeline, view.declared)]
    if shut and view.since is not None:
        say_what_stays(tx, execution, row.stage, shut[0].reason)


def waits_behind(tx: Transaction, pipeline: str, stage: str, reason: str) -> None:
    """The way in was closed: page for a try that waits in front of it now."""
    for one in executions.inbound(tx.connection, pipeline, stage):
        if one.retried == AUTOMATIC:
            say_what_stays(tx, one, stage, reason)


def say_what_stays(tx: Transaction, execution: Any, stage: str, reason: str) -> None:
    """Between two tries what failed stands where it was put; a try that cannot come in leaves it there."""
    text = (
        f"{stage} is tried again only once its way in is open ({reason}); until then what the failed try "
        "deployed stays there: open the way, or roll back"
    )
    tx.fact("person.paged", execution, stage=stage, text=text)


def before(tx: Transaction, row: Any) -> Any:
    """The attempt of the same stage that a try came after."""
    tried = executions.of_execution(tx.connection, row.execution_id)
    mine = [one for one in tried if one.position == row.position and one.attempt < row.attempt]
    return max(mine, key=lambda one: one.attempt)


def add_attempt(tx: Transaction, row: Any, execution: Any, by: str, *, all_actions: bool) -> None:
    """Queue a stage execution as a new attempt; what had succeeded is carried over, unless all runs anew."""
    new = stage_row(execution, row.position, row.stage, row.attempt + 1, by)
    tx.new_stages.append(new)
    if not all_actions:
        _carry_over(tx, execution, row.id, new)


def _carry_over(tx: Transaction, execution: Any, old_stage: str, new: Any) -> None:
    tx.flush()
    rows = queries.actions_of_stage(tx.connection, old_stage)
    stage = tx.structures.stages(tx.connection, execution)[new["position"]]
    again = unfinished(stage, {row.name for row in rows})
    kept = [
        {
            **{name: getattr(done, name) for name in CARRIED},
            "execution_id": execution.id,
            "stage_id": new["id"],
            "attempt": new["attempt"],
            "status": ActionStatus.SUCCEEDED,
            "lane": done.lane,
            "due_at": None,
            "timeout_at": None,
            "fence": 0,
            "wake": 0,
            "starts": done.starts,
            "failures": 0,
            "answer": "",
            "verdict": "",
        }
        for done in rows
        if done.status == ActionStatus.SUCCEEDED
        and done.kind == "action"
        and done.name not in again
    ]
    # Written at once, for the ledger follows the rows that stand for its deployments now.
    actions.add(tx.connection, kept)
    ledger.carry_over(tx.connection, old_stage, new["id"], tx.now)
