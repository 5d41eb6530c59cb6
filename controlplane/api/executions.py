"""Executions: how they stand, and what a person may do to one."""

from controlplane.api.documents import Document
from controlplane.api.guard import GivenPerson, guarded_router
from controlplane.api.inputs import (
    ApprovalBody,
    ExecutionId,
    ExtensionBody,
    FilterName,
    JudgementBody,
    RetryBody,
    StageName,
    StopBody,
)
from controlplane.api.parts import GivenDocuments, GivenParts
from controlplane.clock import iso
from controlplane.engine.extending import Extension

router = guarded_router("executions")


@router.get("/executions/{execution_id}")
def get_execution(
    execution_id: ExecutionId, parts: GivenParts, documents: GivenDocuments
) -> Document:
    """Its stages, actions, rules with their last verdicts, artifacts, and how far a rollback is."""
    with parts.database.read() as connection:
        return documents.execution(connection, execution_id)


@router.get("/executions/{execution_id}/measurements")
def get_measurements(
    execution_id: ExecutionId, parts: GivenParts, documents: GivenDocuments
) -> list[Document]:
    """Answer what every rule saw, look by look."""
    with parts.database.read() as connection:
        return documents.measurements(connection, execution_id)


@router.get("/executions/{execution_id}/explanation")
def explain(execution_id: ExecutionId, parts: GivenParts, documents: GivenDocuments) -> Document:
    """Why it went as it did: measurements, verdicts, consequences, decision, and the series drawn from."""
    with parts.database.read() as connection:
        return documents.explanation(connection, execution_id)


@router.get("/executions/{execution_id}/stages/{stage}/approval")
def get_approval(
    execution_id: ExecutionId,
    stage: StageName,
    parts: GivenParts,
    documents: GivenDocuments,
    person: GivenPerson,
    action: FilterName = "",
) -> Document:
    """Answer what an approver needs to see, who has said what, who may decide, and what follows."""
    with parts.database.read() as connection:
        return documents.approval(connection, execution_id, stage, action, person)


@router.post("/executions/{execution_id}/stages/{stage}/approval", status_code=204)
def decide_approval(
    execution_id: ExecutionId,
    stage: StageName,
    parts: GivenParts,
    person: GivenPerson,
    body: ApprovalBody,
) -> None:
    """Approve or reject: one word of the quorum; where evidence is given, of that and of nothing else."""
    parts.commands.decide_approval(
        execution_id,
        stage,
        body.action,
        person,
        approve=body.result == "Approved",
        summary=body.summary,
        evidence=body.evidence,
    )


@router.post("/executions/{execution_id}/stages/{stage}/judgement", status_code=204)
def judge_bake(
    execution_id: ExecutionId,
    stage: StageName,
    parts: GivenParts,
    person: GivenPerson,
    body: JudgementBody,
) -> None:
    """Let a bake that is held or that asks pass, or roll it back."""
    parts.commands.judge(
        execution_id, stage, person, passes=body.result == "pass", reason=body.reason
    )


@router.post("/executions/{execution_id}/stages/{stage}/extension")
def extend_bake(
    execution_id: ExecutionId,
    stage: StageName,
    parts: GivenParts,
    person: GivenPerson,
    body: ExtensionBody,
) -> Document:
    """Have a bake, or a watch, last longer; answers until when."""
    asked = Extension(body.minutes, body.reason)
    until = parts.commands.extend_bake(execution_id, stage, person, asked)
    return {"until": iso(until)}


@router.post("/executions/{execution_id}/stop", status_code=202)
def stop(
    execution_id: ExecutionId,
    parts: GivenParts,
    person: GivenPerson,
    body: StopBody | None = None,
) -> None:
    """Stop and wait for what runs, or stop and abandon it."""
    asked = body or StopBody()
    parts.commands.stop(execution_id, person, abandon=asked.abandon, reason=asked.reason)


@router.post("/executions/{execution_id}/stages/{stage}/retry", status_code=202)
def retry(
    execution_id: ExecutionId,
    stage: StageName,
    parts: GivenParts,
    person: GivenPerson,
    body: RetryBody | None = None,
) -> None:
    """Run the failed, or all, actions of the execution's last stage again."""
    every = (body or RetryBody()).mode == "ALL_ACTIONS"
    parts.commands.retry(execution_id, stage, person, all_actions=every)
