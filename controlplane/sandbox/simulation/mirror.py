"""What the invariants know: every row's last state, and what one step showed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from controlplane.sandbox.simulation.witness import Due, Move, Told
from controlplane.states import ExecutionStatus, StageStatus, is_over

INSIDE = frozenset({StageStatus.IN_PROGRESS, StageStatus.BAKING, StageStatus.STOPPING})


class Call(NamedTuple):
    """A deployment that the simulated CodeDeploy began for Towpath, and what was on record then.

    digest: of the revision. about: the execution's digest. passed: whether it had passed the stage
    before. twin: a deployment was begun under this token before. known: the token is on record. over: its
    execution was over already.
    """

    deployment: str
    token: str
    digest: str
    known: bool
    status: str
    kind: str
    about: str
    passed: bool
    twin: bool
    execution: str = ""
    stage: str = ""
    over: bool = False


class Bake(NamedTuple):
    """A rule of a stage that succeeded: its verdict, when its bake could end, the last good answer."""

    stage: str
    rule: str
    verdict: str
    until: float
    answered_well: float
    ended: float


@dataclass(slots=True)
class Mirror:
    """The rows as their moves tell them."""

    executions: dict[str, Move] = field(default_factory=dict)
    stages: dict[str, Move] = field(default_factory=dict)
    actions: dict[str, Move] = field(default_factory=dict)
    open: dict[str, Move] = field(default_factory=dict)
    """Executions that are not over."""
    inside: dict[str, Move] = field(default_factory=dict)
    """Stage executions that are in their stage."""
    waits: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Rows of rollback's lane that were due and not claimed: (fence, for how many rounds)."""

    def apply(self, move: Move) -> None:
        """Take a move over."""
        if move.kind == "execution":
            self.executions[move.row] = move
            _keep(self.open, move, not is_over(ExecutionStatus(move.new)))
        elif move.kind == "stage":
            self.stages[move.row] = move
            _keep(self.inside, move, move.new in INSIDE)
        else:
            self.actions[move.row] = move


def _keep(among: dict[str, Move], move: Move, belongs: bool) -> None:  # noqa: FBT001 - it is the point
    if belongs:
        among[move.row] = move
    else:
        among.pop(move.row, None)


@dataclass(slots=True)
class Seen:
    """What one step showed: moves and events since the last, and how things stand after it.

    wanted: how many outbox rows an event must have led to. served: a replica that lives, with a right
    clock, had time to claim all that is due. lost: what the product logged as lost.
    """

    mirror: Mirror
    modes: Mapping[str, str]
    wanted: Callable[[Told], int]
    now: float = 0.0
    moves: list[Move] = field(default_factory=list)
    events: list[Told] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    bakes: list[Bake] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    served: bool = False
