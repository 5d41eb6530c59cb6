"""What a person names to go back to: any execution that went well through the stage, whatever its version.

Where nobody names one, a rollback goes to the ledger's last known good. What is named is written into the
execution that goes bad, with its stage, in the transaction in which it was asked for: it holds for that
stage only, and for as long as the rollback has to wait for calls that are under way.
"""

from collections.abc import Iterator
from typing import Any

from controlplane.engine.refusals import CommandError, Problem
from controlplane.engine.transaction import Transaction
from controlplane.store import executions, histories, ledger, queries


def name_target(tx: Transaction, bad: Any, row: Any, to: str) -> None:
    """Write down where to go back to; to "": the last known good. row: the stage execution of the bad one."""
    if to:
        wanted = executions.by_id(tx.connection, to)
        if wanted is None or wanted.pipeline != bad.pipeline:
            raise CommandError(Problem.UNKNOWN, f"{bad.pipeline} has no execution {to!r}")
        why = next(_against(tx, bad, row, wanted), "")
        if why:
            raise CommandError(Problem.CONFLICT, f"{row.stage} cannot go back to {to}: {why}")
    restores = f"{row.stage}/{to}" if to else ""
    executions.update_execution(tx.connection, bad.id, restores=restores)


def named(execution: Any, stage: str) -> str:
    """The execution that a stage is to go back to; "" where nobody has named one."""
    where, _, to = execution.restores.partition("/")
    return to if where == stage else ""


def _against(tx: Transaction, bad: Any, row: Any, wanted: Any) -> Iterator[str]:
    """What speaks against it, the first first."""
    if wanted.type != "STANDARD":
        yield "it is itself a rollback or a drill, name the execution that released what it brought"
    if not histories.let_through(tx.connection, wanted.id, row.stage):
        yield f"it did not succeed in {row.stage}"
    ids = [one.id for one in queries.actions_of_stage(tx.connection, row.id)]
    entries = ledger.of_tries(tx.connection, bad.id, row.stage, ids)
    placed = {one.target: ledger.placed_by(tx.connection, one.target, wanted.id) for one in entries}
    # By target, for an execution may have put another artifact on each.
    theirs = {(target, one.digest) for target, one in placed.items() if one is not None}
    digests = {digest for _, digest in theirs} or {wanted.digest}
    ours = {(one.target, one.digest) for one in entries}
    if theirs == ours if entries else wanted.digest == bad.digest:
        yield f"it is {' and '.join(sorted(digests))} that is to be taken away"
    for digest in sorted(ledger.quarantined(tx.connection, digests)):
        yield f"{digest} is in quarantine, lift it with a reason first"
    for target, one in placed.items():
        if one is None:
            yield f"it deployed nothing to {target}"
