"""A baking stage in memory: looks go in, and what deciding makes of them is applied, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.declarations.model import RuleDeclaration, StageDeclaration
from controlplane.engine.decide import decide
from controlplane.engine.view import Moves, StageView
from controlplane.states import StageStatus
from monitors.base import Verdict
from tests.support.house import deploying

LENGTH = 100.0
"""Seconds of the bake; it begins at 0."""


@dataclass
class Row:
    """A rule's row, or the deployment's."""

    id: int
    name: str
    kind: str = "rule"
    run_order: int = 0
    attempt: int = 1
    status: str = "InProgress"
    verdict: str = ""
    verdict_at: float | None = None
    verdict_since: float | None = None
    power: float | None = None
    ended_at: float | None = None
    summary: str = "as told"


def stage(rules: Mapping[str, Mapping[str, str]]) -> StageDeclaration:
    """A stage that deploys, with these rules and what is said of each."""
    given = deploying("Prod", bake=f"{LENGTH:.0f}s")
    (condition,) = given["onSuccess"]["conditions"]
    (rule,) = condition["rules"]
    condition["rules"] = [
        {**rule, "name": name, "configuration": {**rule["configuration"], **more}}
        for name, more in rules.items()
    ]
    return StageDeclaration.model_validate(given)


def rule(**configuration: str) -> RuleDeclaration:
    """One rule with this configuration."""
    return stage({"Alarm": configuration}).rules()[0]


@dataclass
class Bake:
    """Everything a stage that bakes remembers. rules: name -> what is said of it."""

    rules: Mapping[str, Mapping[str, str]]
    status: StageStatus = StageStatus.BAKING
    marks: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    pages: int = 0
    moves: Moves = field(default_factory=lambda: Moves(""))

    def __post_init__(self) -> None:
        self.declared = stage(self.rules)
        self.rows = {name: Row(2 + n, name) for n, name in enumerate(self.rules)}
        self.deployed = Row(1, "Deploy", "action", 1, status="Succeeded")

    def look(
        self, at: float, verdicts: Mapping[str, Verdict], power: float | None = None
    ) -> StageStatus:
        """Some rules are looked at; decide, and apply it."""
        for name, verdict in verdicts.items():
            row = self.rows[name]
            row.verdict_since = at if row.verdict != verdict else row.verdict_since
            row.verdict, row.verdict_at, row.power = verdict, at, power
        if self.status is StageStatus.BAKING:
            self.moves = moves = decide(self.view(), at)
            self.marks |= moves.mark
            self.told += [said.kind for said in moves.says]
            self.pages += sum(said.page for said in moves.says)
            self.status = moves.stage or self.status
        return self.status

    def view(self) -> StageView:
        """As the engine would bring it."""
        return StageView(
            id="s",
            execution_id="e",
            status=self.status,
            stop="",
            since=0.0,
            baking_since=0.0,
            declared=self.declared,
            actions=[self.deployed, *self.rows.values()],
            **{"held": "", **self.marks},
        )
