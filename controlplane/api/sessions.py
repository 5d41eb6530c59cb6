"""Browsers that are signed in to the console: listed, and ended, by admins."""

from controlplane.api.documents import Document
from controlplane.api.guard import GivenPerson, guarded_router
from controlplane.api.inputs import TokenId
from controlplane.api.parts import GivenParts
from controlplane.api.problems import unknown
from controlplane.clock import iso
from controlplane.store import audit, sessions
from controlplane.store.grants import read

router = guarded_router("sessions")


@router.get("/sessions")
def list_sessions(parts: GivenParts) -> list[Document]:
    """Answer who is signed in, the newest first; of a session of a token the token says what it may."""
    with parts.database.read() as connection:
        rows = sessions.live(connection, parts.now())
    return [
        {
            "id": row.id,
            "name": row.name,
            "person": row.person,
            "token": row.token_id,
            "grants": [grant._asdict() for grant in read(row.grants)],
            "madeAt": iso(row.made_at),
            "expiresAt": iso(row.expires_at),
        }
        for row in rows
    ]


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: TokenId, parts: GivenParts, by: GivenPerson) -> None:
    """Sign a browser out, at every replica."""
    with parts.database.begin() as connection:
        if not sessions.end(connection, session_id, parts.now()):
            raise unknown(f"session {session_id!r} that goes on")
        audit.note(connection, parts.now(), by, "session.ended", f"{session_id} was ended")
