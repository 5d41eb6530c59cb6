"""Which artifact store a task works with, and which of its inputs lie in another one still.

An input of another region is copied into the store of the action's own region before the action starts
(`actions.store_copy`). What was copied is kept beside the artifact, as ARTIFACT/BUCKET; no artifact is
named with a slash.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.actions.stores import bucket_of
from controlplane.declarations.model import ActionDeclaration, RuleDeclaration
from controlplane.declarations.registered import is_job
from controlplane.declarations.stores import StoreError, buckets, names_stores, store_in
from controlplane.engine.structures import Structures
from controlplane.states import ActionStatus
from monitors.base import Artifact, Store

COPY = ("Job", "Towpath", "StoreCopy")
"""Who brings inputs into a store."""

Known = Mapping[tuple[str, str], str]
"""Artifacts of executions as they are stored, by (execution, name)."""


class Stored(NamedTuple):
    """inputs: where they lie for this task. missing: those that must be brought into its store first."""

    store: Store | None
    inputs: tuple[Artifact, ...]
    missing: tuple[Artifact, ...] = ()


def store_for(
    connection: Connection,
    structures: Structures,
    execution: Any,
    declared: ActionDeclaration | RuleDeclaration,
) -> tuple[Store | None, frozenset[str]]:
    """Answer the store of an action's region, and the buckets of all of them. StoreError.

    What has nothing to do with artifacts has none: a way back must not depend on a structure that may be
    unreadable by now.
    """
    makes = isinstance(declared, ActionDeclaration) and declared.output_artifacts
    works = isinstance(declared, ActionDeclaration) and is_job(declared)
    if not (declared.input_artifacts or makes or works):
        return None, frozenset()
    pipeline = structures.pipeline(connection, execution.pipeline, execution.version)
    if not names_stores(pipeline):
        return None, frozenset()
    return store_in(pipeline, declared.region or ""), buckets(pipeline)


def stored(
    row: Any,
    where: tuple[Store | None, frozenset[str]],
    inputs: Sequence[Artifact],
    known: Known,
) -> Stored:
    """Say where each input lies. Only what has not begun waits for copies: what runs has its inputs."""
    store, every = where
    if store is None:
        return Stored(None, tuple(inputs))
    found, missing = [], []
    for artifact in inputs:
        bucket = bucket_of(artifact)
        if bucket == store.bucket or bucket not in every:  # or it was put elsewhere on purpose
            found.append(artifact)
            continue
        copy = _copy(known, row.execution_id, artifact, store)
        found.append(copy or artifact)
        if copy is None and row.status in (ActionStatus.READY, ActionStatus.STARTING):
            missing.append(artifact)
    return Stored(store, tuple(found), tuple(missing))


def copied(artifact: Artifact) -> Artifact:
    """Name a copy as it is kept."""
    return replace(artifact, name=_name(artifact.name, bucket_of(artifact)))


def _copy(known: Known, execution: str, artifact: Artifact, store: Store) -> Artifact | None:
    """The copy of exactly these bytes: a retried action may have made others since."""
    text = known.get((execution, _name(artifact.name, store.bucket)))
    copy = None if text is None else Artifact(**json.loads(text))
    if copy is None or copy.digest != artifact.digest:
        return None
    return replace(copy, name=artifact.name)


def _name(artifact: str, bucket: str) -> str:
    return f"{artifact}/{bucket}"


__all__ = ["COPY", "StoreError", "Stored", "copied", "store_for", "stored"]
