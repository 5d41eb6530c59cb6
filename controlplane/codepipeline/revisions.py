"""PutActionRevision: somebody tells of a new revision of a source."""

from controlplane.codepipeline import faults
from controlplane.codepipeline.asking import Answer, Ask, known_stage
from controlplane.codepipeline.faults import WireError
from controlplane.engine.refusals import CommandError
from controlplane.store import executions


def put(ask: Ask) -> Answer:
    """Start an execution with it; a revision that started once, by whichever way, never starts again."""
    name, action = ask.given["pipelineName"], ask.given["actionName"]
    with ask.read() as connection:
        structure = known_stage(ask, connection, name, ask.given["stageName"])
        known = [one.name for one in structure.stages[0].actions]
        if ask.given["stageName"] != structure.stages[0].name or action not in known:
            raise WireError(
                "ActionNotFoundException", f"There is no source action '{action}' there"
            )
        revision = ask.given["actionRevision"]["revisionId"]
        key = f"source:{name}:{action}:{revision}"  # as the poll and the events have it
        before = executions.by_dedupe(connection, key)
    try:
        started = ask.desk.commands.start(
            name, ask.person, revisions={action: revision}, dedupe=key
        )
    except CommandError as error:
        faults.refuse(error)
    return {"newRevision": before is None, "pipelineExecutionId": started}
