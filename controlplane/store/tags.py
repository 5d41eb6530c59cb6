"""Tags of resources: a key once, with its value."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, insert, select

from controlplane.store.tables import Tag, table

TAG = table(Tag)
T = TAG.c


def of(connection: Connection, resource: str) -> dict[str, str]:
    """Answer a resource's tags, by key."""
    found = select(T.key, T.value).where(T.resource == resource).order_by(T.key)
    return {row.key: row.value for row in connection.execute(found)}


def put(connection: Connection, resource: str, tags: Mapping[str, str]) -> None:
    """Set tags; one that is there already gets the new value."""
    remove(connection, resource, tags)
    rows = [{"resource": resource, "key": key, "value": value} for key, value in tags.items()]
    if rows:
        connection.execute(insert(TAG), rows)


def remove(connection: Connection, resource: str, keys: Collection[str]) -> None:
    """Take tags away; one that is not there is no fault."""
    connection.execute(delete(TAG).where(T.resource == resource, T.key.in_(list(keys))))


def forget(connection: Connection, resource: str) -> None:
    """The resource is gone, and so are its tags."""
    connection.execute(delete(TAG).where(T.resource == resource))
