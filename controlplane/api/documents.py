"""Rows -> documents. The REST door serves them, and the console draws nothing else."""

import json
from typing import Any

from sqlalchemy import Connection

from controlplane import ledger as pure_ledger
from controlplane.api import words
from controlplane.api.problems import unknown
from controlplane.api.stage_documents import rule_measurements, stage_execution
from controlplane.api.words import Document, iso
from controlplane.declarations.model import PipelineDeclaration, StageDeclaration
from controlplane.engine.structures import Structures
from controlplane.engine.view import deploys
from controlplane.store import executions, ledger, pipelines, queries


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

    def pipelines(self, connection: Connection) -> list[Document]:
        """Every pipeline: its stages, whether one may enter, and what stands on each target."""
        return [self._overview(connection, row) for row in pipelines.all_(connection)]

    def state(self, connection: Connection, name: str) -> Document:
        """CodePipeline's get-pipeline-state, and on each target what stands there."""
        declared, version = self.declared(connection, name)
        closed = {row.stage: row for row in queries.transitions(connection, name)}
        bad = ledger.quarantined(connection)
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
                    "targets": targets(connection, stage, bad),
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
            if action.kind == "rule"
        ]

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
            "trigger": json.loads(row.trigger),
            "revisions": json.loads(row.revisions),
            "rollsBack": row.rolls_back,
            "rollbackState": row.rollback_state,
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

    def _overview(self, connection: Connection, row: Any) -> Document:
        declared = self._structures.pipeline(connection, row.name, row.version)
        closed = {t.stage: t for t in queries.transitions(connection, row.name)}
        bad = ledger.quarantined(connection)
        newest = queries.executions_of(connection, row.name, limit=1)
        return {
            "name": row.name,
            "version": row.version,
            "updatedAt": iso(row.updated_at),
            "updatedBy": row.updated_by,
            "latest": self.summary(newest[0]) if newest else None,
            "stages": [
                {
                    "name": stage.name,
                    "transition": transition(closed.get(stage.name)),
                    **self._last_word(connection, row.name, stage.name),
                    "targets": targets(connection, stage, bad),
                }
                for stage in declared.stages
            ],
        }

    def _last_word(self, connection: Connection, name: str, stage: str) -> Document:
        latest = queries.latest_in_stage(connection, name, stage)
        if latest is None:
            return {"status": "", "type": ""}
        execution = executions.by_id(connection, latest.execution_id)
        return {"status": latest.status, "type": execution.type if execution else ""}

    def _who_is_there(self, connection: Connection, name: str, stage: str) -> Document:
        current = queries.in_stage(connection, name, stage)
        latest = queries.latest_in_stage(connection, name, stage)
        waiting = sorted(executions.inbound(connection, name, stage), key=lambda r: r.execution_id)
        return {
            "current": self._of(connection, current),
            "latest": self._of(connection, latest),
            "inbound": [{"executionId": r.execution_id, "digest": r.digest} for r in waiting],
            "latestDigest": self._digest(connection, latest),
        }

    def _of(self, connection: Connection, row: Any) -> Document | None:
        if row is None:
            return None
        return self._stage(connection, row, executions.by_id(connection, row.execution_id))

    def _digest(self, connection: Connection, row: Any) -> str:
        execution = None if row is None else executions.by_id(connection, row.execution_id)
        return "" if execution is None else str(execution.digest)

    def _stage(self, connection: Connection, row: Any, execution: Any) -> Document:
        stages = self._structures.stages(connection, execution)
        declared = next((stage for stage in stages if stage.name == row.stage), None)
        return stage_execution(connection, row, execution, declared)


def transition(row: Any) -> Document:
    """Whether executions may enter; where not, who closed the way, when and why."""
    if row is None:
        return {"enabled": True}
    return {
        "enabled": False,
        "reason": row.reason,
        "disabledBy": row.disabled_by,
        "disabledAt": iso(row.disabled_at),
    }


def targets(connection: Connection, stage: StageDeclaration, bad: frozenset[str]) -> list[Document]:
    """Answer what stands on each target of a stage, and what is known to be good there."""
    found = []
    for action in stage.actions:
        if not deploys(action):
            continue
        provider, region = action.action_type_id.provider, action.region or ""
        target = pure_ledger.target_of(provider, region, action.configuration)
        entries = ledger.entries(connection, target)
        stands = pure_ledger.standing(entries).get(target)
        good = pure_ledger.last_known_good(entries, bad)
        found.append(
            {
                "target": target,
                "account": action.configuration.get("Account", ""),
                "region": region,
                "digest": stands.digest if stands else "",
                "status": stands.status.value if stands else "",
                "quarantined": stands is not None and stands.digest in bad,
                "executionId": stands.execution_id if stands else "",
                "lastKnownGood": good.digest if good else "",
            }
        )
    return found


__all__ = ["Document", "Documents", "targets", "transition", "words"]
