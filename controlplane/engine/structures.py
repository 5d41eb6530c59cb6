"""Pipeline structures, parsed once: versions never change, so what was parsed stays right.

A row that cannot be read is named by BrokenStructureError: whoever goes through many pipelines goes on with
the others.
"""

import json
import logging
import threading
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from controlplane.declarations.json_spelling import loads
from controlplane.declarations.model import Notification, PipelineDeclaration, StageDeclaration
from controlplane.engine.one_way import guarded, is_one_way_release
from controlplane.engine.subject import Subject, subject_of
from controlplane.store import pipelines

log = logging.getLogger(__name__)

KEPT = 2_000
OLDER = 20
"""Versions that are tried to find out who is told, where the newest cannot be read."""


class BrokenStructureError(ValueError):
    """A stored structure cannot be read; the message says which, why, and the mend."""


class Structures:
    """A bounded cache over the stored declarations."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int | str], Any] = {}
        self._lock = threading.Lock()

    def pipeline(self, connection: Connection, name: str, version: int) -> PipelineDeclaration:
        """One version of a pipeline; KeyError where it was never stored."""
        key = (name, version)
        found = self._kept.get(key)
        if found is None:
            text = pipelines.declaration(connection, name, version)
            try:
                found = self._keep(key, loads(text))
            except ValueError as error:
                mend = "apply the pipeline again"
                raise broken(f"version {version} of pipeline {name}", error, mend) from error
        declared: PipelineDeclaration = found
        return declared

    def stages(self, connection: Connection, execution: Any) -> Sequence[StageDeclaration]:
        """What an execution runs: its pipeline's stages, or its own plan where it is a rollback."""
        if not execution.plan:
            return self._guarded(connection, execution)
        key = ("plan", execution.id)
        found = self._kept.get(key)
        if found is None:
            try:
                plan = StageDeclaration.model_validate(json.loads(execution.plan))
            except ValueError as error:
                mend = "stop it, and ask for the rollback again"
                raise broken(f"the plan of execution {execution.id}", error, mend) from error
            found = self._keep(key, (plan,))
        stages: Sequence[StageDeclaration] = found
        return stages

    def _guarded(self, connection: Connection, execution: Any) -> Sequence[StageDeclaration]:
        name, every = execution.pipeline, is_one_way_release(execution)
        key = (f"stages of {name}, {'all' if every else 'some'} guarded", execution.version)
        found: Sequence[StageDeclaration] | None = self._kept.get(key)
        if found is None:
            declared = self.pipeline(connection, name, execution.version)
            found = self._keep(key, guarded(declared.stages, every=every))
        return found

    def subject(self, connection: Connection, execution: Any) -> Subject:
        """What executions of its version deploy; of no rollback, which is about what it goes back to."""
        key = (f"subject of {execution.pipeline}", execution.version)
        found: Subject | None = self._kept.get(key)
        if found is None:
            declared = self.pipeline(connection, execution.pipeline, execution.version)
            found = self._keep(key, subject_of(declared.stages))
        return found

    def notifications(
        self, connection: Connection, name: str, newest: int
    ) -> Sequence[Notification]:
        """Who is told of a pipeline's events: as declared by its newest version that can be read."""
        for version in range(newest, max(0, newest - OLDER), -1):
            try:
                return self.pipeline(connection, name, version).notifications
            except BrokenStructureError as error:
                log.error("%s; who is told is taken from an older one", error)  # noqa: TRY400
        return ()

    def _keep(self, key: tuple[str, int | str], value: Any) -> Any:
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > KEPT:
                self._kept.pop(next(iter(self._kept)))  # the one that has been here longest
        return value


def current(
    connection: Connection, structures: Structures, name: str
) -> PipelineDeclaration | None:
    """The version of a pipeline that counts now; None where there is none, or it cannot be read."""
    version = pipelines.version(connection, name)
    try:
        return None if version is None else structures.pipeline(connection, name, version)
    except BrokenStructureError:
        return None


def broken(what: str, error: ValueError, mend: str) -> BrokenStructureError:
    """The sentence, with the first line of what was found wrong."""
    why = str(error).splitlines()[0][:200]
    if isinstance(error, ValidationError):
        fields = [".".join(map(str, one["loc"])) or "all of it" for one in error.errors()]
        why = f"wrong: {', '.join(fields[:5])}"
    return BrokenStructureError(f"{what} cannot be read ({why}): {mend}")
