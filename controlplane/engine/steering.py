"""What changes the course of an execution under way, or takes back what stands: one transaction each."""

from typing import Any

from controlplane.engine import extending
from controlplane.engine.asking import Asking
from controlplane.engine.conflicts import again
from controlplane.engine.entry import leave
from controlplane.engine.going_back import name_target
from controlplane.engine.manual import judge_bake, retry_stage, roll_back_finished
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.settle import settle
from controlplane.engine.transaction import Transaction
from controlplane.states import ExecutionStatus, is_over
from controlplane.store import executions, locks, queries
from controlplane.store.swap import StaleError


class Steering(Asking):
    """The moves that are about one execution."""

    @again
    def stop(self, execution_id: str, by: Person, *, abandon: bool, reason: str) -> None:
        """Stop and wait for what runs, or stop and abandon it."""
        with self._transaction(by) as tx:
            execution = self._execution(tx, execution_id)
            if is_over(ExecutionStatus(execution.status)):
                raise CommandError(Problem.CONFLICT, f"{execution_id} is over: {execution.status}")
            how = "abandon" if abandon else "wait"
            executions.update_execution(tx.connection, execution_id, stop=how)
            tx.fact("execution.stopping", execution, text=f"{by.name} ({by.door}), {how}: {reason}")
            self._wind_down(tx, execution)

    @again
    def rollback(self, pipeline: str, stage: str, by: Person, *, reason: str, to: str = "") -> str:
        """Roll a stage back by hand; answers the execution that goes bad.

        to: an execution that succeeded in the stage; where it is left out, the last known good.
        """
        with self._transaction(by) as tx:
            inside = queries.in_stage(tx.connection, pipeline, stage)
            if inside is None:
                locks.ways_in(tx.connection, [(pipeline, stage, False)])
                if queries.in_stage(tx.connection, pipeline, stage) is not None:
                    raise StaleError(f"somebody entered {stage} while it was asked")
                return roll_back_finished(tx, pipeline, stage, by.name, reason, to)
            execution = self._execution(tx, inside.execution_id)
            if queries.in_stage(tx.connection, pipeline, stage) != inside:
                raise StaleError(f"who is in {stage} changed while it was asked")
            if execution.type == "ROLLBACK":
                raise CommandError(Problem.CONFLICT, f"{stage} is being rolled back already")
            name_target(tx, execution, inside, to)
            executions.update_execution(tx.connection, execution.id, stop="rollback")
            text = f"rollback asked for by {by.name} ({by.door}): {reason}"
            tx.fact("execution.stopping", execution, stage=stage, text=text)
            settle(tx, [inside.id])
        return str(execution.id)

    @again
    def judge(
        self, execution_id: str, stage: str, by: Person, *, passes: bool, reason: str
    ) -> None:
        """Let a bake that cannot end by itself pass, or roll it back; a reason is required."""
        if not reason.strip():
            raise CommandError(Problem.INVALID, "judging a bake needs a reason")
        with self._transaction(by) as tx:
            judge_bake(
                tx, self._execution(tx, execution_id), stage, by, passes=passes, reason=reason
            )

    @again
    def extend_bake(
        self, execution_id: str, stage: str, by: Person, asked: extending.Extension
    ) -> float:
        """Have a bake, or a watch, last longer; never shorter. The new end, in seconds since the epoch."""
        with self._transaction(by) as tx:
            execution = self._execution(tx, execution_id)
            return extending.extend_bake(tx, execution, stage, by, asked)

    @again
    def retry(self, execution_id: str, stage: str, by: Person, *, all_actions: bool) -> None:
        """Run the failed (or all) actions of the execution's last, failed stage again."""
        with self._transaction(by) as tx:
            execution = self._execution(tx, execution_id)
            retry_stage(tx, execution, stage, by.name, all_actions=all_actions)

    def _wind_down(self, tx: Transaction, execution: Any) -> None:
        rows = executions.of_execution(tx.connection, execution.id)
        inbound = [row for row in rows if row.status == "Inbound"]
        if inbound:
            leave(tx, executions.by_id(tx.connection, execution.id), inbound[-1])
            settle(tx, ())
            return
        settle(tx, [row.id for row in rows if row.ended_at is None])
