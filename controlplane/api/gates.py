"""Gates: freezes, overrides by two people, and incidents that a monitoring tells of."""

from fastapi import Response

from controlplane.api import words
from controlplane.api.documents import Document
from controlplane.api.guard import GivenHolder, GivenPerson, guarded_router, require
from controlplane.api.incident_bodies import AlertmanagerBody
from controlplane.api.inputs import (
    ExecutionId,
    FreezeBody,
    FreezeId,
    IncidentKey,
    NeededReasonBody,
    StageName,
)
from controlplane.api.parts import GivenParts
from controlplane.clock import iso
from controlplane.engine.gate_commands import Scope
from controlplane.store import gates
from controlplane.store.grants import may
from controlplane.store.roles import Permission

router = guarded_router("gates")
SHOWN = 1_000
"""Incidents of one answer."""


@router.get("/freezes")
def list_freezes(parts: GivenParts, holder: GivenHolder) -> list[Document]:
    """Answer the freezes in force, oldest first; those of pipelines that one may not read are left out."""
    with parts.database.read() as connection:
        rows = gates.freezes(connection, parts.now())
    return [
        words.freeze(row)
        for row in rows
        if not row.pipeline or may(holder.grants, Permission.READ, row.pipeline)
    ]


@router.post("/freezes", status_code=201)
def freeze(
    parts: GivenParts, holder: GivenHolder, person: GivenPerson, body: FreezeBody
) -> dict[str, int]:
    """Let nothing into what it covers but a way back, until it ends or is lifted."""
    require(holder, Permission.FREEZE, body.pipeline, body.stage, parts.goes)
    scope = Scope(body.pipeline, body.stage, body.account, body.ends())
    return {"id": parts.commands.freeze(scope, person, reason=body.reason)}


@router.delete("/freezes/{freeze_id}", status_code=204)
def unfreeze(
    freeze_id: FreezeId,
    parts: GivenParts,
    holder: GivenHolder,
    person: GivenPerson,
    body: NeededReasonBody,
) -> None:
    """Lift a freeze; who waited only for it goes in at once."""
    with parts.database.read() as connection:
        pipeline, stage = gates.place_of_freeze(connection, freeze_id)
    require(holder, Permission.FREEZE, pipeline, stage, parts.goes)
    parts.commands.unfreeze(freeze_id, person, reason=body.reason)


@router.post("/executions/{execution_id}/stages/{stage}/override")
def override(
    execution_id: ExecutionId,
    stage: StageName,
    parts: GivenParts,
    person: GivenPerson,
    body: NeededReasonBody,
) -> Document:
    """Ask for a closed gate to be opened; asked by another person, it opens."""
    row = parts.commands.override(execution_id, stage, person, reason=body.reason)
    return words.override(row)


@router.get("/incidents")
def list_incidents(parts: GivenParts) -> list[Document]:
    """Answer the incidents that are open, oldest first."""
    with parts.database.read() as connection:
        return [
            {
                "key": row.key,
                "name": row.name,
                "labels": gates.labels(row),
                "toldBy": row.told_by,
                "since": iso(row.since),
                "seenAt": iso(row.seen_at),
            }
            for row in gates.incidents(connection, SHOWN)
        ]


@router.post("/incidents/alertmanager", status_code=204)
def take_alerts(parts: GivenParts, person: GivenPerson, body: AlertmanagerBody) -> Response:
    """Take what Alertmanager's webhook receiver sends; the same again changes nothing."""
    parts.commands.take_incidents(body.told(), person)
    return Response(status_code=204)


@router.delete("/incidents/{key}", status_code=204)
def resolve(
    key: IncidentKey, parts: GivenParts, person: GivenPerson, body: NeededReasonBody
) -> None:
    """Say that an incident is over, where its monitoring does not."""
    parts.commands.resolve_incident(key, person, reason=body.reason)
