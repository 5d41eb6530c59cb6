"""Small pieces of documents: a time, a row of an event, of the ledger, of the quarantine.

Keys are camelCase, as CodePipeline's are; times are ISO 8601 in UTC.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from accounts.models import Account

Document = dict[str, Any]


def iso(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC; None stays None."""
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


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
    """Answer a token without the token."""
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "createdAt": iso(row.created_at),
        "expiresAt": iso(row.expires_at),
        "lastUsedAt": iso(row.last_used_at),
        "revokedAt": iso(row.revoked_at),
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
        }
        for row in rows
    ]
