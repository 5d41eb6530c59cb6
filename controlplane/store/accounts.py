"""Rows of registered accounts. The registry in memory is what the drivers ask."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from accounts.models import Account
from controlplane.store.tables import AccountRow, table

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
    """Every stored account, by name: put into the registry at start."""
    rows: Any = connection.execute(select(ACCOUNT).order_by(A.name)).all()
    return [_account(row) for row in rows]


def _account(row: Row[Any]) -> Account:
    return Account.model_validate_json(row.document)
