"""Pipeline structures, parsed once: versions never change, so what was parsed stays right."""

import json
import threading
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from controlplane.declarations.json_spelling import loads
from controlplane.declarations.model import Notification, PipelineDeclaration, StageDeclaration
from controlplane.store import pipelines

KEPT = 1_000


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
            found = self._keep(key, loads(pipelines.declaration(connection, name, version)))
        declared: PipelineDeclaration = found
        return declared

    def stages(self, connection: Connection, execution: Any) -> Sequence[StageDeclaration]:
        """What an execution runs: its pipeline's stages, or its own plan where it is a rollback."""
        if not execution.plan:
            return self.pipeline(connection, execution.pipeline, execution.version).stages
        key = ("plan", execution.id)
        found = self._kept.get(key)
        if found is None:
            found = self._keep(key, (StageDeclaration.model_validate(json.loads(execution.plan)),))
        stages: Sequence[StageDeclaration] = found
        return stages

    def notifications(self, connection: Connection, name: str) -> Sequence[Notification]:
        """Who is told of a pipeline's events: as declared by its newest version."""
        version = pipelines.version(connection, name)
        return () if version is None else self.pipeline(connection, name, version).notifications

    def _keep(self, key: tuple[str, int | str], value: Any) -> Any:
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > KEPT:
                self._kept.pop(next(iter(self._kept)))  # the one that has been here longest
        return value
