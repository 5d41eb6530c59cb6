"""Many pipelines at a glance: a page of them costs the same handful of questions, whatever is on it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from controlplane import ledger as pure_ledger
from controlplane.api.words import Document
from controlplane.clock import iso
from controlplane.declarations.model import ActionDeclaration, StageDeclaration
from controlplane.engine.gate_facts import covering
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.engine.view import deploys
from controlplane.states import StageStatus
from controlplane.store import gates, standing


class Overview:
    """The documents of some rows of pipelines; one that cannot be read says so and holds up no other."""

    def __init__(
        self,
        connection: Connection,
        structures: Structures,
        rows: Sequence[Any],
        summary: Callable[[Any], Document],
        now: float,
    ) -> None:
        """summary: writes an execution. now: in seconds since the epoch, for the freezes in force."""
        self._rows, self._summary = rows, summary
        self._broken: dict[str, str] = {}
        self._stages: Mapping[str, Sequence[StageDeclaration]] = {
            row.name: self._declared(connection, structures, row) for row in rows
        }
        found = [(name, stage) for name, stages in self._stages.items() for stage in stages]
        self._newest = standing.newest_executions(connection, self._stages)
        self._closed = standing.transitions(connection, self._stages)
        places = [(name, stage.name) for name, stage in found]
        self._latest = standing.latest_stages(connection, places)
        self._in_front = standing.held_in_front(connection, places)
        self._freezes = gates.freezes(connection, now) if places else ()
        self._targets = standing.Targets(connection, [n for _, s in found for n in names(s)])

    def documents(self) -> list[Document]:
        """One a pipeline; broken: why its structure cannot be read, "" where it can."""
        return [self._document(row) for row in self._rows]

    def _declared(
        self, connection: Connection, structures: Structures, row: Any
    ) -> Sequence[StageDeclaration]:
        try:
            return structures.pipeline(connection, row.name, row.version).stages
        except BrokenStructureError as error:
            self._broken[row.name] = str(error)
            return ()

    def _document(self, row: Any) -> Document:
        newest = self._newest.get(row.name)
        return {
            "name": row.name,
            "version": row.version,
            "updatedAt": iso(row.updated_at),
            "updatedBy": row.updated_by,
            "broken": self._broken.get(row.name, ""),
            "latest": None if newest is None else self._summary(newest),
            "stages": [self._stage(row.name, stage) for stage in self._stages[row.name]],
        }

    def _stage(self, name: str, stage: StageDeclaration) -> Document:
        latest = self._latest.get((name, stage.name))
        return {
            "name": stage.name,
            "transition": transition(self._closed.get((name, stage.name))),
            "status": "" if latest is None else latest.status,
            "type": "" if latest is None else latest.type,
            "waitsFor": _waits_for(latest),
            "held": "" if latest is None else latest.held,
            "heldInFront": self._in_front.get((name, stage.name), ""),
            "frozen": _frozen(covering(self._freezes, name, stage)),
            "targets": targets(stage, self._targets),
        }


def _waits_for(latest: Any) -> str:
    """What a person is to say of who is in a stage: "approval", "judgement" (of a bake) or ""."""
    if latest is None:
        return ""
    if latest.approval:
        return "approval"
    return "judgement" if latest.asked_at and latest.status == StageStatus.BAKING else ""


def _frozen(freezes: Sequence[Any]) -> str:
    """Who froze a stage, and why; "" where nobody did."""
    return "; ".join(f"{one.frozen_by}: {one.reason}" for one in freezes)[:1000]


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


def names(stage: StageDeclaration) -> list[str]:
    """The targets that a stage deploys to."""
    return [target for _, target in _deployments(stage)]


def targets(stage: StageDeclaration, known: standing.Targets) -> list[Document]:
    """Answer what stands on each target of a stage, and what is known to be good there."""
    found = []
    for action, target in _deployments(stage):
        stands = known.stands(target)
        found.append(
            {
                "target": target,
                "account": action.configuration.get("Account", ""),
                "region": action.region or "",
                "digest": stands.digest if stands else "",
                "status": stands.status if stands else "",
                "since": iso(stands.at) if stands else None,
                "quarantined": bool(stands and stands.quarantined),
                "executionId": stands.execution_id if stands else "",
                "lastKnownGood": known.good(target),
            }
        )
    return found


def _deployments(stage: StageDeclaration) -> Iterator[tuple[ActionDeclaration, str]]:
    for action in stage.actions:
        if deploys(action):
            provider, region = action.action_type_id.provider, action.region or ""
            yield action, pure_ledger.target_of(provider, region, action.configuration)
