"""Here the loop closes: a stage that ended badly becomes a decision, and maybe a new execution.

A rollback is an ordinary execution of type ROLLBACK with a stage of its own: stop what is in flight,
restore the last known good, verify. It goes where our ledger says, so a pipeline edit never removes
the way back. Everything is written in the transaction in which the stage ended.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from controlplane import ledger as pure_ledger
from controlplane.declarations.model import (
    ActionDeclaration,
    ActionTypeId,
    Result,
    StageDeclaration,
)
from controlplane.ledger import Fared
from controlplane.store import ledger
from rollback.decide import decide
from rollback.models import (
    ROLLS_BACK,
    Act,
    Cause,
    CauseKind,
    Decision,
    Good,
    Placement,
    Policy,
)
from rollback.plan import Step, StepKind, plan

WAY_BACK: Mapping[str, tuple[str, str]] = {
    "CodeDeploy": ("CodeDeployStop", "CodeDeployRestore"),
    "CodeDeployRestore": ("CodeDeployStop", "CodeDeployRestore"),
}
"""Provider of a deploy action -> who stops it, who restores."""

VERIFIERS = frozenset({"HttpJourney"})
"""Checks of the stage that are run again after a rollback: quick, and about what users see."""

VERIFY_MINUTES = 15
REMEDY_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Failure:
    """A stage that ended badly: which rows, and why. action_ids: the stage's ordinary actions."""

    execution: Any
    stage_name: str
    declared: StageDeclaration
    cause: Cause
    action_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Response:
    """What was decided. stage: what the ROLLBACK execution runs; None where there is none."""

    decision: Decision
    stage: StageDeclaration | None = None
    quarantined: bool = False
    held: bool = False


def policy_of(stage: StageDeclaration) -> Policy:
    """Which causes roll this stage back: onFailure for actions, onSuccess's conditions for signals."""
    on: set[CauseKind] = {CauseKind.REQUESTED}
    if stage.on_failure and stage.on_failure.result is Result.ROLLBACK:
        on |= {CauseKind.FAILED_DEPLOY, CauseKind.FAILED_CHECK}
    conditions = stage.on_success.conditions if stage.on_success else ()
    if any(condition.result is Result.ROLLBACK for condition in conditions):
        on.add(CauseKind.BAD_SIGNAL)
    return Policy(frozenset(on))


def respond(connection: Connection, failure: Failure, now: float) -> Response:
    """Decide what follows, and write what does not need an execution: quarantine, hold, ledger."""
    entries = ledger.of_stage(connection, failure.action_ids)
    drill = failure.execution.type == "DRILL"  # the release is good: nothing is held against it
    if not drill:
        ledger.fared(connection, failure.action_ids, Fared.BAD, now)
    rolling_back = failure.execution.type == "ROLLBACK"
    if not entries and not rolling_back:
        return Response(Decision(Act.NOTHING, "nothing had been deployed yet"))
    wanted = rolling_back or failure.cause.kind in policy_of(failure.declared).on
    quarantined = (
        wanted and not rolling_back and not drill and _quarantine(connection, failure, now)
    )
    placements = _placements(connection, failure, entries)
    decision = decide(
        policy_of(failure.declared), failure.cause, placements, rolling_back=rolling_back
    )
    held = (
        decision.act is not Act.NOTHING and not drill and _hold(connection, failure, decision, now)
    )
    stage = None
    if decision.act in ROLLS_BACK:
        stage = rollback_stage(failure.declared, plan(placements))
        stage = restoring_anyway(stage) if drill else stage
    return Response(decision, stage, quarantined=quarantined, held=held)


def _quarantine(connection: Connection, failure: Failure, now: float) -> bool:
    if not failure.execution.digest:
        return False
    return ledger.put_in_quarantine(
        connection,
        {
            "digest": failure.execution.digest,
            "pipeline": failure.execution.pipeline,
            "execution_id": failure.execution.id,
            "reason": f"{failure.stage_name}: {failure.cause.reason}",
            "at": now,
            "lifted_by": "",
            "lift_reason": "",
        },
    )


def _hold(connection: Connection, failure: Failure, decision: Decision, now: float) -> bool:
    return ledger.disable_transition(
        connection,
        {
            "pipeline": failure.execution.pipeline,
            "stage": failure.stage_name,
            "reason": f"held: {decision.reason}",
            "disabled_by": "towpath",
            "disabled_at": now,
        },
    )


def _placements(
    connection: Connection, failure: Failure, entries: Sequence[Any]
) -> list[Placement]:
    """The deployments that were begun, oldest first, each with the way back of its target."""
    declared = {action.name: action for action in failure.declared.actions}
    found = []
    for entry in entries:
        action = declared[entry.action]
        known = ledger.entries(connection, entry.target, status=Fared.GOOD)
        bad = ledger.quarantined(connection, {one.digest for one in known})
        good = pure_ledger.last_known_good(known, bad)
        found.append(
            Placement(
                action=action.name,
                provider=action.action_type_id.provider,
                target=entry.target,
                region=action.region or "",
                token=entry.token,
                handle=entry.handle,
                configuration=action.configuration,
                good=_good(good.artifact) if good else None,
                ended=entry.status != Fared.DEPLOYING,
            )
        )
    return found


def _good(artifact: str) -> Good:
    document = json.loads(artifact)
    return Good(document["digest"], document["location"], document.get("version", ""))


def rollback_stage(stage: StageDeclaration, steps: Sequence[Step]) -> StageDeclaration:
    """The stage that a ROLLBACK execution runs, in the words of any other stage."""
    actions: list[ActionDeclaration] = []
    for step in steps:
        if step.kind is StepKind.VERIFY:
            actions.extend(_verifications(stage, step.run_order))
        elif step.placement is not None:
            actions.append(_remedy(step, step.placement))
    return StageDeclaration(name=stage.name, actions=tuple(actions))


def restoring_anyway(stage: StageDeclaration) -> StageDeclaration:
    """A drill times the redeployment, though what is to be restored is served already."""
    restorers = {restorer for _, restorer in WAY_BACK.values()}
    actions = [
        action.model_copy(
            update={"configuration": {**action.configuration, "EvenIfServed": "true"}}
        )
        if action.action_type_id.provider in restorers
        else action
        for action in stage.actions
    ]
    return stage.model_copy(update={"actions": tuple(actions)})


def only_stopped(stage: StageDeclaration) -> list[ActionDeclaration]:
    """The stops of a ROLLBACK execution's stage on whose target nothing is restored."""
    stoppers, restorers = zip(*WAY_BACK.values(), strict=True)
    restored = {_target(one) for one in stage.actions if one.action_type_id.provider in restorers}
    stops = [one for one in stage.actions if one.action_type_id.provider in stoppers]
    return [one for one in stops if _target(one) not in restored]


def _target(remedy: ActionDeclaration) -> str:
    """Where a remedy acts: whether it stops or restores, it is the same target."""
    return pure_ledger.target_of("CodeDeployRestore", remedy.region or "", remedy.configuration)


def _remedy(step: Step, placement: Placement) -> ActionDeclaration:
    stopper, restorer = WAY_BACK[placement.provider]
    stops = step.kind is StepKind.STOP
    extra: dict[str, str] = {}
    if stops:
        extra = {"DeploymentToken": placement.token, "DeploymentId": placement.handle}
    elif placement.good is not None:
        extra = {
            "RevisionLocation": placement.good.location,
            "RevisionVersion": placement.good.version,
            "RevisionDigest": placement.good.digest,
        }
    return ActionDeclaration(
        name=f"{'Stop' if stops else 'Restore'}-{placement.action}"[:100],
        action_type_id=ActionTypeId(
            category="Deploy", owner="Custom", provider=stopper if stops else restorer
        ),
        run_order=step.run_order,
        configuration={**placement.configuration, **extra},
        region=placement.region or None,
        timeout_in_minutes=REMEDY_MINUTES,
    )


def _verifications(stage: StageDeclaration, run_order: int) -> list[ActionDeclaration]:
    checks = [
        action.model_copy(update={"name": f"Verify-{action.name}"[:100], "run_order": run_order})
        for action in stage.actions
        if action.action_type_id.provider in VERIFIERS
    ]
    recovered = [
        ActionDeclaration(
            name=f"Recovered-{rule.name}"[:100],
            action_type_id=ActionTypeId(
                category="Test", owner="Custom", provider=f"{rule.rule_type_id.provider}Recovered"
            ),
            run_order=run_order,
            configuration=rule.configuration,
            region=rule.region,
            timeout_in_minutes=VERIFY_MINUTES,
        )
        for rule in stage.rules()
    ]
    return [*checks, *recovered]
