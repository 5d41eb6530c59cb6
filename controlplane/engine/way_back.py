"""What a rollback that went well has reached, and what a person must be told of it.

Where our ledger knows no way back, a deployment is only stopped. CodeDeploy may then put back what it
remembers itself, and that may be a release that went bad before: nobody has said that it is good.
"""

import json
from typing import Any

from controlplane import feedback
from controlplane.engine.transaction import Transaction
from controlplane.engine.view import StageView
from controlplane.store import actions


def reached(tx: Transaction, execution: Any) -> str:
    """Say not more than the rollback set out to do."""
    if not feedback.only_stopped(tx.structures.stages(tx.connection, execution)[0]):
        return f"{execution.pipeline} is back"
    return f"{execution.pipeline} is back or stopped as far as could be; a person was paged"


def page_for_what_was_put_back(
    tx: Transaction, view: StageView, stage: str, execution: Any
) -> None:
    """Page a person for every target on which CodeDeploy went back to what it remembers."""
    names = {action.name for action in feedback.only_stopped(view.declared)}
    ended = actions.outputs(tx.connection, view.id) if names else ()
    for row in ended:
        output = json.loads(row.output)
        if row.name in names and output.get("RollbackDeploymentId"):
            to = output.get("RolledBackTo") or "nobody knows what"
            text = f"{stage} now serves {to}, which nobody knows to be good: {row.summary}"
            tx.fact("person.paged", execution, stage=stage, action=row.name, text=text)
