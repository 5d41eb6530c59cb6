"""Drills: the way back is tried where nobody is hurt, and how long each part of it takes is put on record.

In a stage outside production the good release is deployed once more; while it bakes, its alarm is set. What
follows is the loop as it is in earnest: a rule fails, the rollback stops and restores, the signals are
verified. The release is good, so nothing is quarantined and no way in is closed. All that a drill knows is
in rows: whoever takes over goes on from there.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from accounts.base import AccountError, Registry
from controlplane.declarations.durations import parse_duration
from controlplane.declarations.model import (
    ActionDeclaration,
    ExecutionMode,
    PipelineDeclaration,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.engine.conflicts import again
from controlplane.engine.drill_plan import Plan, UnfitError, plan
from controlplane.engine.drill_rows import drill_row, execution_row, standing
from controlplane.engine.entry import enter
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.rows import stage_row
from controlplane.engine.structures import Structures
from controlplane.engine.subject import subject_of
from controlplane.engine.transaction import Transaction, transaction
from controlplane.store import drills, executions, ledger, locks, periodic, pipelines
from controlplane.store.database import Database

log = logging.getLogger(__name__)

SCHEDULE = Person("schedule", "schedule")


class Drills:
    """Starts drills: by a person, or as a schedule says."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        registry: Registry,
        now: Callable[[], float],
    ) -> None:
        self._database, self._structures = database, structures
        self._registry, self._now = registry, now
        self._refused: dict[str, str] = {}

    @again
    def start(self, pipeline: str, stage: str, by: Person, *, every: float = 0) -> str:
        """Begin a drill, answer its execution; CommandError with the mend where it must not be.

        every: on a schedule, the seconds between two; "" where it is not due.
        """
        with transaction(self._database, self._structures, self._now, by) as tx:
            name = f"drill {pipeline}/{stage}"
            if every and not periodic.take(tx.connection, name, tx.now, every):
                return ""
            declared, version = self._declared(tx, pipeline)
            wanted = self._fit(tx, declared, stage)
            execution = execution_row(tx, pipeline, version, by, wanted)
            if not drills.add(tx.connection, drill_row(tx, execution, by, wanted)):
                raise CommandError(Problem.CONFLICT, f"a drill of {stage} is under way already")
            said = f"{wanted.digest} is deployed to {stage} once more, then {wanted.alarm.name} goes off"
            text = f"{by.name} ({by.door}): {said}"
            tx.fact("drill.started", execution, stage=stage, text=text)
            self._enter(tx, execution, declared, wanted)
        return str(execution.id)

    def due(self, schedule: Mapping[str, str]) -> None:
        """Start those that a schedule ("PIPELINE/STAGE" -> "7d") wants now; what is refused is logged once."""
        for place, every in schedule.items():
            pipeline, _, stage = place.partition("/")
            try:
                self.start(pipeline, stage, SCHEDULE, every=parse_duration(every).total_seconds())
                self._refused.pop(place, None)
            except (CommandError, ValueError) as error:
                if self._refused.get(place) != str(error):
                    log.warning("the drill of %s does not begin: %s", place, error)
                self._refused[place] = str(error)

    # --- inside -----------------------------------------------------------------------------------

    def _declared(self, tx: Transaction, pipeline: str) -> tuple[PipelineDeclaration, int]:
        version = pipelines.version(tx.connection, pipeline)
        if version is None:
            raise CommandError(Problem.UNKNOWN, f"there is no pipeline {pipeline!r}")
        return self._structures.pipeline(tx.connection, pipeline, version), version

    def _fit(self, tx: Transaction, declared: PipelineDeclaration, name: str) -> Plan:
        try:
            stage = declared.stage(name)
        except KeyError:
            said = f"{declared.name} has no stage {name!r}"
            raise CommandError(Problem.UNKNOWN, said) from None
        self._refuse_production(stage)
        locks.ways_in(tx.connection, [(declared.name, name, False)])
        self._refuse_busy(tx, declared.name, name)
        try:
            return plan(stage, standing(tx.connection, stage), subject_of(declared.stages).origins)
        except UnfitError as error:
            raise CommandError(Problem.CONFLICT, str(error)) from error

    def _refuse_production(self, stage: StageDeclaration) -> None:
        for name in sorted(set(_accounts(stage))):
            try:
                account = self._registry.get(name)
            except AccountError as error:
                raise CommandError(Problem.INVALID, str(error)) from error
            if account.is_production:
                said = f"{stage.name} acts in account {name}, whose environment is {account.environment}"
                raise CommandError(
                    Problem.INVALID, f"{said}: drills are for stages outside production"
                )

    def _refuse_busy(self, tx: Transaction, pipeline: str, stage: str) -> None:
        refusals = (
            (ledger.transition(tx.connection, pipeline, stage), "the way into it is closed"),
            (executions.is_occupied(tx.connection, pipeline, stage), "an execution is in it"),
            (
                executions.inbound(tx.connection, pipeline, stage),
                "an execution waits in front of it",
            ),
        )
        for refused, why in refusals:
            if refused:
                said = f"{stage} of {pipeline} cannot be drilled now: {why}"
                raise CommandError(Problem.CONFLICT, said)

    def _enter(
        self, tx: Transaction, execution: Any, declared: PipelineDeclaration, wanted: Plan
    ) -> None:
        """Go in at once: nobody is there, and nobody comes before we commit."""
        names = [stage.name for stage in declared.stages]
        waiting = stage_row(execution, names.index(wanted.stage.name), wanted.stage.name)
        executions.add_stages(tx.connection, [{**waiting, "drill": True}])
        turns = declared.execution_mode is not ExecutionMode.PARALLEL
        enter(tx, execution, waiting["id"], wanted.stage.name, wanted.stage, locked=turns)


def _accounts(stage: StageDeclaration) -> Iterator[str]:
    every: tuple[ActionDeclaration | RuleDeclaration, ...] = (*stage.actions, *stage.rules())
    for doing in every:
        if account := doing.configuration.get("Account", ""):
            yield account
