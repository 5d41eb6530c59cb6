"""What a drill of a stage runs, or why the stage cannot be drilled. Pure.

The good release that stands there goes through the stage once more: its deployments, the quick checks, and
the rules, which bake until the alarm is noticed. Nothing is brought in, and no source is asked.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controlplane.declarations.model import (
    ActionDeclaration,
    ArtifactName,
    OnSuccess,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.engine.view import deploys
from controlplane.feedback import VERIFIERS, policy_of
from controlplane.ledger import Entry
from rollback.models import CauseKind

BAKE = "15m"
"""Longer than an alarm is waited for to be noticed: the release must not go through meanwhile."""


class UnfitError(Exception):
    """The stage cannot be drilled; the message is a sentence with the mend."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is on a target now, and its last known good; None where nothing is known."""

    target: str
    newest: Entry | None
    good: Entry | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: a stage, and the artifacts that its deployments take, by their names."""

    stage: StageDeclaration
    digest: str
    artifacts: Sequence[Mapping[str, str]]
    alarm: RuleDeclaration


def plan(
    stage: StageDeclaration,
    standing: Mapping[str, Standing],
    origins: Mapping[str, str] | None = None,
) -> Plan:
    """The drill of a stage; standing: by the name of each action that deploys. UnfitError with the mend.

    origins: what each artifact is a copy of (engine.subject); targets of one must serve the same.
    """
    deployments = [action for action in stage.actions if deploys(action)]
    if not deployments:
        raise UnfitError(f"{stage.name} deploys nothing, so there is nothing to roll back")
    if CauseKind.BAD_SIGNAL not in policy_of(stage).on:
        raise UnfitError(
            f"{stage.name} declares no rollback for a bad signal, so a drill would end at its alarm: "
            "leave onFail of its bake at ROLLBACK"
        )
    if policy_of(stage).one_way:
        raise UnfitError(
            f"{stage.name} is a one-way door (RollbackSafe false), so no alarm rolls it back by itself: "
            "there is no way back to try"
        )
    alarm = _alarm(stage)
    goods = {action.name: _good(stage, standing[action.name]) for action in deployments}
    served = {(_origin(one, origins or {}), goods[one.name].digest) for one in deployments}
    if len(served) > len({origin for origin, _ in served}):
        raise UnfitError(f"the targets of {stage.name} serve different releases: release one first")
    artifacts = [
        {**json.loads(goods[action.name].artifact), "name": _input(number)}
        for number, action in enumerate(deployments)
    ]
    digest = next(iter(goods.values())).digest
    return Plan(_stage(stage, deployments), digest, artifacts, alarm)


def _origin(action: ActionDeclaration, origins: Mapping[str, str]) -> str:
    name = action.input_artifacts[0].name if action.input_artifacts else ""
    return origins.get(name, "")


def _alarm(stage: StageDeclaration) -> RuleDeclaration:
    alarms = [rule for rule in stage.rules() if rule.rule_type_id.provider == "CloudWatchAlarm"]
    if not alarms:
        raise UnfitError(
            f"{stage.name} watches no CloudWatch alarm, and only an alarm can be set: add one to its bake"
        )
    if "#{" in alarms[0].configuration.get("AlarmName", ""):
        raise UnfitError(
            f"{alarms[0].name} of {stage.name} names its alarm by a variable, which a drill has no value for"
        )
    return alarms[0]


def _good(stage: StageDeclaration, known: Standing) -> Entry:
    if known.good is None or known.newest is None:
        raise UnfitError(f"no release is known to be good on {known.target}: release one first")
    if known.newest.digest != known.good.digest:
        raise UnfitError(
            f"{known.newest.digest} stands on {known.target}, which is not known to be good: "
            f"let a release go through {stage.name} first"
        )
    return known.good


def _input(number: int) -> str:
    return f"Drill-{number}"


def _stage(stage: StageDeclaration, deployments: Sequence[ActionDeclaration]) -> StageDeclaration:
    inputs = {
        action.name: (ArtifactName(name=_input(number)),)
        for number, action in enumerate(deployments)
    }
    kept = [
        action.model_copy(update={"input_artifacts": inputs.get(action.name, ())})
        for action in stage.actions
        if action.name in inputs or action.action_type_id.provider in VERIFIERS
    ]
    conditions = [
        condition.model_copy(update={"rules": tuple(_longer(rule) for rule in condition.signals)})
        for condition in (stage.on_success.conditions if stage.on_success else ())
    ]
    return StageDeclaration(
        name=stage.name,
        actions=tuple(kept),
        on_success=OnSuccess(conditions=tuple(conditions)),
        on_failure=stage.on_failure,
    )


def _longer(rule: RuleDeclaration) -> RuleDeclaration:
    return rule.model_copy(update={"configuration": {**rule.configuration, "BakeTime": BAKE}})
