"""What `decide` sees: one stage execution, its actions and rules, and what was declared. No database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from controlplane.declarations.durations import parse_duration
from controlplane.declarations.model import ActionDeclaration, RuleDeclaration, StageDeclaration
from controlplane.states import ActionStatus, StageStatus
from monitors.base import Verdict
from rollback.models import Cause


class ActionView(Protocol):
    """An action or rule row, as far as deciding needs it: rows as the store brings them will do."""

    id: int
    name: str
    kind: str  # "action", "rule" or "gate"
    run_order: int
    attempt: int
    status: str
    verdict: str
    verdict_at: float | None
    summary: str


class StageView(NamedTuple):
    """A stage execution row and its actions, with what its execution was asked to do."""

    id: str
    execution_id: str
    status: StageStatus
    stop: str  # "" | "wait" | "abandon"
    since: float | None
    baking_since: float | None
    held: str
    declared: StageDeclaration
    actions: Sequence[ActionView]
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ActionMove:
    """Move one action row; its claim, if any, is fenced off."""

    id: int
    kind: str
    name: str
    old: ActionStatus
    new: ActionStatus
    summary: str = ""


@dataclass(slots=True)
class Moves:
    """What `decide` wants: everything here is applied in one transaction, or nothing is.

    create: declared actions and rules whose rows are due now.
    hurry: starts between two tries; they are given up now, not when they would be tried again.
    stage: the stage's new status. held: a new reason why the bake cannot end (None: unchanged).
    """

    stage_id: str
    create: list[ActionDeclaration | RuleDeclaration] = field(default_factory=list)
    actions: list[ActionMove] = field(default_factory=list)
    hurry: list[int] = field(default_factory=list)
    stage: StageStatus | None = None
    deploying: bool = False
    cause: Cause | None = None
    held: str | None = None
    held_verdict: Verdict | None = None


DEPLOYERS = frozenset({"CodeDeploy", "CodeDeployRestore"})
"""Providers whose start puts something on a target: from then on the rules watch."""


def deploys(declared: ActionDeclaration) -> bool:
    """True where the action puts something on a target."""
    return declared.action_type_id.provider in DEPLOYERS


def bake_seconds(rule: RuleDeclaration) -> float:
    """How long a rule must watch after the last action, in seconds."""
    return parse_duration(rule.configuration.get("BakeTime", "5m")).total_seconds()
