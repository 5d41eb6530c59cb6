"""What a rollback has reached, what a person must be told of it, and when no other may be needed.

Where our ledger knows no way back, a deployment is only stopped. CodeDeploy may then put back what it
remembers itself, and that may be a release that went bad before: nobody has said that it is good.
"""

import json
from typing import Any

from controlplane import feedback
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import StageView
from controlplane.store import actions, ledger, pipelines


def reached(tx: Transaction, execution: Any) -> str:
    """Say not more than the rollback set out to do."""
    if not feedback.only_stopped(tx.structures.stages(tx.connection, execution)[0]):
        return f"{execution.pipeline} is back"
    return f"{execution.pipeline} is back or stopped as far as could be; a person was paged"


def page_for_what_was_put_back(
    tx: Transaction, view: StageView, stage: str, execution: Any
) -> None:
    """Page a person for every target that was only stopped: what CodeDeploy put back, or left there."""
    names = {action.name for action in feedback.only_stopped(view.declared)}
    ended = actions.outputs(tx.connection, view.id) if names else ()
    for row in ended:
        output = json.loads(row.output)
        if row.name in names and output.get("LeftAsItIs"):
            text = f"{stage} is left as it is: {output['LeftAsItIs']}: {row.summary}"
            tx.fact("person.paged", execution, stage=stage, action=row.name, text=text)
        elif row.name in names and output.get("RollbackDeploymentId"):
            to = output.get("RolledBackTo") or "nobody knows what"
            text = f"{stage} now serves {to}, which nobody knows to be good: {row.summary}"
            tx.fact("person.paged", execution, stage=stage, action=row.name, text=text)


def hold_way_in(tx: Transaction, execution: Any, stage: str, reason: str) -> None:
    """The circuit breaker: no release gets past the source until a person resumes the pipeline."""
    newest = pipelines.version(tx.connection, execution.pipeline) or execution.version
    stages = tx.structures.pipeline(tx.connection, execution.pipeline, newest).stages
    way_in = stages[1].name if len(stages) > 1 else stage
    said = f"held by the circuit breaker of {stage}: {reason}"
    row = {
        "pipeline": execution.pipeline,
        "stage": way_in,
        "reason": said[:300],
        "disabled_by": "towpath",
        "disabled_at": tx.now,
    }
    ledger.close_for_good(tx.connection, row)
    tx.fact("transition.disabled", execution, stage=way_in, text=said)
