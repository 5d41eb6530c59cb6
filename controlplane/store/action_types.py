"""Rows of registered action types. A deleted one stays: its version is never given again."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from controlplane.store.tables import ActionType, table

TYPE = table(ActionType)
T = TYPE.c
Id = tuple[str, str, str, str]
"""Category, owner, provider, version."""


def all_(connection: Connection) -> dict[Id, dict[str, Any]]:
    """The definition of every type that is not deleted, in the order of their ids."""
    found = select(TYPE).where(T.deleted_at.is_(None))
    rows = connection.execute(found.order_by(T.category, T.owner, T.provider, T.version)).all()
    return {(r.category, r.owner, r.provider, r.version): json.loads(r.definition) for r in rows}


def get(connection: Connection, id_: Id, *, deleted: bool = False) -> dict[str, Any] | None:
    """The definition of one; None where there is none. deleted: one that was deleted will do, too."""
    found = select(T.definition).where(_is(id_))
    if not deleted:
        found = found.where(T.deleted_at.is_(None))
    text = connection.execute(found).scalar()
    return None if text is None else dict(json.loads(text))


def ever(connection: Connection, id_: Id) -> bool:
    """Answer True where there is one of that id, or was."""
    return connection.execute(select(T.version).where(_is(id_))).first() is not None


def add(connection: Connection, id_: Id, definition: Mapping[str, Any], now: float) -> None:
    """Store a new one; IntegrityError where there ever was one of that id."""
    named = dict(zip(("category", "owner", "provider", "version"), id_, strict=True))
    row = {**named, "definition": json.dumps(dict(definition)), "updated_at": now}
    connection.execute(insert(TYPE), row)


def change(connection: Connection, id_: Id, definition: Mapping[str, Any], now: float) -> bool:
    """Give one a new definition; False where there is none."""
    values = {"definition": json.dumps(dict(definition)), "updated_at": now}
    wanted = update(TYPE).where(_is(id_), T.deleted_at.is_(None))
    return connection.execute(wanted.values(**values)).rowcount == 1


def remove(connection: Connection, id_: Id, now: float) -> bool:
    """Mark one as deleted; False where there is none."""
    wanted = update(TYPE).where(_is(id_), T.deleted_at.is_(None))
    return connection.execute(wanted.values(deleted_at=now)).rowcount == 1


def _is(id_: Id) -> ColumnElement[bool]:
    category, owner, provider, version = id_
    return (
        (T.category == category)
        & (T.owner == owner)
        & (T.provider == provider)
        & (T.version == version)
    )
