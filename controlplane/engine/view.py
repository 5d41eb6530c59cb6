"""What `decide` sees: one stage execution, its actions and rules, and what was declared. No database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from controlplane.declarations.model import (
    ActionDeclaration,
    Result,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.engine.terms import terms
from controlplane.states import ActionStatus, StageStatus
from rollback.models import Cause


class ActionView(Protocol):
    """An action or rule row, as far as deciding needs it: rows as the store brings them will do."""

    id: int
    name: str
    kind: str  # "action", "rule", "watch", "gate", "failure", "proof" or "abandoned"
    run_order: int
    attempt: int
    status: str
    verdict: str
    verdict_at: float | None
    ended_at: float | None
    verdict_since: float | None
    power: float | None
    summary: str


class StageView(NamedTuple):
    """A stage execution row and its actions, with what its execution was asked to do.

    way_back: it is the stage of a rollback.
    """

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
    noted: str = ""
    judged: str = ""
    extended_until: float | None = None
    asked_at: float | None = None
    watch: str = ""
    ended_at: float | None = None
    perseveres: bool = False  # a rollback does: one target that is lost keeps no other
    retries: int = 0  # how often it was tried again by itself
    no_retry: str = ""  # what our rows say against another try
    bake_until: float | None = None  # a person has it bake, or be watched, until then at least


@dataclass(frozen=True, slots=True)
class ActionMove:
    """Move one action row; its claim, if any, is fenced off."""

    id: int
    kind: str
    name: str
    old: ActionStatus
    new: ActionStatus
    summary: str = ""


class Said(NamedTuple):
    """Something that becomes an event; page: a person is called besides."""

    kind: str
    text: str
    page: bool = False


@dataclass(slots=True)
class Moves:
    """What `decide` wants: everything here is applied in one transaction, or nothing is.

    create: declared actions and rules whose rows are due now. ask: rules that are asked once ("failure" or
    "proof").
    hurry: starts between two tries; they are given up now, not when they would be tried again.
    stage: the stage's new status; result: what follows where an action failed. mark: what else is new of
    the stage, by its column: why it is held, until when it is extended. says: what is told of that.
    """

    stage_id: str
    create: list[ActionDeclaration | RuleDeclaration] = field(default_factory=list)
    ask: list[tuple[str, RuleDeclaration]] = field(default_factory=list)
    actions: list[ActionMove] = field(default_factory=list)
    hurry: list[int] = field(default_factory=list)
    stage: StageStatus | None = None
    result: Result | None = None
    deploying: bool = False
    cause: Cause | None = None
    mark: dict[str, Any] = field(default_factory=dict)
    says: list[Said] = field(default_factory=list)


DEPLOYERS = frozenset(
    {
        "CodeDeploy",
        "CodeDeployRestore",
        "CloudFormation",
        "CloudFormationRestore",
        "ECS",
        "ECSRestore",
        "ElasticBeanstalk",
        "ElasticBeanstalkRestore",
    }
)
"""Providers whose start puts something on a target: from then on the rules watch."""


def deploys(declared: ActionDeclaration) -> bool:
    """True where the action puts something on a target."""
    return declared.action_type_id.provider in DEPLOYERS


def bake_seconds(rule: RuleDeclaration) -> float:
    """How long a rule must watch after the last action, in seconds."""
    return terms(rule).time
