"""The rows that a drill begins with, and those that it is judged by."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from controlplane import ledger as pure_ledger
from controlplane.declarations.model import StageDeclaration
from controlplane.engine import ids
from controlplane.engine.drill_plan import Plan, Standing
from controlplane.engine.drill_step import Seen
from controlplane.engine.refusals import Person
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import deploys
from controlplane.ledger import Fared
from controlplane.states import DrillState, ExecutionStatus
from controlplane.store import executions, ledger, queries
from monitors.base import Verdict


def standing(connection: Connection, stage: StageDeclaration) -> dict[str, Standing]:
    """By the action that deploys there: what is on its target, and what is good there."""
    found = {}
    for action in stage.actions:
        if deploys(action):
            provider, region = action.action_type_id.provider, action.region or ""
            target = pure_ledger.target_of(provider, region, action.configuration)
            newest = ledger.entries(connection, target, limit=1)
            known = ledger.entries(connection, target, status=Fared.GOOD)
            bad = ledger.quarantined(connection, {one.digest for one in known})
            good = pure_ledger.last_known_good(known, bad)
            found[action.name] = Standing(target, newest[0] if newest else None, good)
    return found


def execution_row(tx: Transaction, pipeline: str, version: int, by: Person, plan: Plan) -> Any:
    """A new execution of one stage, marked as a drill."""
    new: Mapping[str, Any] = {
        "id": ids.execution_id(tx.now),
        "pipeline": pipeline,
        "version": version,
        "type": "DRILL",
        "status": ExecutionStatus.IN_PROGRESS,
        "stop": "",
        "digest": plan.digest,
        "trigger": json.dumps({"type": "Drill", "by": by.name, "detail": "a drill"}),
        "revisions": "{}",
        "plan": plan.stage.model_dump_json(by_alias=True, exclude_none=True),
        "rolls_back": "",
        "rollback_state": "",
        "dedupe": None,
        "reason": "",
        "started_at": tx.now,
    }
    executions.add(tx.connection, new)
    for artifact in plan.artifacts:
        ledger.keep_artifact(tx.connection, str(new["id"]), artifact)
    return executions.by_id(tx.connection, str(new["id"]))


def drill_row(tx: Transaction, execution: Any, by: Person, plan: Plan) -> dict[str, Any]:
    """The drill's own row."""
    return {
        "pipeline": execution.pipeline,
        "stage": plan.stage.name,
        "execution_id": execution.id,
        "account": plan.alarm.configuration.get("Account", ""),
        "region": plan.alarm.region or "",
        "alarm": plan.alarm.configuration.get("AlarmName", ""),
        "rule": plan.alarm.name,
        "requested_by": f"{by.name} ({by.door})",
        "state": DrillState.DEPLOYING,
        "requested_at": tx.now,
        "sets": 0,
        "note": "",
    }


def seen(connection: Connection, drill: Any) -> Seen | None:
    """How a drill's execution and its rollback stand; None where retention took the execution."""
    execution = executions.by_id(connection, drill.execution_id)
    if execution is None:
        return None
    stages = executions.of_execution(connection, execution.id)
    backs = executions.rollbacks_of(connection, execution.id)
    began: list[float] = []
    if backs:
        rows = queries.actions_of_execution(connection, backs[-1].id)
        began = [row.started_at for row in rows if row.started_at is not None]
    return Seen(
        execution=execution,
        stage=stages[-1].status if stages else "",
        failed_at=_failed_at(connection, drill),
        rollback=backs[-1] if backs else None,
        stopped_at=min(began, default=None),
    )


def _failed_at(connection: Connection, drill: Any) -> float | None:
    """When the rule that watches the alarm judged FAIL, after the alarm was to be set."""
    events = queries.events_after(connection, 0, execution=drill.execution_id, limit=1_000)
    return next(
        (
            event.at
            for event in events
            if event.kind == "rule.judged"
            and event.action == drill.rule
            and json.loads(event.data).get("verdict") == Verdict.FAIL
        ),
        None,
    )
