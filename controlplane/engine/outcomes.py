"""Write what came of the calls: rows under their fence, ledger, artifacts, variables, measurements."""

import json
from collections.abc import Sequence
from typing import Any

from controlplane import ledger as pure_ledger
from controlplane.declarations.model import ActionDeclaration
from controlplane.engine import abandoned, approvals, pace, work
from controlplane.engine.calls import Result
from controlplane.engine.stores import COPY
from controlplane.engine.subject import built_for
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import deploys
from controlplane.ledger import Fared
from controlplane.states import ActionStatus, RollbackState, check
from controlplane.store import actions, executions, ledger, measurements, series
from monitors.base import Artifact

A = ActionStatus
OVER = frozenset({A.SUCCEEDED, A.FAILED, A.ABANDONED})
NEVER_WOKEN = (1 << 31) - 1
"""More than can ever arrive for one action, as every database's integer can say it."""


def record(tx: Transaction, results: Sequence[Result]) -> set[str]:
    """Write outcomes; answer the stage executions that they touched."""
    if not results:
        return set()
    written = actions.record(tx.connection, [_row(tx, result) for result in results])
    taken = [result for result in results if (result.job.row.id, result.job.row.fence) in written]
    touched = set()
    if brought := [result.job.row.id for result in taken if result.job.key == COPY]:
        actions.not_started(tx.connection, brought)  # the vendor has heard nothing of it yet
    for result in taken:
        execution = result.job.execution
        if _changed(result):
            touched.add(result.job.row.stage_id)
            _tell(tx, result, execution)
        elif result.job.key[0] == "Approval" and result.status is A.IN_PROGRESS:
            approvals.waits(tx, execution, result.job.task.stage, result.job.row)
        _keep(tx, result, execution)
        work.called(tx, result)
        abandoned.looked(tx, result, execution)
    return touched


def _row(tx: Transaction, result: Result) -> dict[str, Any]:
    row, seen = result.job.row, result.judgement
    check_move(row.status, result.status)
    over = result.status in OVER
    return {
        "b_id": row.id,
        "b_fence": row.fence,
        "b_wake": row.wake if not over else NEVER_WOKEN,
        "b_now": tx.now,
        "status": result.status,
        "handle": result.handle,
        "summary": result.summary,
        "url": result.url,
        "output": result.output,
        "failures": result.failures,
        "verdict": seen.verdict if seen else row.verdict,
        "verdict_at": _as_of(tx, result) if seen else None,
        "verdict_since": tx.now if seen and seen.verdict != row.verdict else None,
        "power": seen.power if seen else None,
        "ended_at": tx.now if over else None,
        "due_at": None if over else pace.due(result, tx.now),
    }


def _as_of(tx: Transaction, result: Result) -> float:
    """When the look was made: a replica that stood still before it wrote has an old answer to write."""
    now = result.job.task.now
    return tx.now if now is None else now.timestamp()


def check_move(old: str, new: ActionStatus) -> None:
    """A look that finds no change is no move."""
    if old != new:
        check(old, new)


def _changed(result: Result) -> bool:
    """Deciding is due after a move, and after every judgement."""
    return result.status != result.job.row.status or result.judgement is not None


def _tell(tx: Transaction, result: Result, execution: Any) -> None:
    row, task = result.job.row, result.job.task
    if result.judgement is not None:
        _tell_verdict(tx, result, execution)
    if result.status == row.status:
        return
    kind = "action.started" if result.status is A.IN_PROGRESS else f"action.{result.status.lower()}"
    if row.kind != "action":
        kind = kind.replace("action.", f"{row.kind}.")
    tx.fact(
        kind, execution, stage=task.stage, action=row.name, text=result.summary,
        data={"handle": result.handle} if result.handle else {},
    )  # fmt: skip
    if result.job.key[0] == "Approval":
        approval = "needed" if result.status is A.IN_PROGRESS else "decided"
        tx.fact(
            f"approval.{approval}", execution, stage=task.stage, action=row.name,
            text=result.summary or f"{task.stage} waits for an approval",
        )  # fmt: skip
        if result.status is A.IN_PROGRESS:
            approvals.opened(tx, execution, task.stage, row)
    _follow_rollback(tx, result, execution)


def _tell_verdict(tx: Transaction, result: Result, execution: Any) -> None:
    row, seen = result.job.row, result.judgement
    if seen is None:
        return
    changed = seen.verdict != row.verdict
    if row.kind != "gate" or changed:  # a gate may be looked at for days
        measurements.add(tx.connection, row.id, tx.now, seen)
    if not changed:
        tx.judged[row.id] = seen  # kept where the rule ends with it
    else:
        series.keep(tx.connection, row.id, tx.now, seen)
        tx.fact(
            f"{row.kind}.judged", execution, stage=result.job.task.stage, action=row.name,
            text=seen.reason, data={"verdict": seen.verdict, "samples": seen.samples},
        )  # fmt: skip


ROLLBACK_PART = {
    "CodeDeployStop": RollbackState.STOPPING,
    "CodeDeployRestore": RollbackState.REDEPLOYING,
    "CloudFormationStop": RollbackState.STOPPING,
    "CloudFormationRestore": RollbackState.REDEPLOYING,
    "ECSStop": RollbackState.STOPPING,
    "ECSRestore": RollbackState.REDEPLOYING,
    "ElasticBeanstalkStop": RollbackState.STOPPING,
    "ElasticBeanstalkRestore": RollbackState.REDEPLOYING,
}


def _follow_rollback(tx: Transaction, result: Result, execution: Any) -> None:
    """A ROLLBACK execution's own state follows the action that is under way."""
    if execution.type != "ROLLBACK":
        return
    state = ROLLBACK_PART.get(result.job.key[2], RollbackState.VERIFYING)
    now = executions.rollback_state(tx.connection, execution.id)
    order = list(RollbackState)
    if order.index(state) <= order.index(RollbackState(now)):
        return
    executions.update_execution(tx.connection, execution.id, rollback_state=state)
    tx.fact(f"rollback.{state}", execution, stage=result.job.task.stage, text=result.summary)


def _keep(tx: Transaction, result: Result, execution: Any) -> None:
    """What an outcome leaves behind besides its own row."""
    declared = result.job.declared
    if not isinstance(declared, ActionDeclaration) or result.job.row.kind != "action":
        return
    for artifact in result.artifacts:
        ledger.keep_artifact(tx.connection, execution.id, document(artifact))
    digest = _named_digest(tx, result, execution)
    if digest:
        executions.update_execution(tx.connection, execution.id, digest=digest)
    if declared.namespace and result.status is A.SUCCEEDED:
        values = _values(result)
        executions.keep_variables(tx.connection, execution.id, declared.namespace, values)
    if deploys(declared) and result.status is not A.STARTING and result.job.key != COPY:
        _enter_in_ledger(tx, result, declared, execution)


def _named_digest(tx: Transaction, result: Result, execution: Any) -> str:
    """What an execution is about: what its first source brought, and then what was built of it; or ""."""
    if execution.plan or not result.artifacts:
        return ""  # a way back is about what it goes back to, from its beginning
    if result.job.key == COPY:
        return ""
    stages = tx.structures.stages(tx.connection, execution)
    at = (result.job.task.stage, result.job.row.name)
    if at == (stages[0].name, stages[0].actions[0].name):
        return result.artifacts[0].digest
    built = built_for(stages)
    if built is None or at != (built.stage, built.action):
        return ""
    return next((one.digest for one in result.artifacts if one.name == built.artifact), "")


def _values(result: Result) -> dict[str, str]:
    return {str(k): str(v) for k, v in json.loads(result.output).items()}


def _enter_in_ledger(
    tx: Transaction, result: Result, declared: ActionDeclaration, execution: Any
) -> None:
    known = result.handle or result.status is A.SUCCEEDED
    if not known and result.job.row.starts == 1:
        return  # it never reached the vendor; after a second start nobody knows, so it is undone
    task = result.job.task
    artifact = task.inputs[0] if task.inputs else _restored(task.configuration)
    if artifact is None:
        return
    ledger.put(
        tx.connection,
        {
            "pipeline": execution.pipeline,
            "stage": task.stage,
            "target": pure_ledger.target_of(
                declared.action_type_id.provider, task.region, task.configuration
            ),
            "digest": artifact.digest,
            "artifact": pure_ledger.artifact_text(document(artifact)),
            "execution_id": execution.id,
            "action_id": result.job.row.id,
            "action": declared.name,
            "token": task.token,
            "handle": result.handle,
            "status": Fared.DEPLOYING,
            "at": tx.now,
        },
    )
    if result.status is A.SUCCEEDED:
        ledger.fared(tx.connection, [result.job.row.id], Fared.DEPLOYED, tx.now)


def _restored(configuration: Any) -> Artifact | None:
    """What a restoring action puts on its target."""
    digest = configuration.get("RevisionDigest", "")
    if not digest:
        return None
    return Artifact(
        name="restored",
        digest=digest,
        location=configuration.get("RevisionLocation", ""),
        version=configuration.get("RevisionVersion", ""),
        account=configuration.get("Account", ""),
    )


def document(artifact: Artifact) -> dict[str, str]:
    """An artifact as it is stored."""
    return {
        "name": artifact.name,
        "digest": artifact.digest,
        "location": artifact.location,
        "version": artifact.version,
        "account": artifact.account,
        "region": artifact.region,
    }
