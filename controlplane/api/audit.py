"""The audit log, as it is hashed: whoever reads it can verify it without trusting this door."""

from controlplane.api.documents import Document
from controlplane.api.guard import GivenHolder, guarded_router, require
from controlplane.api.inputs import EventId, FilterName, Limit
from controlplane.api.parts import GivenParts
from controlplane.store import audit
from controlplane.store.roles import Permission

router = guarded_router("audit")


@router.get("/audit")
def list_audit(
    parts: GivenParts,
    holder: GivenHolder,
    after: EventId = 0,
    pipeline: FilterName = "",
    limit: Limit = 500,
) -> Document:
    """Entries after an id, the oldest first. A chain can be verified where `pipeline` is left out.

    `last` is what to ask for next (`after`).
    """
    require(holder, Permission.AUDIT, pipeline, goes=parts.goes)
    with parts.database.read() as connection:
        found = list(audit.entries(connection, after, pipeline, limit))
    return {"entries": found, "last": found[-1]["id"] if found else after}
