"""Digests that go nowhere until a person lifts them with a reason."""

from controlplane.api import words
from controlplane.api.documents import Document
from controlplane.api.guard import GivenHolder, GivenPerson, guarded_router
from controlplane.api.inputs import Digest, EventId, Limit, NeededReasonBody
from controlplane.api.parts import GivenParts
from controlplane.store import queries
from controlplane.store.grants import may
from controlplane.store.roles import Permission

router = guarded_router("quarantine")


@router.get("/quarantine")
def list_quarantine(
    parts: GivenParts, holder: GivenHolder, limit: Limit = 500, after: EventId = 0
) -> list[Document]:
    """Answer the digests in quarantine now, oldest first; after: an id to page on from.

    Whose grants are over some pipelines is shown theirs: a page of his may be shorter, or empty.
    """
    with parts.database.read() as connection:
        rows = queries.quarantines(connection, limit, after)
    return [
        words.quarantined(row) for row in rows if may(holder.grants, Permission.READ, row.pipeline)
    ]


@router.delete("/quarantine/{digest}", status_code=204)
def lift_quarantine(
    digest: Digest, parts: GivenParts, person: GivenPerson, body: NeededReasonBody
) -> None:
    """Let a digest go again."""
    parts.commands.lift_quarantine(digest, person, reason=body.reason)
