"""One-way doors: a stage whose deployment is not rolled back by itself asks a person before it begins.

A stage says so of all releases (`rollbackSafe: false`), or whoever starts a release says so of all stages.

The approval is no part of what was declared, so it stands in no spelling of the pipeline and cannot be
left out by an edit that keeps `rollbackSafe: false`.
"""

import json
from collections.abc import Sequence
from typing import Any

from controlplane.declarations.model import ActionDeclaration, ActionTypeId, StageDeclaration
from controlplane.declarations.way_back import is_one_way
from controlplane.engine.view import deploys

NAME = "OneWayDoor"
WHY = (
    "{stage} is a one-way door (rollbackSafe: false, for the stage or for this release): what goes in "
    "is not rolled back by itself. "
    "A bad verdict holds the pipeline and pages. Is the way forward clear where it goes wrong?"
)


def is_one_way_release(execution: Any) -> bool:
    """True where whoever started the execution said that it cannot be rolled back."""
    # Asked for every action that is due: almost no trigger needs to be parsed for it.
    said = "oneWay" in execution.trigger and json.loads(execution.trigger).get("oneWay")
    return bool(said)


def guarded(
    stages: Sequence[StageDeclaration], *, every: bool = False
) -> tuple[StageDeclaration, ...]:
    """Put an approval before the first deployment of each stage that is a one-way door.

    every: of this release all are.
    """
    return tuple(_guarded(_closed(stage) if every else stage) for stage in stages)


def _closed(stage: StageDeclaration) -> StageDeclaration:
    closed = (
        action.model_copy(
            update={"configuration": {**action.configuration, "RollbackSafe": "false"}}
        )
        if deploys(action)
        else action
        for action in stage.actions
    )
    return _with(stage, tuple(closed))


def _guarded(stage: StageDeclaration) -> StageDeclaration:
    doors = [action.run_order for action in stage.actions if is_one_way(action)]
    if not doors:
        return stage
    first = min(doors)
    later = [_after(action) for action in stage.actions if action.run_order >= first]
    before = [action for action in stage.actions if action.run_order < first]
    return _with(stage, (*before, _approval(stage, first), *later))


def _with(stage: StageDeclaration, actions: tuple[ActionDeclaration, ...]) -> StageDeclaration:
    """The stage with other actions; not a copy, which would keep the run orders of the old ones."""
    fields = {name: getattr(stage, name) for name in StageDeclaration.model_fields}
    return StageDeclaration(**{**fields, "actions": actions})


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
