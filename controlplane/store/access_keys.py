"""Access keys: an id and a secret that sign requests as AWS's do. Each hangs on an API token's row.

The token's row says whose it is, what it may, until when, and whether it was revoked; the token
itself was never shown to anybody.
"""

import secrets
import string
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from controlplane.store import tokens
from controlplane.store.grants import Grants
from controlplane.store.roles import Role
from controlplane.store.sealing import seal, unseal
from controlplane.store.tables import AccessKey, table
from controlplane.store.tokens import Holder

KEY = table(AccessKey)
PREFIX = "AKTP"
"""Not AKIA: a scanner for leaked AWS keys shall not take it for one, nor a person."""
LETTERS = string.ascii_uppercase + "234567"


class Found(NamedTuple):
    """Who holds a key, its secret, and the AWS account that he counts as; "" for none."""

    holder: Holder
    secret: str
    account: str


class Made(NamedTuple):
    """A new access key; the secret can be seen this once."""

    token_id: str
    id: str
    secret: str


def create(
    connection: Connection,
    who: tuple[str, Role | Grants],
    now: float,
    expires_at: float | None,
    seal_by: str,
    account: str = "",
) -> Made:
    """Make a key for a name and a role, or grants; SealError where TOWPATH_SECRET (seal_by) is not set.

    account: the AWS account that its holder counts as.
    """
    id_ = PREFIX + "".join(secrets.choice(LETTERS) for _ in range(16))
    secret = secrets.token_urlsafe(30)
    sealed = seal(seal_by, f"access key {id_}", secret)
    token_id, _ = tokens.create(connection, *who, now, expires_at)
    row = {"id": id_, "token_id": token_id, "sealed": sealed, "account": account}
    connection.execute(insert(KEY), row)
    return Made(token_id, id_, secret)


def find(connection: Connection, id_: str, now: float, seal_by: str) -> Found | None:
    """Answer who holds a key, and its secret; None where it is unknown, expired or revoked.

    SealError where TOWPATH_SECRET is another than when the key was made.
    """
    row = connection.execute(select(KEY).where(KEY.c.id == id_)).first()
    holder = None if row is None else tokens.by_id(connection, row.token_id, now)
    if row is None or holder is None:
        return None
    return Found(holder, unseal(seal_by, f"access key {id_}", row.sealed), row.account)
