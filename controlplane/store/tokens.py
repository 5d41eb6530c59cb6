"""Rows of API tokens: the SHA-256 only.

256 random bits need no slow hash, and the time of a lookup by hash tells an attacker nothing,
because nobody can choose the hash that he asks for.
"""

import hashlib
import logging
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from controlplane.store.condition import fault_of
from controlplane.store.database import Database
from controlplane.store.grants import SCOPED, Grant, Grants, read, write
from controlplane.store.roles import Role
from controlplane.store.tables import ApiToken, table

log = logging.getLogger(__name__)

TOKEN = table(ApiToken)
T = TOKEN.c
PREFIX = "tp_"
MAX_LENGTH = 64
TOUCH_EVERY = 60.0


class Holder(NamedTuple):
    """Who asks and what he may; last_used_at as it was before this use.

    id: of his token; "" where he came with something else. person: as which he counts: the id of his
    token, or that of whoever made it, or what his identity provider calls him for ever.
    """

    id: str
    name: str
    grants: Grants
    last_used_at: float | None
    person: str
    groups: frozenset[str] = frozenset()


class Maker(NamedTuple):
    """Who makes a token. person: as which he counts, "" beside the database; then it is a person's own."""

    name: str = ""
    person: str = ""


UNKNOWN = Maker()


def create(
    connection: Connection,
    name: str,
    may: Role | Grants,
    now: float,
    expires_at: float | None = None,
    by: Maker = UNKNOWN,
) -> tuple[str, str]:
    """Make a token of a role, or of grants. Answers its id, and the token: it can be seen only now."""
    token = PREFIX + secrets.token_urlsafe(32)
    id_ = f"tok-{secrets.token_hex(6)}"
    connection.execute(
        insert(TOKEN),
        {
            "id": id_,
            "name": name,
            "hash": _hash(token),
            **_columns(may),
            "created_at": now,
            "expires_at": expires_at,
            "person": by.person,
            "made_by": by.name,
        },
    )
    return id_, token


def find(connection: Connection, token: str, now: float) -> Holder | None:
    """Who holds this token; None where it is unknown, expired or revoked."""
    if not token.startswith(PREFIX) or len(token) > MAX_LENGTH:
        return None
    return _valid(connection, T.hash == _hash(token), now)


def by_id(connection: Connection, id_: str, now: float) -> Holder | None:
    """Answer the holder of a token that was shown before (a session); None once it is dead."""
    return _valid(connection, T.id == id_, now)


def used(connection: Connection, holder: Holder, now: float) -> None:
    """Remember the use; a call for each is harmless, the row is written at most once a minute."""
    stale = or_(T.last_used_at.is_(None), T.last_used_at <= now - TOUCH_EVERY)
    connection.execute(update(TOKEN).where(T.id == holder.id, stale).values(last_used_at=now))


def is_stale(holder: Holder, now: float) -> bool:
    """Answer whether `used` would write: asked first, most requests take no write lock."""
    return holder.last_used_at is None or holder.last_used_at <= now - TOUCH_EVERY


def touch(database: Database, holder: Holder, now: float) -> None:
    """Remember the use where that can be written: where it cannot, reading goes on."""
    if not is_stale(holder, now):
        return
    try:
        with database.begin() as connection:
            used(connection, holder, now)
    except DBAPIError as error:
        if fault_of(error) is None:
            raise
        log.warning("the use of token %s is not written down: the database is ill", holder.id)


def revoke(connection: Connection, id_: str, now: float) -> bool:
    """Take a token's force away for good; False where there is none that has any."""
    gone = connection.execute(
        update(TOKEN).where(T.id == id_, T.revoked_at.is_(None)).values(revoked_at=now)
    )
    return gone.rowcount > 0


def all_(connection: Connection) -> Sequence[Row[Any]]:
    """Every token ever made, without its hash, oldest first."""
    columns = [column for column in T if column.name != "hash"]
    return connection.execute(select(*columns).order_by(T.created_at, T.id)).all()


def _valid(connection: Connection, wanted: Any, now: float) -> Holder | None:
    live = or_(T.expires_at.is_(None), T.expires_at > now)
    row = connection.execute(
        select(T.id, T.name, T.role, T.grants, T.last_used_at, T.person).where(
            wanted, T.revoked_at.is_(None), live
        )
    ).first()
    if row is None:
        return None
    return Holder(row.id, row.name, grants_of(row), row.last_used_at, row.person or row.id)


def grants_of(row: Any) -> Grants:
    """What a token may: its grants, or its role everywhere."""
    return read(row.grants) if row.role == SCOPED else (Grant(row.role),)


def _columns(may: Role | Grants) -> dict[str, str]:
    if isinstance(may, Role):
        return {"role": may.value, "grants": ""}
    if len(may) == 1 and may[0] == Grant(may[0].role):
        return {"role": may[0].role, "grants": ""}
    return {"role": SCOPED, "grants": write(may)}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
