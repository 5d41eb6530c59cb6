"""A rollback does what it can: a target that is lost keeps no other on the bad release. Pure."""

from collections.abc import Mapping

from controlplane.declarations.model import ActionDeclaration
from controlplane.engine.view import ActionView, StageView
from controlplane.feedback import pointless
from controlplane.states import ActionStatus as A

OPEN = frozenset({A.READY, A.STARTING, A.IN_PROGRESS})


def worth_doing(view: StageView, by_name: Mapping[str, ActionView]) -> list[ActionDeclaration]:
    """The steps that have not begun and that what failed has not made pointless."""
    failed = {action.name for action in by_name.values() if action.status == A.FAILED}
    vain = pointless(view.declared, failed) if view.perseveres and failed else frozenset()
    return [a for a in view.declared.actions if a.name not in by_name and a.name not in vain]


def goes_on(view: StageView, by_name: Mapping[str, ActionView]) -> bool:
    """Say whether a stage in which something failed has work left: only a rollback does."""
    if not view.perseveres or view.stop:
        return False
    under_way = any(action.status in OPEN for action in by_name.values())
    return under_way or bool(worth_doing(view, by_name))
