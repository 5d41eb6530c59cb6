"""Digests that go nowhere until a person lifts them with a reason."""

from controlplane.api import words
from controlplane.api.documents import Document
from controlplane.api.guard import GivenPerson, guarded_router
from controlplane.api.inputs import Digest, EventId, Limit, NeededReasonBody
from controlplane.api.parts import GivenParts
from controlplane.store import queries

router = guarded_router("quarantine")


@router.get("/quarantine")
def list_quarantine(parts: GivenParts, limit: Limit = 500, after: EventId = 0) -> list[Document]:
    """Answer the digests in quarantine now, oldest first; after: an id to page on from."""
    with parts.database.read() as connection:
        return [words.quarantined(row) for row in queries.quarantines(connection, limit, after)]


@router.delete("/quarantine/{digest}", status_code=204)
def lift_quarantine(
    digest: Digest, parts: GivenParts, person: GivenPerson, body: NeededReasonBody
) -> None:
    """Let a digest go again."""
    parts.commands.lift_quarantine(digest, person, reason=body.reason)
