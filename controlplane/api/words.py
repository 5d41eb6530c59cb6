"""Small pieces of documents: a time, a row of an event, of the ledger, of the quarantine.

Keys are camelCase, as CodePipeline's are; times are ISO 8601 in UTC.
"""

import json
from collections.abc import Sequence
from typing import Any

from accounts.models import Account
from controlplane.clock import iso
from controlplane.engine.drill_runs import seconds
from controlplane.store.tokens import grants_of

Document = dict[str, Any]


def event(row: Any) -> Document:
    """Something that happened; text is a sentence for a person."""
    return {
        "id": row.id,
        "at": iso(row.at),
        "kind": row.kind,
        "pipeline": row.pipeline,
        "executionId": row.execution_id,
        "stage": row.stage,
        "action": row.action,
        "text": row.text,
        "data": json.loads(row.data),
    }


NEXT_STEPS = {
    "failed": (
        "see to {stage} of {pipeline}, for nobody else does. The reason says what is wrong; once that is "
        "mended: towpath rollback {pipeline} {stage} -m WHY. What you bring back by hand instead: "
        "towpath resume {pipeline} {stage} -m WHY"
    ),
    "done": (
        "{stage} of {pipeline} stays held, and what was rolled back in quarantine. With the next good "
        "release: towpath resume {pipeline} {stage} -m WHY"
    ),
}
"""What a person does behind a rollback, by how that ended."""


def next_step(execution: Any) -> str:
    """Say what is to be done about an execution now; "" where nothing is."""
    said = NEXT_STEPS.get(execution.rollback_state, "")
    if not said:
        return ""
    stage = json.loads(execution.plan).get("name", "STAGE")
    return said.format(pipeline=execution.pipeline, stage=stage)


def ledger_entry(row: Any) -> Document:
    """Which digest was put on which target, and how it fared."""
    return {
        "id": row.id,
        "stage": row.stage,
        "target": row.target,
        "digest": row.digest,
        "status": row.status,
        "executionId": row.execution_id,
        "action": row.action,
        "handle": row.handle,
        "artifact": json.loads(row.artifact),
        "at": iso(row.at),
    }


def quarantined(row: Any) -> Document:
    """Answer a digest that goes nowhere, and why."""
    return {
        "id": row.id,
        "digest": row.digest,
        "pipeline": row.pipeline,
        "executionId": row.execution_id,
        "reason": row.reason,
        "at": iso(row.at),
    }


def drill(row: Any) -> Document:
    """Answer a drill; seconds: from when the alarm was set, as far as it came."""
    return {
        "id": row.id,
        "stage": row.stage,
        "executionId": row.execution_id,
        "alarm": row.alarm,
        "account": row.account,
        "state": row.state,
        "by": row.requested_by,
        "requestedAt": iso(row.requested_at),
        "setAt": iso(row.set_at),
        "sets": row.sets,
        "seconds": seconds(row._mapping),  # noqa: SLF001 - a row as a mapping
        "endedAt": iso(row.ended_at),
        "note": row.note,
    }


def freeze(row: Any) -> Document:
    """Answer what a freeze covers ("" is all), and until when."""
    return {
        "id": row.id,
        "pipeline": row.pipeline,
        "stage": row.stage,
        "account": row.account,
        "reason": row.reason,
        "by": row.frozen_by,
        "at": iso(row.frozen_at),
        "until": iso(row.until),
    }


def override(row: Any) -> Document:
    """Answer who asked for a gate to be opened, and who confirmed it."""
    return {
        "state": "asked" if row.confirmed_at is None else "confirmed",
        "askedBy": row.asked_by,
        "reason": row.reason,
        "confirmedBy": row.confirmed_by,
        "confirmReason": row.confirm_reason,
        "expiresAt": iso(row.expires_at),
    }


def gate_rule(row: Any) -> Document:
    """Answer how a rule of a gate stands, and when it opens next, where that is known."""
    known = json.loads(row.output)
    return {
        "name": row.name,
        "status": row.status,
        "verdict": row.verdict,
        "verdictAt": iso(row.verdict_at),
        "reason": row.summary,
        "opensAt": known.get("OpensAt", ""),
        "timeZone": known.get("TimeZone", ""),
    }


def token(row: Any) -> Document:
    """Answer a token without the token. person: as which it counts: its maker, or itself."""
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "grants": [grant._asdict() for grant in grants_of(row)],
        "madeBy": row.made_by,
        "createdAt": iso(row.created_at),
        "expiresAt": iso(row.expires_at),
        "lastUsedAt": iso(row.last_used_at),
        "revokedAt": iso(row.revoked_at),
        "person": row.person or row.id,
    }


def account(known: Account, *, whole: bool) -> Document:
    """Answer an account. The external id, half of what a confused deputy needs, where `whole`."""
    document: Document = known.model_dump(mode="json", by_alias=True, exclude_none=True)
    if not whole:
        del document["externalId"]
    return document


def measurements(rows: Sequence[Any]) -> list[Document]:
    """Answer what a rule saw, look by look."""
    return [
        {
            "at": iso(row.at),
            "verdict": row.verdict,
            "value": row.value,
            "samples": row.samples,
            "reason": row.reason,
            "chance": row.chance,
            "power": row.power,
        }
        for row in rows
    ]
