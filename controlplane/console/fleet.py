"""All pipelines at a glance: which digest is where, since when, how it fares, and where stages differ."""

from collections.abc import Mapping, Sequence

from controlplane.console import words
from controlplane.console.desk import Desk, Document
from controlplane.console.session import Session
from controlplane.console.views import helpers, stands
from controlplane.store.grants import seen_by

PIPELINES = 25
DIGESTS = 2
"""Digests of one stage that are named."""
WORST = ("BAD", "QUARANTINED", "DEPLOYING", "DEPLOYED", "GOOD", "")
"""How a digest fares that stands on several targets: as on the worst of them."""


def index_view(desk: Desk, session: Session, after: str = "") -> Document:
    """A page of pipelines, and what stands where. next: the name to go on from; "" on the last."""
    with desk.database.read() as connection:
        found = desk.documents.pipelines(
            connection, desk.now(), after, PIPELINES + 1, seen_by(session.grants)
        )
    environments = {account.name: account.environment for account in desk.registry.all()}
    return {
        **helpers(session, desk.clock()),
        "next": found[PIPELINES - 1]["name"] if len(found) > PIPELINES else "",
        "pipelines": [_pipeline(one, environments) for one in found[:PIPELINES]],
    }


def _pipeline(pipeline: Document, environments: Mapping[str, str]) -> Document:
    stages: list[Document] = []
    before: Document | None = None
    for declared in pipeline["stages"]:
        stage = _stage(declared, environments)
        if stage["all"]:
            drifts = before is not None and before["all"] != stage["all"]
            stage["drift"] = f"not what {before['name']} has" if before and drifts else ""
            before = stage
        stages.append(stage)
    standing = [stage["all"] for stage in stages if stage["all"]]
    different = len(set[str]().union(*standing))
    return {
        **pipeline,
        "stages": stages,
        "different": different,
        "same": different == 1 and len(standing) > 1,
    }


def _stage(stage: Document, environments: Mapping[str, str]) -> Document:
    places: dict[str, list[Document]] = {}
    for target in stage["targets"]:
        if target["digest"]:
            places.setdefault(target["digest"], []).append(target)
    found = {environments.get(target["account"], "") for target in stage["targets"]}
    return {
        **stage,
        "said": words.stage_said(stage),
        "environment": ", ".join(sorted(found - {""})),
        "all": set(places),
        "drift": "",
        "digests": [_digest(digest, on) for digest, on in list(places.items())[:DIGESTS]],
        "more": max(0, len(places) - DIGESTS),
    }


def _digest(digest: str, on: Sequence[Document]) -> Document:
    """One digest of a stage. since: when the last of its targets came to stand as it stands."""
    worst = min((stands(target) for target in on), key=_rank)
    return {
        "digest": digest,
        "said": words.of(words.STANDS, worst),
        "since": max(target["since"] for target in on),
        "targets": len(on),
        "where": on[0]["target"],
    }


def _rank(status: str) -> int:
    """The worst first, and before it what only a newer engine knows."""
    return WORST.index(status) if status in WORST else -1
