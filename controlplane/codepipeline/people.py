"""What people do: approve, close and open the way into a stage, roll back, override a condition."""

from typing import Any, NoReturn

from controlplane.codepipeline import approval_tokens, faults
from controlplane.codepipeline.asking import Answer, Ask, execution_of, known_stage
from controlplane.codepipeline.faults import WireError, invalid
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.approvals import CHANGED, ChangedError, RefusedError
from controlplane.engine.refusals import CommandError, Problem
from controlplane.store import executions, histories

ASKED = "asked for by OverrideStageCondition"


def put_approval(ask: Ask) -> Answer:
    """Approve or reject; the token says which attempt is meant, and what was looked at."""
    row, evidence = _approval(ask)
    result = ask.given["result"]
    try:
        ask.desk.commands.decide_approval(
            row.execution_id,
            ask.given["stageName"],
            ask.given["actionName"],
            ask.person,
            approve=result["status"] == "Approved",
            summary=result["summary"],
            token=row.token,
            evidence=evidence,
        )
    except ChangedError as error:
        raise WireError("InvalidApprovalTokenException", str(error)) from error
    except RefusedError as error:
        raise WireError("AccessDeniedException", str(error)) from error
    except CommandError as error:
        faults.refuse(error, "ApprovalAlreadyCompletedException")
    return {"approvedAt": ask.now}


def disable_transition(ask: Ask) -> Answer:
    """Close the way in; what is outbound of a stage is inbound of the next."""
    stage = _way_in(ask)
    ask.desk.commands.disable_transition(
        ask.given["pipelineName"], stage, ask.person, reason=ask.given["reason"]
    )
    return {}


def enable_transition(ask: Ask) -> Answer:
    """Open it again."""
    stage = _way_in(ask)
    ask.desk.commands.enable_transition(
        ask.given["pipelineName"], stage, ask.person, reason="EnableStageTransition"
    )
    return {}


def roll_back(ask: Ask) -> Answer:
    """Roll a stage back to an execution that succeeded in it, whatever its version.

    Answers the ROLLBACK execution; where what is under way must be stopped first, the one that goes bad.
    """
    name, stage = ask.given["pipelineName"], ask.given["stageName"]
    with ask.read() as connection:
        known_stage(ask, connection, name, stage)
        target = execution_of(connection, name, ask.given["targetPipelineExecutionId"])
    try:
        reason = f"RollbackStage to {target.id}"
        bad = ask.desk.commands.rollback(name, stage, ask.person, reason=reason, to=target.id)
    except CommandError as error:
        faults.refuse(error, "UnableToRollbackStageException")
    with ask.read() as connection:
        back = executions.rollbacks_of(connection, bad)
    return {"pipelineExecutionId": back[-1].id if back else bad}


def override(ask: Ask) -> Answer:
    """BEFORE_ENTRY asks for the gate to be opened, or confirms it; ON_SUCCESS lets a bake pass."""
    name, stage, id_ = (
        ask.given[word] for word in ("pipelineName", "stageName", "pipelineExecutionId")
    )
    with ask.read() as connection:
        known_stage(ask, connection, name, stage)
        try:
            execution_of(connection, name, id_)
        except WireError as error:
            raise WireError("NotLatestPipelineExecutionException", str(error)) from error
    try:
        if ask.given["conditionType"] == "BEFORE_ENTRY":
            ask.desk.commands.override(id_, stage, ask.person, reason=ASKED)
        else:
            ask.desk.commands.judge(id_, stage, ask.person, passes=True, reason=ASKED)
    except CommandError as error:
        if error.problem is Problem.UNKNOWN:
            raise WireError("ConditionNotOverridableException", str(error)) from error
        faults.refuse(error, "ConditionNotOverridableException")
    return {}


# --- inside -------------------------------------------------------------------------------------


def _approval(ask: Ask) -> tuple[Any, str]:
    """The approval that the token names, and the evidence that it is of, which is that of now."""
    name, stage, action = (ask.given[word] for word in ("pipelineName", "stageName", "actionName"))
    with ask.read() as connection:
        structure = known_stage(ask, connection, name, stage)
        rows = histories.approvals(connection, name, stage, action)
    if not rows and action not in [one.name for one in structure.stage(stage).actions]:
        raise WireError("ActionNotFoundException", f"Stage '{stage}' has no action '{action}'")
    token = ask.given["token"]
    row = approval_tokens.meant(rows, token)
    if row is None:
        said = "The token is not of an approval that is open here: get-pipeline-state tells it"
        raise WireError("InvalidApprovalTokenException", said)
    if row.answer or row.status != "InProgress":
        raise WireError("ApprovalAlreadyCompletedException", "The approval was decided already")
    with ask.read() as connection:
        evidence = approval_tokens.evidence_of(ask, connection, row, stage)
    if approval_tokens.token_of(row, evidence) != token:
        _stale(ask, row)
    return row, evidence


def _stale(ask: Ask, row: Any) -> NoReturn:
    """The token is of what there was to see before: nothing is decided, and it is on record."""
    approve = ask.given["result"]["status"] == "Approved"
    ask.desk.commands.refuse_approval(
        row.execution_id,
        ask.person,
        ask.given["stageName"],
        ask.given["actionName"],
        approve=approve,
        why=CHANGED,
    )
    said = f"The token is of what there was to see before: {CHANGED}; get-pipeline-state tells the new one"
    raise WireError("InvalidApprovalTokenException", said)


def _way_in(ask: Ask) -> str:
    name, stage = ask.given["pipelineName"], ask.given["stageName"]
    with ask.read() as connection:
        structure = known_stage(ask, connection, name, stage)
    if ask.given["transitionType"] == "Inbound":
        return str(stage)
    return _next(structure, stage)


def _next(structure: PipelineDeclaration, stage: str) -> str:
    names = [one.name for one in structure.stages]
    place = names.index(stage) + 1
    if place == len(names):
        raise invalid(f"Stage '{stage}' is the last: nothing goes out of it")
    return names[place]
