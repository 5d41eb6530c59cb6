"""What opens and closes ways: transitions, quarantines, freezes, overrides of gates, incidents."""

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.engine import gate_commands, retrying
from controlplane.engine.asking import Asking
from controlplane.engine.conflicts import again
from controlplane.engine.gate_commands import Scope
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.settle import settle
from controlplane.store import ledger, queries


class Ways(Asking):
    """The moves that are about who may go where."""

    @again
    def disable_transition(self, pipeline: str, stage: str, by: Person, *, reason: str) -> None:
        """Close the way into a stage."""
        with self._transaction(by) as tx:
            self._known_stage(tx, pipeline, stage)
            row = {
                "pipeline": pipeline,
                "stage": stage,
                "reason": reason[:300],
                "disabled_by": by.name,
                "disabled_at": tx.now,
            }
            if ledger.disable_transition(tx.connection, row):
                self._say(tx, "transition.disabled", pipeline, stage, f"{by.name}: {reason}")
                retrying.waits_behind(tx, pipeline, stage, reason[:300])

    @again
    def enable_transition(self, pipeline: str, stage: str, by: Person, *, reason: str) -> None:
        """Open it again; who waits in front enters at once."""
        with self._transaction(by) as tx:
            if ledger.enable_transition(tx.connection, pipeline, stage):
                self._say(tx, "transition.enabled", pipeline, stage, f"{by.name}: {reason}")
                tx.to_admit[pipeline, stage] = True
                settle(tx, ())
            else:  # asked only now: of a stage that is declared no longer, somebody may still wait
                self._known_stage(tx, pipeline, stage)

    @again
    def lift_quarantine(self, digest: str, by: Person, *, reason: str) -> None:
        """Let a digest go again; a reason is required."""
        if not reason.strip():
            raise CommandError(Problem.INVALID, "lifting a quarantine needs a reason")
        with self._transaction(by) as tx:
            held = queries.quarantine_of(tx.connection, digest)
            lifted = ledger.lift_quarantine(tx.connection, digest, by.name, reason, tx.now)
            if held is None or not lifted:  # or another lifts it at this very moment
                raise CommandError(Problem.UNKNOWN, f"{digest} is not in quarantine")
            text = f"{digest} was released by {by.name}: {reason}"
            self._say(tx, "digest.released", held.pipeline, "", text)

    @again
    def freeze(self, scope: Scope, by: Person, *, reason: str) -> int:
        """Close every gate that the scope covers, with a reason; answers the freeze's id."""
        with self._transaction(by) as tx:
            return gate_commands.freeze(tx, scope, by, reason)

    @again
    def unfreeze(self, freeze_id: int, by: Person, *, reason: str) -> None:
        """Lift a freeze with a reason."""
        with self._transaction(by) as tx:
            gate_commands.unfreeze(tx, freeze_id, by, reason)

    @again
    def override(self, execution_id: str, stage: str, by: Person, *, reason: str) -> Any:
        """Ask for a closed gate to be opened; the second of two people opens it. Answers the row."""
        with self._transaction(by) as tx:
            execution = self._execution(tx, execution_id)
            return gate_commands.override(tx, execution, stage, by, reason)

    @again
    def take_incidents(self, told: Sequence[Mapping[str, Any]], by: Person) -> int:
        """Open and resolve incidents that a monitoring tells of; answers how many were news."""
        with self._transaction(by) as tx:
            return gate_commands.take_incidents(tx, told, by.name)

    @again
    def resolve_incident(self, key: str, by: Person, *, reason: str) -> None:
        """Close an incident by hand."""
        with self._transaction(by) as tx:
            gate_commands.resolve_incident(tx, key, by, reason)
