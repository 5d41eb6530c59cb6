"""Rows of pipelines: a name, and versions of its structure that never change."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from controlplane.store.tables import Pipeline, PipelineVersion, Transition, table

PIPELINE = table(Pipeline)
VERSION = table(PipelineVersion)


NEWEST = select(PIPELINE.c.version).where(PIPELINE.c.name == bindparam("name"))


def version(connection: Connection, name: str) -> int | None:
    """The version that counts now; None where there is no such pipeline."""
    return connection.execute(NEWEST, {"name": name}).scalar()


def declaration(connection: Connection, name: str, number: int) -> str:
    """The stored structure; KeyError where that version was never stored."""
    found = connection.execute(
        select(VERSION.c.declaration).where(VERSION.c.pipeline == name, VERSION.c.version == number)
    ).scalar()
    if found is None:
        raise KeyError(f"pipeline {name} has no version {number}")
    return str(found)


def put(connection: Connection, name: str, text: str, now: float, by: str) -> int:
    """Store a structure; the same structure again is the same version. Answers the version."""
    current = version(connection, name)
    if current is not None and declaration(connection, name, current) == text:
        return current
    # One that was deleted goes on with its numbers: what has run by its versions keeps them.
    number = (current or _last(connection, name)) + 1
    connection.execute(
        insert(VERSION),
        {
            "pipeline": name,
            "version": number,
            "declaration": text,
            "created_at": now,
            "created_by": by,
        },
    )
    row = {"version": number, "updated_at": now, "updated_by": by}
    if current is None:
        connection.execute(insert(PIPELINE), {"name": name, **row})
    else:
        connection.execute(update(PIPELINE).where(PIPELINE.c.name == name).values(**row))
    return number


def all_(connection: Connection) -> Sequence[Row[Any]]:
    """Every pipeline, by name."""
    return connection.execute(select(PIPELINE).order_by(PIPELINE.c.name)).all()


def row(connection: Connection, name: str) -> Row[Any] | None:
    return connection.execute(select(PIPELINE).where(PIPELINE.c.name == name)).first()


CREATED = (
    select(PIPELINE.c.name, VERSION.c.created_at)
    .join(VERSION, (VERSION.c.pipeline == PIPELINE.c.name) & (VERSION.c.version == 1))
    .where(PIPELINE.c.name.between(bindparam("first"), bindparam("last")))
)


def created(connection: Connection, first: str, last: str = "") -> dict[str, float]:
    """When the first version of each pipeline was stored, from one name to another as the database sorts.

    last: "" for the one alone. Numbers begin at 1, and no version is ever taken away.
    """
    found = connection.execute(CREATED, {"first": first, "last": last or first})
    return {row.name: row.created_at for row in found}


def remove(connection: Connection, name: str) -> None:
    """Forget a pipeline and its closed ways in; its versions stay, for what has run by them."""
    transition = table(Transition)
    connection.execute(delete(transition).where(transition.c.pipeline == name))
    connection.execute(delete(PIPELINE).where(PIPELINE.c.name == name))


def _last(connection: Connection, name: str) -> int:
    newest = select(func.max(VERSION.c.version)).where(VERSION.c.pipeline == name)
    return int(connection.execute(newest).scalar() or 0)
