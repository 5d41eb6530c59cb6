"""An open approval as a document: what it is about, what there is to see, who has said what, what follows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.api.words import Document
from controlplane.clock import iso
from controlplane.declarations.approval_keys import ApprovalTerms
from controlplane.engine import approval_evidence
from controlplane.engine.approval_evidence import Evidence
from controlplane.engine.approvals import APPROVED, Word, open_row, terms_of, valid, why_not
from controlplane.engine.refusals import Person
from controlplane.engine.structures import Structures
from controlplane.explain.doings import place
from controlplane.store import approvals

SHORT = 19
"""Characters of a digest that tell it from others: sha256: and 12 more."""
MOST = 200


class Asked(NamedTuple):
    """Which approval. execution: its row."""

    execution: Any
    stage: str
    action: str


def approval(connection: Connection, structures: Structures, asked: Asked, by: Person) -> Document:
    """Write it for whoever looks; CommandError where none is open."""
    execution, stage = asked.execution, asked.stage
    row = open_row(connection, execution.id, Word(stage, asked.action, True, ""))
    terms = terms_of(connection, structures, execution, stage, row.name)
    seen = approval_evidence.gather(connection, structures, execution, stage)
    votes = approvals.votes(connection, row.token)
    kept = approvals.by_token(connection, row.token)
    counted = valid(votes, seen.hash)
    source = structures.stages(connection, execution)[0].name
    return {
        "executionId": execution.id,
        "pipeline": execution.pipeline,
        "stage": stage,
        "action": row.name,
        "evidence": seen.hash,
        "asked": {
            "by": approval_evidence.started_by(execution),
            "startedAt": iso(execution.started_at),
            "openedAt": iso(kept.opened_at if kept else row.started_at),
            "expiresAt": iso(row.timeout_at),
            "note": row.summary,
            "link": row.url if row.url.startswith(("https://", "http://")) else "",
        },
        **_terms(terms),
        **_seen(connection, execution, seen, source),
        "findings": _findings(connection, structures, execution, seen),
        "votes": [_vote(one, counted) for one in votes],
        "missing": max(0, terms.quorum - _approved(counted)),
        "you": _you(connection, execution, terms, by, counted),
        "onApprove": on_approve(asked, terms, seen, counted),
        "onReject": on_reject(structures.stages(connection, execution), execution, stage),
    }


def on_approve(asked: Asked, terms: ApprovalTerms, seen: Evidence, counted: Sequence[Any]) -> str:
    """What one more Approved does."""
    left = terms.quorum - _approved(counted) - 1
    if left > 0:
        return (
            f"Your approval is kept as {_approved(counted) + 1} of {terms.quorum}: nothing goes on until "
            f"{left} more, of other people, have approved the same."
        )
    replaces = seen.document["replaces"]
    there = ", ".join(f"{one['digest'][:SHORT]} on {one['target']}" for one in replaces[:5])
    more = f" and {len(replaces) - 5} more" if len(replaces) > 5 else ""  # noqa: PLR2004
    where = seen.document["into"][-1] if seen.document["into"] else asked.stage
    what = (
        f" In {where} it replaces {there}{more}." if there else f" Nothing stands in {where} yet."
    )
    several = [f"{name} {digest[:SHORT]}" for name, digest in seen.document["artifacts"].items()]
    carried = ", ".join(several) or asked.execution.digest[:SHORT] or "what it has"
    return (
        f"The execution goes on at once with {carried}, "
        f"and on its way to {where} nobody is asked again by this approval.{what}"
    )


def on_reject(stages: Sequence[Any], execution: Any, stage: str) -> str:
    """What one Rejected does."""
    declared = next(one for one in stages if one.name == stage)
    failure = declared.on_failure.result if declared.on_failure else None
    then = f" What {stage} says of failures follows: {failure}." if failure else ""
    return (
        f"{stage} fails, and {execution.digest[:SHORT] or 'this execution'} goes no further. "
        f"Approvals given before do not change that.{then}"
    )


# --- inside -------------------------------------------------------------------------------------


def _approved(counted: Sequence[Any]) -> int:
    return sum(one.verdict == APPROVED for one in counted)


def _terms(terms: ApprovalTerms) -> Document:
    return {
        "quorum": terms.quorum,
        "approvers": {"names": list(terms.names), "groups": list(terms.groups)},
        "authorMayApprove": terms.author,
        "requireComment": terms.comment,
        "remindAfterSeconds": terms.remind,
    }


def _seen(connection: Connection, execution: Any, seen: Evidence, source: str) -> Document:
    checks = [{k: v for k, v in one.items() if k != "output"} for one in seen.document["checks"]]
    return {
        "digest": execution.digest,
        "artifacts": seen.document["artifacts"],
        "revisions": seen.document["revisions"],
        "into": seen.document["into"],
        "replaces": seen.document["replaces"],
        "changes": approval_evidence.changes(connection, execution, seen.document, source),
        "checks": [one for one in checks if one["kind"] == "action"][:MOST],
        "signals": [one for one in checks if one["kind"] in ("rule", "watch")][:MOST],
    }


def _findings(
    connection: Connection, structures: Structures, execution: Any, seen: Evidence
) -> list[Document]:
    """What scans found, and the page of it in the AWS console."""
    declared = {
        (stage.name, action.name): action
        for stage in structures.stages(connection, execution)
        for action in stage.actions
    }
    return [
        {**one, **place(declared.get((one["stage"], one["name"])))}
        for one in approval_evidence.findings(connection, seen.document)
    ]


def _vote(vote: Any, counted: Sequence[Any]) -> Document:
    return {
        "person": vote.person,
        "door": vote.door,
        "verdict": vote.verdict,
        "comment": vote.comment,
        "at": iso(vote.at),
        "counts": any(one.id == vote.id for one in counted),
    }


def _you(
    connection: Connection, execution: Any, terms: ApprovalTerms, by: Person, counted: Sequence[Any]
) -> Document:
    why = why_not(connection, execution, terms, by)
    if not why and any(by.is_one_with(one.person, one.person_as) for one in counted):
        why = f"{by.name} has approved this already: another person must, too"
    may_reject = not why_not(connection, execution, terms, by, approve=False)
    return {"name": by.name, "mayApprove": not why, "mayReject": may_reject, "why": why}
