"""Every action and every rule of a declaration, with where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.yaml_text import Path
from controlplane.declarations.model import (
    ActionDeclaration,
    Condition,
    PipelineDeclaration,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.declarations.provider import Provider
from controlplane.declarations.providers import provider_of


@dataclass(frozen=True, slots=True)
class PlacedAction:
    """One action, its path, and the number of its stage."""

    path: Path
    stage: int
    item: ActionDeclaration

    @property
    def provider(self) -> Provider | None:
        """What we know of its provider; None where we do not run it."""
        return provider_of(self.item.action_type_id)

    def before(self, later: "PlacedAction") -> bool:
        """Say whether it ends before the other one starts."""
        return (self.stage, self.item.run_order) < (later.stage, later.item.run_order)


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """One rule, its path, and the number of its stage."""

    path: Path
    stage: int
    item: RuleDeclaration

    @property
    def provider(self) -> Provider | None:
        """What we know of its provider; None where we do not run it."""
        return provider_of(self.item.rule_type_id)


Placed = PlacedAction | PlacedRule


def actions(declaration: PipelineDeclaration) -> list[PlacedAction]:
    """Answer every action, in the order in which they are written."""
    return [
        PlacedAction(("stages", number, "actions", i), number, action)
        for number, stage in enumerate(declaration.stages)
        for i, action in enumerate(stage.actions)
    ]


def conditions(stage: StageDeclaration) -> Iterator[tuple[str, int, Condition]]:
    """Answer every condition of a stage with the word it stands under, and its number there."""
    groups = {
        "beforeEntry": stage.before_entry,
        "onSuccess": stage.on_success,
        "onFailure": stage.on_failure,
    }
    for word, group in groups.items():
        for number, condition in enumerate(group.conditions if group else ()):
            yield word, number, condition


def everything(declaration: PipelineDeclaration) -> list[Placed]:
    """Answer every action, then every rule."""
    return [*actions(declaration), *rules(declaration)]


def rules(declaration: PipelineDeclaration) -> list[PlacedRule]:
    """Answer every rule of every condition."""
    return [
        PlacedRule(("stages", number, word, "conditions", i, "rules", j), number, rule)
        for number, stage in enumerate(declaration.stages)
        for word, i, condition in conditions(stage)
        for j, rule in enumerate(condition.rules)
    ]
