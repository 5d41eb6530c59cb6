"""What following an old pipeline of CodePipeline's has shown."""

import json

from controlplane.api.documents import Document
from controlplane.api.guard import GivenPerson, guarded_router
from controlplane.api.inputs import Limit, PipelineName, ShadowBody
from controlplane.api.parts import GivenDocuments, GivenParts
from controlplane.api.problems import unknown
from controlplane.clock import iso
from controlplane.engine.transaction import transaction
from controlplane.journal import Fact
from controlplane.store import migrated

router = guarded_router("migrations")


@router.get("/pipelines/{name}/shadow")
def get_shadow(
    name: PipelineName, parts: GivenParts, documents: GivenDocuments, limit: Limit = 50
) -> Document:
    """Answer where it comes from, and each old execution beside what Towpath would have done."""
    with parts.database.read() as connection:
        documents.known(connection, name)
        row = migrated.of(connection, name)
        if row is None:
            raise unknown(f"migrated pipeline {name!r}")
        found = migrated.shadowed(connection, name, limit)
    return {
        "pipeline": name,
        "account": row.account,
        "region": row.region,
        "followed": row.shadow,
        "followedAt": iso(row.followed_at),
        "differing": sum(one.differs for one in found),
        "executions": [json.loads(one.document) for one in found],
    }


@router.put("/pipelines/{name}/shadow", status_code=204)
def follow(name: PipelineName, parts: GivenParts, person: GivenPerson, body: ShadowBody) -> None:
    """Follow the old one, or follow it no longer; what changes nothing is no decision."""
    with transaction(parts.database, parts.structures, parts.now, person, wake=False) as tx:
        row = migrated.of(tx.connection, name)
        if row is None or not migrated.follow(tx.connection, name, shadow=body.follow):
            raise unknown(f"migrated pipeline {name!r}")
        if bool(row.shadow) is not body.follow:
            kind = "pipeline.followed" if body.follow else "pipeline.left"
            text = f"by {person.name}: the old one in {row.account}, {row.region}"
            tx.journal.add(Fact(kind=kind, pipeline=name, text=text))
