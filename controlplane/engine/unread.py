"""Pipelines that cannot be read, and whether something that was told may be for them.

What nobody can read cannot say what it follows; an older version of it can, and so can its text, wherever that
still names a repository or a bucket. In doubt it is taken as following: what is kept for it in vain starts
nothing.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.declarations.model import ActionDeclaration, PipelineDeclaration
from controlplane.engine.structures import OLDER, BrokenStructureError, Structures
from controlplane.store import pipelines

log = logging.getLogger(__name__)
Follows = Callable[[ActionDeclaration], bool]


class Asked(NamedTuple):
    """What was told: whether an action follows it, the words by which a text names it, and under which key."""

    follows: Follows
    words: Sequence[str]
    key: str


def readable(connection: Connection, structures: Structures, row: Any) -> PipelineDeclaration | str:
    """The structure that counts now, or why it cannot be read."""
    try:
        return structures.pipeline(connection, row.name, row.version)
    except BrokenStructureError as error:
        return str(error)
    except KeyError:
        return (
            f"version {row.version} of pipeline {row.name} is not stored: apply the pipeline again"
        )


def may_follow(connection: Connection, structures: Structures, row: Any, asked: Asked) -> bool:
    """Say whether a pipeline that cannot be read may be one of those that are meant."""
    older = _older(connection, structures, row)
    if older is not None and any(map(asked.follows, older.stages[0].actions)):
        return True
    text = _text(connection, row).lower().replace("\\/", "/")
    if all(word.lower() in text for word in asked.words):
        return True
    return older is None and asked.key.lower() not in text


def _older(connection: Connection, structures: Structures, row: Any) -> PipelineDeclaration | None:
    for version in range(row.version - 1, max(0, row.version - OLDER), -1):
        try:
            return structures.pipeline(connection, row.name, version)
        except (BrokenStructureError, KeyError) as error:
            log.debug("%s; an older one is tried", error)
    return None


def _text(connection: Connection, row: Any) -> str:
    try:
        return pipelines.declaration(connection, row.name, row.version)
    except KeyError:
        return ""
