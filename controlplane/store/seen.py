"""Keys of inbound messages that were taken once."""

from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import IntegrityError

from controlplane.store.tables import Seen, table

SEEN = table(Seen)


def add(connection: Connection, key: str, now: float) -> bool:
    """Remember a key; False where it was taken before."""
    try:
        with connection.begin_nested():
            connection.execute(insert(SEEN), {"key": key, "at": now})
    except IntegrityError:
        return False
    return True


def forget(connection: Connection, prefix: str, before: float) -> None:
    """Forget the keys of one door that are too old to be sent again."""
    old = SEEN.c.key.startswith(prefix, autoescape=True) & (SEEN.c.at < before)
    connection.execute(delete(SEEN).where(old))
