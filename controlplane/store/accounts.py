"""Rows of registered accounts. The registry in memory is what the drivers ask."""

import logging
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, insert, select, update

from accounts.models import Account
from controlplane.store.tables import AccountRow, table

log = logging.getLogger(__name__)

ACCOUNT = table(AccountRow)
A = ACCOUNT.c


def put(connection: Connection, account: Account, now: float) -> None:
    """Store an account, new or changed."""
    values = {"document": account.model_dump_json(by_alias=True), "updated_at": now}
    key = A.name == account.name
    if not connection.execute(update(ACCOUNT).where(key).values(**values)).rowcount:
        connection.execute(insert(ACCOUNT), {"name": account.name, **values})


def remove(connection: Connection, name: str) -> bool:
    """Answer False where it is not stored (an account of the accounts file is not)."""
    return connection.execute(delete(ACCOUNT).where(A.name == name)).rowcount > 0


def all_(connection: Connection) -> list[Account]:
    """Every stored account that can be read, by name: put into the registry at start."""
    found = []
    for row in _rows(connection):
        account = _account(row)
        if isinstance(account, Account):
            found.append(account)
        else:
            log.error("%s", account)
    return found


def broken(connection: Connection) -> list[str]:
    """A sentence for each that cannot be read."""
    return [said for row in _rows(connection) if isinstance(said := _account(row), str)]


def _rows(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(select(ACCOUNT).order_by(A.name)).all()


def _account(row: Row[Any]) -> Account | str:
    """The account, or a sentence that says why it cannot be read (never what it holds)."""
    try:
        return Account.model_validate_json(row.document)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, one["loc"])) or "all" for one in error.errors())
        return f"the stored account {row.name} cannot be read ({fields}): put it in again"
