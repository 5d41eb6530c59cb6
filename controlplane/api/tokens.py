"""API tokens: made, listed and revoked by admins. A token is seen once, when it is made."""

from controlplane.api import words
from controlplane.api.documents import Document
from controlplane.api.guard import GivenHolder, GivenPerson, guarded_router
from controlplane.api.inputs import TokenBody, TokenId
from controlplane.api.parts import GivenParts
from controlplane.api.problems import unknown
from controlplane.clock import iso
from controlplane.engine.refusals import CommandError, Problem
from controlplane.store import audit, tokens
from controlplane.store.grants import said

router = guarded_router("tokens")


@router.get("/tokens")
def list_tokens(parts: GivenParts) -> list[Document]:
    """Every token ever made, without the token."""
    with parts.database.read() as connection:
        return [words.token(row) for row in tokens.all_(connection)]


@router.post("/tokens", status_code=201)
def create_token(
    parts: GivenParts, holder: GivenHolder, by: GivenPerson, body: TokenBody
) -> Document:
    """Make a token; the answer is the only place where it can be read. It counts as its maker's."""
    now, expires = parts.now(), body.expires()
    if expires is not None and expires <= now:
        raise CommandError(Problem.INVALID, "expiresAt is in the past: give a time to come")
    with parts.database.begin() as connection:
        maker = tokens.Maker(holder.name, holder.person)
        id_, token = tokens.create(connection, body.name, body.grants(), now, expires, maker)
        text = f"{id_} for {body.name}, {said(body.grants())}"
        audit.note(connection, now, by, "token.created", text)
    return {
        "id": id_,
        "token": token,
        "name": body.name,
        "role": body.role,
        "grants": [grant._asdict() for grant in body.grants()],
        "expiresAt": iso(expires),
    }


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: TokenId, parts: GivenParts, by: GivenPerson) -> None:
    """Take its force away for good."""
    with parts.database.begin() as connection:
        if not tokens.revoke(connection, token_id, parts.now()):
            raise unknown(f"token {token_id!r} with any force")
        audit.note(connection, parts.now(), by, "token.revoked", token_id)
