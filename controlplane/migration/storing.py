"""One pipeline comes over in one transaction: its structure, its closed ways in, its tags, and that it came."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.declarations.json_spelling import dumps
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.conflicts import again
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.structures import Structures
from controlplane.engine.transaction import Transaction, transaction
from controlplane.journal import Fact
from controlplane.store import ledger, migrated, pipelines, tags
from controlplane.store.database import Database

GUARD = "migrated from"
"""How the reason of a way in begins that the migration itself has closed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """version: that counts now. new: this was stored just now. closed: ways in closed just now.

    edited: somebody has edited it here since, and the old one has not changed: theirs stays.
    """

    version: int
    new: bool
    closed: tuple[str, ...]
    edited: bool = False


class Storing:
    """Where pipelines that come over are put."""

    def __init__(
        self, database: Database, structures: Structures, now: Callable[[], float]
    ) -> None:
        self._database, self._structures, self._now = database, structures, now

    @again
    def put(
        self,
        declared: PipelineDeclaration,
        place: tuple[str, str],
        by: Person,
        closed: Mapping[str, str],
        wanted: Mapping[str, str],
    ) -> Stored:
        """Store it with every way in behind its sources closed; the same again changes nothing.

        place: account and region it comes from. closed: the ways in that are closed there, with the
        reasons. wanted: its tags. A way in that was closed once by this and is open was opened by
        somebody, and stays open. CommandError where what is here was not migrated from there, or
        was changed on both sides.
        """
        with transaction(self._database, self._structures, self._now, by) as tx:
            name, before = declared.name, pipelines.version(tx.connection, declared.name)
            row: Any = None if before is None else migrated.of(tx.connection, name)
            if before is not None:
                _refuse_foreign(name, place, row)
            edited = row is not None and before != row.version
            version = before if edited and before is not None else 0
            if edited:
                _refuse_both(tx, declared, row)
            else:
                version = _put(tx, declared, by)
            already = [] if row is None else migrated.closed(row)
            fresh = self._close(tx, declared, place, by, closed, already)
            tags.put(tx.connection, f"pipeline/{name}", wanted)
            migrated.put(
                tx.connection,
                {
                    "pipeline": name,
                    "account": place[0],
                    "region": place[1],
                    "version": row.version if edited else version,
                    "closed": json.dumps([*already, *fresh]),
                    "migrated_at": tx.now if row is None else row.migrated_at,
                    "migrated_by": by.name,
                },
            )
        return Stored(version, version != before, tuple(fresh), edited)

    def _close(
        self,
        tx: Transaction,
        declared: PipelineDeclaration,
        place: tuple[str, str],
        by: Person,
        closed: Mapping[str, str],
        already: list[str],
    ) -> list[str]:
        """Close each way in that this has never closed before, in the transaction that stores it."""
        fresh = [stage.name for stage in declared.stages[1:] if stage.name not in already]
        for stage in fresh:
            said = f"; {closed[stage]}" if stage in closed else ""
            reason = f"{GUARD} {'/'.join(place)}: let it go when the old one is stopped{said}"
            row = {
                "pipeline": declared.name,
                "stage": stage,
                "reason": reason[:300],
                "disabled_by": by.name,
                "disabled_at": tx.now,
            }
            if ledger.disable_transition(tx.connection, row):
                text = f"{by.name}: {reason}"
                tx.journal.add(
                    Fact(kind="transition.disabled", pipeline=declared.name, stage=stage, text=text)
                )
        return fresh


def _text(declared: PipelineDeclaration) -> str:
    return dumps(declared.model_copy(update={"version": None}))


def _put(tx: Transaction, declared: PipelineDeclaration, by: Person) -> int:
    name = declared.name
    before = pipelines.version(tx.connection, name)
    number = pipelines.put(tx.connection, name, _text(declared), tx.now, by.name)
    if number != before:
        said = f"version {number} by {by.name} (migrate)"
        tx.journal.add(Fact(kind="pipeline.applied", pipeline=name, text=said))
    return number


def _refuse_both(tx: Transaction, declared: PipelineDeclaration, row: Any) -> None:
    """It was edited here: that stays, as long as nothing has changed over there."""
    name = declared.name
    if _text(declared) != pipelines.declaration(tx.connection, name, row.version):
        said = f"{name} was edited here since it came over, and over there too"
        raise CommandError(Problem.CONFLICT, f"{said}: make them the same (towpath diff)")


def _refuse_foreign(name: str, place: tuple[str, str], row: Any) -> None:
    if row is not None and (row.account, row.region) == place:
        return
    came = "was not migrated" if row is None else f"was migrated from {row.account}/{row.region}"
    said = f"there is a pipeline {name!r} here that {came}: rename or delete one of them"
    raise CommandError(Problem.CONFLICT, said)
