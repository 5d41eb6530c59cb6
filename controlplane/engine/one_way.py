"""One-way doors: a stage whose deployment is not rolled back by itself asks a person before it begins.

The approval is no part of what was declared, so it stands in no spelling of the pipeline and cannot be
left out by an edit that keeps `rollbackSafe: false`.
"""

from collections.abc import Sequence

from controlplane.declarations.model import ActionDeclaration, ActionTypeId, StageDeclaration
from controlplane.declarations.way_back import is_one_way

NAME = "OneWayDoor"
WHY = (
    "{stage} is a one-way door (rollbackSafe: false): what goes in is not rolled back by itself. "
    "A bad verdict holds the pipeline and pages. Is the way forward clear where it goes wrong?"
)


def guarded(stages: Sequence[StageDeclaration]) -> tuple[StageDeclaration, ...]:
    """Put an approval before the first deployment of each stage that is a one-way door."""
    return tuple(_guarded(stage) for stage in stages)


def _guarded(stage: StageDeclaration) -> StageDeclaration:
    doors = [action.run_order for action in stage.actions if is_one_way(action)]
    if not doors:
        return stage
    first = min(doors)
    later = [_after(action) for action in stage.actions if action.run_order >= first]
    before = [action for action in stage.actions if action.run_order < first]
    fields = {name: getattr(stage, name) for name in StageDeclaration.model_fields}
    return StageDeclaration(**{**fields, "actions": (*before, _approval(stage, first), *later)})


def _after(action: ActionDeclaration) -> ActionDeclaration:
    return action.model_copy(update={"run_order": action.run_order + 1})


def _approval(stage: StageDeclaration, run_order: int) -> ActionDeclaration:
    taken = {action.name for action in stage.actions}
    names = (f"{NAME}{n or ''}" for n in range(len(taken) + 1))
    return ActionDeclaration(
        name=next(name for name in names if name not in taken),
        action_type_id=ActionTypeId(category="Approval", owner="AWS", provider="Manual"),
        run_order=run_order,
        configuration={"CustomData": WHY.format(stage=stage.name)},
    )
