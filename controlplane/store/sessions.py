"""Rows of browsers' sessions: any replica can end one, and then it has ended everywhere."""

import json
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update

from controlplane.store import tokens
from controlplane.store.grants import Grants, read, write
from controlplane.store.tables import ConsoleSession, table

SESSION = table(ConsoleSession)
S = SESSION.c
PREFIX = "ses-"
MOST = 500


class Signed(NamedTuple):
    """Who has signed in. token_id: with that token; "" where a provider has named him."""

    person: str
    name: str
    grants: Grants
    groups: frozenset[str] = frozenset()
    token_id: str = ""


def create(connection: Connection, signed: Signed, now: float, expires_at: float) -> str:
    """Begin a session; those that have expired are forgotten. Answers its id."""
    connection.execute(delete(SESSION).where(S.expires_at <= now))
    id_ = PREFIX + secrets.token_hex(12)
    connection.execute(
        insert(SESSION),
        {
            "id": id_,
            "person": signed.person,
            "name": signed.name,
            "grants": write(signed.grants),
            "groups": json.dumps(sorted(signed.groups)),
            "token_id": signed.token_id,
            "made_at": now,
            "expires_at": expires_at,
        },
    )
    return id_


def find(connection: Connection, id_: str, now: float) -> Signed | None:
    """Answer whose session it is; None once it has ended, or the token it began with has no force."""
    row = connection.execute(
        select(SESSION).where(S.id == id_, S.ended_at.is_(None), S.expires_at > now)
    ).first()
    if row is None:
        return None
    if row.token_id:
        return of_token(connection, row.token_id, now)
    groups = frozenset(json.loads(row.groups))
    return Signed(row.person, row.name, read(row.grants), groups)


def of_token(connection: Connection, token_id: str, now: float) -> Signed | None:
    """Answer who sits there by a token: what that may, it may now."""
    holder = tokens.by_id(connection, token_id, now)
    if holder is None:
        return None
    return Signed(holder.person, holder.name, holder.grants, holder.groups, holder.id)


def end(connection: Connection, id_: str, now: float) -> bool:
    """End it everywhere; False where there is none that goes on."""
    gone = connection.execute(
        update(SESSION)
        .where(S.id == id_, S.ended_at.is_(None), S.expires_at > now)
        .values(ended_at=now)
    )
    return gone.rowcount > 0


def live(connection: Connection, now: float) -> Sequence[Row[Any]]:
    """Those that go on, the newest first."""
    going_on = (S.ended_at.is_(None), S.expires_at > now)
    statement = select(SESSION).where(*going_on).order_by(S.made_at.desc(), S.id).limit(MOST)
    return connection.execute(statement).all()
