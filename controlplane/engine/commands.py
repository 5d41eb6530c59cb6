"""What people and events may ask for, whichever door they come by: REST, console, Slack, command line.

Each is one transaction: the state is read, the move is checked, and either everything is written or
nothing is. A request that cannot be granted raises CommandError with what is wrong and the mend. Where
another replica changed the same rows at that moment, it is read, checked and written anew.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from controlplane.declarations.json_spelling import dumps
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine import approvals, ids
from controlplane.engine.conflicts import again
from controlplane.engine.loop import Taken
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.rows import stage_row
from controlplane.engine.settle import settle
from controlplane.engine.starting import check_sources, check_variables
from controlplane.engine.steering import Steering
from controlplane.engine.transaction import Transaction
from controlplane.engine.ways import Ways
from controlplane.journal import Fact
from controlplane.states import ExecutionStatus
from controlplane.store import (
    executions,
    late,
    migrated,
    pipelines,
    source_refs,
)


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


class Commands(Steering, Ways):
    """The moves that somebody outside may ask for."""

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
            late.hurry(tx.connection, declared.name, tx.now)
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


def _as(by: Person) -> dict[str, str]:
    """The token that he counts as: under another name he is the same, where two people are wanted."""
    return {"as": by.token} if by.token else {}


def _from(moved: Moved | None) -> dict[str, str]:
    if moved is None:
        return {}
    said = {"source": moved.action, "ref": moved.shown or moved.ref, "pull": moved.number}
    return {key: value for key, value in said.items() if value}
