"""What an explanation is made of: rows as the store brings them, and what was declared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.declarations.model import StageDeclaration


@dataclass(frozen=True, slots=True)
class Records:
    """One execution. Every list of rows is in the order of time.

    declared: by the name of a stage, as this execution runs it; a stage that cannot be read is left out.
    measurements, series: by the id of the rule's row; series are the points that verdicts were based on.
    rollbacks: the executions that rolled this one back.
    """

    execution: Any
    stages: Sequence[Any] = ()
    actions: Sequence[Any] = ()
    events: Sequence[Any] = ()
    ledger: Sequence[Any] = ()
    declared: Mapping[str, StageDeclaration] = field(default_factory=dict)
    measurements: Mapping[int, Sequence[Any]] = field(default_factory=dict)
    series: Mapping[int, Sequence[Any]] = field(default_factory=dict)
    rollbacks: "Sequence[Records]" = ()

    def actions_of(self, stage: Any) -> list[Any]:
        """The actions of one entry into a stage."""
        return [row for row in self._rows(stage) if row.kind == "action"]

    def rules_of(self, stage: Any) -> list[Any]:
        """Whatever judges in one entry into a stage."""
        return [row for row in self._rows(stage) if row.kind not in ("action", "abandoned")]

    def _rows(self, stage: Any) -> list[Any]:
        return [row for row in self.actions if row.stage_id == stage.id]
