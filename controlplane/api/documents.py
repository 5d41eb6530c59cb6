"""Rows -> documents. The REST door serves them, and the console draws nothing else."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from controlplane.api import approval_documents, words
from controlplane.api.explanations import records
from controlplane.api.overview import Overview, names, targets, transition
from controlplane.api.problems import unknown
from controlplane.api.stage_documents import gate, rule_measurements, stage_execution
from controlplane.api.wave_documents import wave_documents
from controlplane.api.words import Document
from controlplane.clock import iso
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.refusals import Person
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.explain.document import explain
from controlplane.store import executions, gates, ledger, pipelines, queries, standing

PAGE = 50


class Documents:
    """Reads in the caller's transaction, so that one document is of one moment."""

    def __init__(self, structures: Structures) -> None:
        self._structures = structures

    def declared(self, connection: Connection, name: str) -> tuple[PipelineDeclaration, int]:
        """Answer a pipeline's structure and its version; CommandError where there is none."""
        version = pipelines.version(connection, name)
        if version is None:
            raise unknown(f"pipeline {name!r}")
        return self._structures.pipeline(connection, name, version), version

    def known(self, connection: Connection, name: str) -> None:
        """CommandError where there is no such pipeline; one whose structure is broken is known."""
        if pipelines.version(connection, name) is None:
            raise unknown(f"pipeline {name!r}")

    def pipelines(
        self,
        connection: Connection,
        now: float,
        after: str = "",
        limit: int = PAGE,
        seen: Callable[[str], bool] | None = None,
    ) -> list[Document]:
        """The next pipelines by name: their stages, whether one may enter, what stands where.

        now: seconds since the epoch. seen: which of them are answered; None: all.
        """
        rows = standing.pipelines(connection, after, limit, seen)
        return Overview(connection, self._structures, rows, self.summary, now).documents()

    def state(self, connection: Connection, name: str) -> Document:
        """CodePipeline's get-pipeline-state, and on each target what stands there."""
        declared, version = self.declared(connection, name)
        closed = {row.stage: row for row in queries.transitions(connection, name)}
        known = standing.Targets(connection, [n for stage in declared.stages for n in names(stage)])
        return {
            "pipeline": name,
            "version": version,
            "executionMode": declared.execution_mode,
            "lastEvent": queries.last_event(connection),
            "stages": [
                {
                    "name": stage.name,
                    "transition": transition(closed.get(stage.name)),
                    **self._who_is_there(connection, name, stage.name),
                    "targets": targets(stage, known),
                    "waves": wave_documents(stage),
                }
                for stage in declared.stages
            ],
        }

    def execution(self, connection: Connection, execution_id: str) -> Document:
        """All of one execution."""
        row = self._row(connection, execution_id)
        artifacts = ledger.artifacts(connection, [row.id])
        return {
            **self.summary(row),
            "stages": [
                self._stage(connection, stage, row)
                for stage in executions.of_execution(connection, row.id)
            ],
            "artifacts": [json.loads(artifacts[key]) for key in sorted(artifacts)],
        }

    def measurements(self, connection: Connection, execution_id: str) -> list[Document]:
        """Answer what every rule of an execution saw."""
        row = self._row(connection, execution_id)
        stages = {s.id: s.stage for s in executions.of_execution(connection, row.id)}
        return [
            rule_measurements(connection, action, stages[action.stage_id])
            for action in queries.actions_of_execution(connection, row.id)
            if action.kind not in ("action", "abandoned")
        ]

    def explanation(self, connection: Connection, execution_id: str) -> Document:
        """Answer why an execution went as it did."""
        row = self._row(connection, execution_id)
        return explain(records(connection, self._structures, row))

    def approval(
        self, connection: Connection, execution_id: str, stage: str, action: str, by: Person
    ) -> Document:
        """Answer what there is to decide on, for whoever looks; CommandError where nothing waits there."""
        asked = approval_documents.Asked(self._row(connection, execution_id), stage, action)
        return approval_documents.approval(connection, self._structures, asked, by)

    def summary(self, row: Any) -> Document:
        """Answer an execution without its stages."""
        return {
            "id": row.id,
            "pipeline": row.pipeline,
            "version": row.version,
            "type": row.type,
            "status": row.status,
            "stopping": row.stop,
            "digest": row.digest,
            "trigger": {k: v for k, v in json.loads(row.trigger).items() if k != "as"},
            "revisions": json.loads(row.revisions),
            "rollsBack": row.rolls_back,
            "rollbackState": row.rollback_state,
            "next": words.next_step(row),
            "reason": row.reason,
            "startedAt": iso(row.started_at),
            "endedAt": iso(row.ended_at),
        }

    # --- inside -----------------------------------------------------------------------------------

    def _row(self, connection: Connection, execution_id: str) -> Any:
        row = executions.by_id(connection, execution_id)
        if row is None:
            raise unknown(f"execution {execution_id!r}")
        return row

    def _who_is_there(self, connection: Connection, name: str, stage: str) -> Document:
        current = queries.in_stage(connection, name, stage)
        latest = queries.latest_in_stage(connection, name, stage)
        waiting = sorted(executions.inbound(connection, name, stage), key=lambda r: r.execution_id)
        return {
            "current": self._of(connection, current),
            "latest": self._of(connection, latest),
            "inbound": [self._waits(connection, row) for row in waiting],
            "latestDigest": self._digest(connection, latest),
        }

    def _waits(self, connection: Connection, row: Any) -> Document:
        """Answer who waits in front of a stage; held: what keeps him at the gate, "" where nothing does."""
        rows = gates.rules(connection, row.stage_id) if row.held else ()
        return {
            "executionId": row.execution_id,
            "digest": row.digest,
            "held": row.held,
            "gate": gate(connection, row.stage_id, rows),
        }

    def _of(self, connection: Connection, row: Any) -> Document | None:
        if row is None:
            return None
        return self._stage(connection, row, executions.by_id(connection, row.execution_id))

    def _digest(self, connection: Connection, row: Any) -> str:
        execution = None if row is None else executions.by_id(connection, row.execution_id)
        return "" if execution is None else str(execution.digest)

    def _stage(self, connection: Connection, row: Any, execution: Any) -> Document:
        try:
            stages = self._structures.stages(connection, execution)
        except BrokenStructureError:
            stages = ()  # what happened is shown all the same
        declared = next((stage for stage in stages if stage.name == row.stage), None)
        return stage_execution(connection, row, execution, declared)


__all__ = ["Document", "Documents", "words"]
