"""What an approver is shown, and the hash that binds his word to it. Reads only; bounded.

The hash covers what a decision rests on: the digests and the revisions, what stands where they go, how the
checks before went, what they found, and which signals say FAIL. It leaves out what moves by itself (times, the
numbers of a watch that goes well): a word must not lapse because somebody looked again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.clock import iso
from controlplane.declarations.model import ActionDeclaration, StageDeclaration
from controlplane.engine import environments
from controlplane.engine.carried import digests
from controlplane.engine.findings import PROVIDER, counts, line, single
from controlplane.engine.structures import Structures
from controlplane.store import approvals, executions, histories, queries
from monitors.checks.inspector_gate import SEVERITIES

MOST_CHANGES = 20
MOST_CHECKS = 300
FAIL = "FAIL"
Document = dict[str, Any]


class Evidence(NamedTuple):
    """hash: of what a decision rests on. document: all of it, for a person."""

    hash: str
    document: Document


class Lines(NamedTuple):
    """Of single findings. more: how many others there are."""

    told: list[str]
    more: int


def gather(connection: Connection, structures: Structures, execution: Any, stage: str) -> Evidence:
    """Put together what there is to see of an execution that waits in a stage."""
    declared = structures.stages(connection, execution)
    into = [one.name for one in environments.into(declared, stage)]
    replaced = approvals.standing(connection, execution.pipeline, into)
    checks = list(_checks(connection, execution, declared, stage))[:MOST_CHECKS]
    position = next((i for i, one in enumerate(declared) if one.name == stage), 0)
    carried = digests(connection, structures, execution, position)
    several = carried if len(carried) > 1 or execution.digest not in carried.values() else {}
    bound = {
        "digest": execution.digest,
        **({"artifacts": several} if several else {}),
        "revisions": json.loads(execution.revisions),
        "replaces": [[one.target, one.digest, one.execution_id] for one in replaced],
        "checks": [_bound(one) for one in checks],
    }
    text = json.dumps(bound, sort_keys=True, separators=(",", ":"))
    return Evidence(
        hashlib.sha256(text.encode()).hexdigest(),
        {
            "digest": execution.digest,
            "artifacts": several,
            "revisions": bound["revisions"],
            "into": into,
            "replaces": [
                {"target": one.target, "digest": one.digest, "executionId": one.execution_id}
                for one in replaced
            ],
            "checks": checks,
        },
    )


def changes(connection: Connection, execution: Any, seen: Document, source: str) -> Document:
    """What is new since what stands there: the executions between, newest first, and what they are of.

    seen: the evidence's document. source: the stage of the sources.
    """
    standing = [one["executionId"] for one in seen["replaces"]]
    after = min((one for one in standing if one < execution.id), default="")
    rows = [execution]  # where nothing stands, there is nothing that it could be compared with
    if after:
        rows = list(approvals.between(connection, execution, after, MOST_CHANGES + 1))
    kept = [row for row in rows[:MOST_CHANGES] if row.type == "STANDARD"]
    told: dict[str, list[Document]] = {}
    ids = [row.id for row in kept]
    for one in histories.actions(connection, ids, {"action"}, 500) if ids else ():
        if one.stage == source:
            told.setdefault(one.execution_id, []).append(
                {"source": one.name, "summary": one.summary, "url": _link(one.url)}
            )
    return {
        "since": after,
        "more": len(rows) > MOST_CHANGES,
        "executions": [
            {
                "executionId": row.id,
                "digest": row.digest,
                "startedAt": iso(row.started_at),
                "by": json.loads(row.trigger).get("by", ""),
                "revisions": json.loads(row.revisions),
                "sources": told.get(row.id, []),
            }
            for row in kept
        ],
    }


def started_by(execution: Any) -> str:
    """Whoever asked for the execution; "" where nobody is named."""
    return str(json.loads(execution.trigger).get("by", ""))


def findings(connection: Connection, seen: Document) -> list[Document]:
    """What scans counted and found, and what they had counted in what stands there ({}: nothing is known)."""
    own = [one for one in seen["checks"] if one["provider"] == PROVIDER]
    standing = sorted({one["executionId"] for one in seen["replaces"]})[-1:] if own else []
    before = {
        (row.stage, row.name): json.loads(row.output)
        for row in reversed(histories.actions(connection, standing, {"action"}, 500))
    }
    return [
        {
            "stage": one["stage"],
            "name": one["name"],
            "summary": one["summary"],
            "counts": counts(one["output"]),
            "before": counts(there),
            **single(one["output"], there),
        }
        for one in own
        for there in (before.get((one["stage"], one["name"]), {}),)
    ]


def new_findings(
    connection: Connection, structures: Structures, execution: Any, stage: str
) -> Lines:
    """What scans found that is new, one a line, the worst first; "" and 0 where there is nothing."""
    seen = gather(connection, structures, execution, stage)
    each = findings(connection, seen.document)
    worst = sorted(
        (one for found in each for one in found["findings"]),
        key=lambda one: SEVERITIES.index(one["severity"]),
    )
    return Lines([line(one) for one in worst], sum(found["more"] for found in each))


# --- inside -------------------------------------------------------------------------------------


def _checks(
    connection: Connection, execution: Any, declared: Sequence[StageDeclaration], stage: str
) -> Iterator[Document]:
    """Every action and signal so far, the last try of each; approvals are decisions and no checks."""
    known = {one.name: one for one in declared}
    newest = {row.stage: row for row in executions.of_execution(connection, execution.id)}
    for name, row in newest.items():
        if row.entered_at is None or name not in known:
            continue
        last = {(a.kind, a.name): a for a in queries.actions_of_stage(connection, row.id)}
        for (kind, called), one in last.items():
            provider = _provider(known[name], called) if kind == "action" else ""
            if provider is not None and (name == stage or row.ended_at or kind != "gate"):
                yield _check(name, one, provider)


def _provider(stage: StageDeclaration, name: str) -> str | None:
    """None for an approval, and for what is declared no longer."""
    found = stage.by_name.get(("action", name))
    if not isinstance(found, ActionDeclaration) or found.action_type_id.category == "Approval":
        return None
    return found.action_type_id.provider


def _check(stage: str, row: Any, provider: str) -> Document:
    return {
        "stage": stage,
        "name": row.name,
        "kind": row.kind,
        "provider": provider,
        "attempt": row.attempt,
        "status": row.status,
        "verdict": row.verdict,
        "summary": row.summary,
        "output": json.loads(row.output),
    }


def _bound(check: Mapping[str, Any]) -> list[Any]:
    watching = check["kind"] != "action"
    verdict = (check["verdict"] == FAIL) if watching else check["status"]
    return [
        check["stage"],
        check["kind"],
        check["name"],
        check["attempt"],
        verdict,
        check["output"],
    ]


def _link(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""
