"""What people and events may ask for, whichever door they come by: REST, console, Slack, command line.

Each is one transaction: the state is read, the move is checked, and either everything is written or
nothing is. A request that cannot be granted raises CommandError with what is wrong and the mend. Where
another replica changed the same rows at that moment, it is read, checked and written anew.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.declarations.json_spelling import dumps
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine import approvals, extending, gate_commands, ids, retrying
from controlplane.engine.conflicts import again
from controlplane.engine.entry import leave
from controlplane.engine.gate_commands import Scope
from controlplane.engine.going_back import name_target
from controlplane.engine.loop import Engine, Taken
from controlplane.engine.manual import judge_bake, retry_stage, roll_back_finished
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.rows import stage_row
from controlplane.engine.settle import settle
from controlplane.engine.starting import check_sources, check_variables
from controlplane.engine.structures import Structures
from controlplane.engine.transaction import Transaction, transaction
from controlplane.journal import Fact
from controlplane.states import ExecutionStatus, is_over
from controlplane.store import (
    executions,
    ledger,
    locks,
    migrated,
    pipelines,
    queries,
    source_refs,
)
from controlplane.store.database import Database
from controlplane.store.swap import StaleError


class Moved(NamedTuple):
    """Where a source's branch or pull request stands now, and stood (None: whatever it was).

    shown: the ref as the source's variables say it. number: of the pull request.
    """

    action: str
    ref: str
    revision: str
    before: str | None
    shown: str = ""
    number: str = ""


class OvertakenError(Exception):
    """Something else of the same branch started at that moment; nothing was changed."""


class Commands:
    """The moves that somebody outside may ask for."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        now: Callable[[], float],
        most_open: int | None = None,
    ) -> None:
        """most_open: executions of one pipeline that have not ended; a start beyond it is refused."""
        self._database = database
        self._structures = structures
        self._now = now
        self._most_open = most_open
        self.note: Callable[[Connection], None] | None = None
        """What else is written in each transaction (`noting`)."""
        self.engine: Engine | None = None
        """Who works in this process, once there is one: what it can take at once need not wait for it."""

    def noting(self, note: Callable[[Connection], None]) -> "Commands":
        """The same commands, for one request: its note is written in the transaction of what is done.

        So whoever took the request never does it twice, wherever he is killed. What note raises takes all of it
        back.
        """
        mine = copy.copy(self)
        mine.note = note
        return mine

    @again
    def apply_pipeline(
        self, declared: PipelineDeclaration, by: Person, *, new: bool | None = None
    ) -> int:
        """Store a structure (validated before); the same again changes nothing. The version.

        new: it must not be there yet (True), or must be there (False); None: either.
        """
        with self._transaction(by) as tx:
            before = pipelines.version(tx.connection, declared.name)
            if new is True and before is not None:
                raise CommandError(Problem.CONFLICT, f"there is a pipeline {declared.name!r}")
            if new is False and before is None:
                raise CommandError(Problem.UNKNOWN, f"there is no pipeline {declared.name!r}")
            text = dumps(declared.model_copy(update={"version": None}))
            number = pipelines.put(tx.connection, declared.name, text, tx.now, by.name)
            if number != before:
                said = f"version {number} by {by.name}"
                tx.journal.add(Fact(kind="pipeline.applied", pipeline=declared.name, text=said))
        return number

    @again
    def delete_pipeline(self, pipeline: str, by: Person) -> bool:
        """Forget a pipeline of which nothing runs; False where there is none. Its history stays."""
        with self._transaction(by) as tx:
            if pipelines.version(tx.connection, pipeline) is None:
                return False
            if executions.open_ones(tx.connection, pipeline, 1):
                said = f"executions of {pipeline} have not ended: stop them first"
                raise CommandError(Problem.CONFLICT, said)
            self._say(tx, "pipeline.deleted", pipeline, "", f"by {by.name} ({by.door})")
            pipelines.remove(tx.connection, pipeline)
            migrated.forget(tx.connection, pipeline)
        return True

    @again
    def start(  # noqa: PLR0913 - what an execution may be told
        self,
        pipeline: str,
        by: Person,
        *,
        revisions: Mapping[str, str] | None = None,
        dedupe: str | None = None,
        detail: str = "",
        one_way: bool = False,
        variables: Mapping[str, str] | None = None,
        moved: Moved | None = None,
    ) -> str:
        """Start an execution, answer its id. The same dedupe key starts only one, ever.

        revisions: source action -> revision id to pin; a source left out takes its newest.
        variables: values of pipeline variables, in the place of their defaults.
        moved: the branch that it comes from; OvertakenError where that stands elsewhere by now.
        one_way: it cannot be rolled back, so that every stage asks before, and holds after.
        """
        trigger = {"type": by.door, "by": by.name, "detail": detail, **_as(by), **_from(moved)}
        with self._transaction(by) as tx:
            version = tx.version(pipeline)
            if version is None:
                raise CommandError(Problem.UNKNOWN, f"there is no pipeline {pipeline!r}")
            declared = self._structures.pipeline(tx.connection, pipeline, version)
            check_sources(declared, revisions or {})
            check_variables(declared, variables or {}, by.door)
            new = {
                "id": ids.execution_id(tx.now),
                "pipeline": pipeline,
                "version": version,
                "type": "STANDARD",
                "status": ExecutionStatus.IN_PROGRESS,
                "stop": "",
                "digest": "",
                "trigger": json.dumps(trigger | ({"oneWay": True} if one_way else {})),
                "revisions": json.dumps(dict(revisions or {})),
                "plan": "",
                "rolls_back": "",
                "rollback_state": "",
                "dedupe": dedupe,
                "reason": "",
                "started_at": tx.now,
            }
            execution = executions.add(tx.connection, new)  # nobody else sees it before we commit
            # A commit that started from elsewhere stands there now, too, and nothing older comes after it.
            stands = moved is None or source_refs.move(
                tx.connection, (pipeline, moved.action, moved.ref), moved.revision, moved.before
            )
            if execution is None:
                return str(executions.by_dedupe(tx.connection, str(dedupe)))
            self._refuse_too_many(tx, pipeline)
            if not stands:
                raise OvertakenError(pipeline)
            if variables:
                executions.keep_variables(tx.connection, execution.id, "variables", variables)
            tx.fact("execution.started", execution, text=f"started by {by.name} ({by.door})")
            first = declared.stages[0].name
            tx.new_stages.append(stage_row(execution, 0, first))
            tx.to_admit[pipeline, first] = False
            taken = self._settle_and_take(tx)
        if self.engine is not None and taken is not None:
            self.engine.go(taken)
        return str(new["id"])

    def decide_approval(  # noqa: PLR0913 - which approval, and what of it
        self,
        execution_id: str,
        stage: str,
        action: str,
        by: Person,
        *,
        approve: bool,
        summary: str,
        token: str = "",
        evidence: str = "",
    ) -> None:
        """Say Approved or Rejected; it decides where it is the last word that was needed.

        token: of the attempt that is meant, evidence: the hash of what was looked at; "" for any.
        """
        word = approvals.Word(stage, action, approve, summary, token, evidence)
        try:
            self._decide(execution_id, by, word)
        except approvals.RefusedError as refused:
            self._on_record(execution_id, by, word, str(refused))
            raise

    def refuse_approval(
        self, execution_id: str, by: Person, stage: str, action: str, *, approve: bool, why: str
    ) -> None:
        """A door has turned somebody away whom it knows: that is kept in the audit log."""
        self._on_record(execution_id, by, approvals.Word(stage, action, approve, ""), why)

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

    # --- inside -----------------------------------------------------------------------------------

    @again
    def _decide(self, execution_id: str, by: Person, word: approvals.Word) -> None:
        with self._transaction(by) as tx:
            approvals.decide(tx, self._execution(tx, execution_id), by, word)

    @again
    def _on_record(self, execution_id: str, by: Person, word: approvals.Word, why: str) -> None:
        """Somebody wanted what he may not: nothing was changed by it, and it is known."""
        with self._transaction(by) as tx:
            execution = self._execution(tx, execution_id)
            said = f"{word.verdict} by {by.name} ({by.door}) was refused: {why}"
            tx.fact("approval.refused", execution, stage=word.stage, action=word.action, text=said)

    @contextmanager
    def _transaction(self, by: Person) -> Iterator[Transaction]:
        with transaction(self._database, self._structures, self._now, by) as tx:
            yield tx
            if self.note is not None:
                self.note(tx.connection)

    def _settle_and_take(self, tx: Transaction) -> Taken | None:
        """Settle who arrives, and claim what that makes due for the engine of this process."""
        tx.keeps_new = True
        settle(tx, ())
        taken = self.engine.take(tx) if self.engine is not None else None
        tx.keeps_new = False
        tx.wakes = taken is None or bool(tx.new_actions)
        return taken

    def _refuse_too_many(self, tx: Transaction, pipeline: str) -> None:
        """Asked after the new one is in, so a start that is repeated is answered and not refused."""
        most = self._most_open
        if most is not None and executions.open_ones(tx.connection, pipeline, most + 1) > most:
            said = f"{most} executions of {pipeline} have not ended: stop some, or wait for them"
            raise CommandError(Problem.CROWDED, said)

    def _execution(self, tx: Transaction, execution_id: str) -> Any:
        """As it stands, and stays until we commit: the engine of another replica waits for us."""
        locks.execution(tx.connection, execution_id)
        found = executions.by_id(tx.connection, execution_id)
        if found is None:
            raise CommandError(Problem.UNKNOWN, f"there is no execution {execution_id!r}")
        return found

    def _known_stage(self, tx: Transaction, pipeline: str, stage: str) -> None:
        version = pipelines.version(tx.connection, pipeline)
        if version is None:
            raise CommandError(Problem.UNKNOWN, f"there is no pipeline {pipeline!r}")
        names = [s.name for s in self._structures.pipeline(tx.connection, pipeline, version).stages]
        if stage not in names:
            known = ", ".join(names)
            raise CommandError(
                Problem.UNKNOWN, f"{pipeline} has no stage {stage!r}; it has {known}"
            )

    def _say(self, tx: Transaction, kind: str, pipeline: str, stage: str, text: str) -> None:
        tx.journal.add(Fact(kind=kind, pipeline=pipeline, stage=stage, text=text))

    def _wind_down(self, tx: Transaction, execution: Any) -> None:
        rows = executions.of_execution(tx.connection, execution.id)
        inbound = [row for row in rows if row.status == "Inbound"]
        if inbound:
            leave(tx, executions.by_id(tx.connection, execution.id), inbound[-1])
            settle(tx, ())
            return
        settle(tx, [row.id for row in rows if row.ended_at is None])


def _as(by: Person) -> dict[str, str]:
    """The token that he counts as: under another name he is the same, where two people are wanted."""
    return {"as": by.token} if by.token else {}


def _from(moved: Moved | None) -> dict[str, str]:
    if moved is None:
        return {}
    said = {"source": moved.action, "ref": moved.shown or moved.ref, "pull": moved.number}
    return {key: value for key, value in said.items() if value}
