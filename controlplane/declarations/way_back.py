"""What a stage says of the way back of its deployments, as the deciding room takes it."""

from controlplane.declarations.durations import parse_duration
from controlplane.declarations.model import ActionDeclaration, StageDeclaration
from rollback.models import Breaker


def is_one_way(action: ActionDeclaration) -> bool:
    """True where what an action deploys is not rolled back by itself: anything but a plain "true"."""
    return action.configuration.get("RollbackSafe", "true") != "true"


def breaker_of(stage: StageDeclaration) -> Breaker:
    """The circuit breaker of a stage: the strictest of what its deployments say."""
    said = [action.configuration for action in stage.actions]
    most = [int(one["MaxRollbacks"]) for one in said if "MaxRollbacks" in one]
    window = [parse_duration(one["RollbackWindow"]) for one in said if "RollbackWindow" in one]
    usual = Breaker()
    return Breaker(min(most, default=usual.most), max(window, default=usual.window))
