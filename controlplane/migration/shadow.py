"""Following old pipelines: what they did since they came over is read, compared, recorded. No more is done."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from accounts.base import AccountError, Clients
from controlplane.declarations.model import PipelineDeclaration, StageDeclaration
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.migration.compare import Held, Known, Verdict, compare, document
from controlplane.migration.reading import Place
from controlplane.migration.storing import GUARD
from controlplane.migration.then import Then, is_over, seconds, then
from controlplane.store import executions, migrated, pipelines, queries
from controlplane.store import shadows as facts
from controlplane.store.database import Database

log = logging.getLogger(__name__)
LOOKED_AT = 50
"""Of the newest executions of an old pipeline, at one look."""
POLLED = frozenset({"S3", "ECR"})
"""Source providers that Towpath looks at by itself."""


class Shadow:
    """Follows every old pipeline that is to be followed."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        clients: Clients,
        now: Callable[[], float],
        settled: float = 0.0,
    ) -> None:
        """settled: seconds that an execution has ended ago before it is compared.

        Until then Towpath's own look at the sources may not have come to its revision.
        """
        self._database, self._structures, self._clients = database, structures, clients
        self._now, self._settled = now, settled

    def follow(self) -> int:
        """Look at each once; how many executions were compared. One that cannot be read keeps no other."""
        with self._database.read() as connection:
            rows = migrated.shadowing(connection)
        return sum(self._one(row) for row in rows)

    def _one(self, row: Any) -> int:
        try:
            return self._followed(row)
        except (AccountError, BrokenStructureError, KeyError) as error:
            log.warning("the old pipeline %s was not followed: %s", row.pipeline, error)
            return 0

    def _followed(self, row: Any) -> int:
        place, ended_by = Place(self._clients, row.account, row.region), self._now() - self._settled
        summaries = [
            one
            for one in islice(place.executions(row.pipeline), LOOKED_AT)
            if is_over(one)
            and seconds(one["startTime"]) >= row.migrated_at
            and seconds(one["lastUpdateTime"]) <= ended_by
        ]
        with self._database.read() as connection:
            ids = [one["pipelineExecutionId"] for one in summaries]
            known = migrated.known(connection, row.pipeline, ids)
        fresh = [one for one in reversed(summaries) if one["pipelineExecutionId"] not in known]
        for one in fresh:
            self._compare(row, then(one, place.actions(row.pipeline, one["pipelineExecutionId"])))
        with self._database.begin() as connection:
            migrated.followed(connection, row.pipeline, self._now())
        return len(fresh)

    def _compare(self, row: Any, old: Then) -> None:
        with self._database.begin() as connection:
            found = compare(old, self._known(connection, row, old))
            differs = any(one.verdict is Verdict.DIFFERS for one in found)
            migrated.add(
                connection,
                {
                    "pipeline": row.pipeline,
                    "execution_id": old.id,
                    "started_at": old.started,
                    "differs": differs,
                    "document": json.dumps(document(old, found), separators=(",", ":")),
                    "at": self._now(),
                },
            )

    def _known(self, connection: Connection, row: Any, old: Then) -> Known:
        version = pipelines.version(connection, row.pipeline)
        if version is None:
            raise KeyError(f"pipeline {row.pipeline} was deleted")
        ours = self._structures.pipeline(connection, row.pipeline, version)
        imported = self._structures.pipeline(connection, row.pipeline, row.version)
        seen = _ours(connection, row.pipeline, old)
        return Known(
            ours,
            imported,
            seen is not None,
            frozenset(
                a.name for a in ours.stages[0].actions if a.action_type_id.provider in POLLED
            ),
            seen.digest if seen is not None else "",
            {e.stage: facts.quarantined_at(connection, e.at) for e in old.stages},
            dict(_held(connection, row.pipeline, old)),
            dict(_frozen(connection, ours, old)),
        )


def _ours(connection: Connection, pipeline: str, old: Then) -> Any:
    """The execution here that began by one of its revisions; None where there is none."""
    for action, revision in old.revisions.items():
        found = executions.by_dedupe(connection, f"source:{pipeline}:{action}:{revision}")
        if found is not None:
            return executions.by_id(connection, found) or _Archived()
    return None


class _Archived:
    """It began, and is in the archive by now."""

    digest = ""


def _held(connection: Connection, pipeline: str, old: Then) -> Iterator[tuple[str, Held]]:
    """Ways in that a person had closed when the old one entered; the migration's own are left aside."""
    now = {one.stage: one for one in queries.transitions(connection, pipeline)}
    moves = facts.moves_of_ways(connection, pipeline)
    for entered in old.stages:
        before = [m for m in moves if m.stage == entered.stage and m.at <= entered.at]
        after = [m for m in moves if m.stage == entered.stage and m.at > entered.at]
        row = now.get(entered.stage)
        if before:
            closed, reason, certain = before[-1].kind == facts.CLOSED, before[-1].text, True
        elif after:  # what it was before the first move that we know, only that move says
            closed, reason, certain = after[0].kind == facts.OPENED, "it was opened since", False
        else:
            closed, reason, certain = row is not None, row.reason if row else "", True
        if closed and GUARD not in reason:
            yield entered.stage, Held(reason, certain)


def _frozen(
    connection: Connection, ours: PipelineDeclaration, old: Then
) -> Iterator[tuple[str, str]]:
    by_name: Mapping[str, StageDeclaration] = {one.name: one for one in ours.stages}
    for entered in old.stages:
        stage = by_name.get(entered.stage)
        accounts = frozenset(
            a.configuration["Account"]
            for a in (stage.actions if stage else ())
            if "Account" in a.configuration
        )
        for freeze in facts.freezes_at(connection, entered.at):
            if facts.covers(freeze, ours.name, entered.stage, accounts):
                yield entered.stage, f"frozen by {freeze.frozen_by}: {freeze.reason}"
