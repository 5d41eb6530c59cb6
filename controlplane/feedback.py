"""Here the loop closes: a stage that ended badly becomes a decision, and maybe a new execution.

A rollback is an ordinary execution of type ROLLBACK with a stage of its own: stop what is in flight,
restore the last known good, verify. It goes where our ledger says, so a pipeline edit never removes
the way back. Everything is written in the transaction in which the stage ended.
"""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from controlplane import ledger as pure_ledger
from controlplane.declarations.model import (
    ActionDeclaration,
    ActionTypeId,
    Result,
    StageDeclaration,
)
from controlplane.declarations.wave_keys import MAX_IN_FLIGHT, TARGET, WAVE, target_of
from controlplane.declarations.way_back import breaker_of, is_one_way
from controlplane.ledger import Entry, Fared
from controlplane.store import executions, ledger
from rollback.decide import BY_ITSELF, decide, to_blame
from rollback.models import (
    ROLLS_BACK,
    Act,
    Breaker,
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
    "CloudFormation": ("CloudFormationStop", "CloudFormationRestore"),
    "CloudFormationRestore": ("CloudFormationStop", "CloudFormationRestore"),
    "ECS": ("ECSStop", "ECSRestore"),
    "ECSRestore": ("ECSStop", "ECSRestore"),
    "ElasticBeanstalk": ("ElasticBeanstalkStop", "ElasticBeanstalkRestore"),
    "ElasticBeanstalkRestore": ("ElasticBeanstalkStop", "ElasticBeanstalkRestore"),
}
"""Provider of a deploy action -> who stops it, who restores."""

VERIFIERS = frozenset({"HttpJourney"})
"""Checks of the stage that are run again after a rollback: quick, and about what users see."""

MOST_COPIES = 50
"""In quarantine and of one target: what a vendor could remember is among the newest."""
VERIFY_MINUTES = 15
REMEDY_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Failure:
    """A stage that ended badly: which rows, and why. action_ids: its last attempt's ordinary actions.

    result: what was decided to follow a failed action; None where nothing but the declaration says.
    to: the execution that a person named to go back to; "" for the last known good.
    """

    execution: Any
    stage_name: str
    declared: StageDeclaration
    cause: Cause
    action_ids: Sequence[int]
    result: Result | None = None
    to: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """What was decided. stage: what the ROLLBACK execution runs; None where there is none.

    quarantined: the digests that go nowhere from now on.
    """

    decision: Decision
    stage: StageDeclaration | None = None
    quarantined: tuple[str, ...] = ()
    held: bool = False


def policy_of(
    stage: StageDeclaration, *, cause: Cause | None = None, result: Result | None = None
) -> Policy:
    """Which causes roll this stage back: onFailure for actions, onSuccess's conditions for signals.

    cause: the one that is asked about; of a signal, it is its own condition that counts. result: what
    follows a failed action, where that was decided: onFailure may have conditions, and may try again.
    """
    on: set[CauseKind] = {CauseKind.REQUESTED}
    if (result or _without_asking(stage)) is Result.ROLLBACK:
        on |= {CauseKind.FAILED_DEPLOY, CauseKind.FAILED_CHECK}
    conditions = stage.on_success.conditions if stage.on_success else ()
    if cause is not None and cause.kind is CauseKind.BAD_SIGNAL:
        conditions = tuple(c for c in conditions if cause.by in [rule.name for rule in c.rules])
    if any(condition.result is Result.ROLLBACK for condition in conditions):
        on.add(CauseKind.BAD_SIGNAL)
    one_way = any(is_one_way(action) for action in stage.actions)
    return Policy(frozenset(on), one_way, breaker_of(stage))


def _without_asking(stage: StageDeclaration) -> Result | None:
    """What follows a failed action wherever no condition has a say in it."""
    failure = stage.on_failure
    return None if failure is None or failure.conditions else failure.result


def goes_back(stage: StageDeclaration, cause: Cause, result: Result | None = None) -> bool:
    """True where a stage that ends so is rolled back, so that what is in flight will be stopped."""
    policy = policy_of(stage, cause=cause, result=result)
    by_person = cause.kind is CauseKind.REQUESTED
    return cause.kind in policy.on and (by_person or not policy.one_way)


def respond(connection: Connection, failure: Failure, now: float) -> Response:
    """Decide what follows, and write what does not need an execution: quarantine, hold, ledger."""
    tried = (failure.execution.id, failure.stage_name, failure.action_ids)
    entries = ledger.of_tries(connection, *tried)
    drill = failure.execution.type == "DRILL"  # the release is good: nothing is held against it
    rolling_back = failure.execution.type == "ROLLBACK"
    back = {one.action_id for one in entries if rolling_back and one.status == Fared.DEPLOYED}
    if not drill:
        bad = [one for one in failure.action_ids if one not in back]
        ledger.fared(connection, bad, Fared.BAD, now)
    if not entries and not rolling_back:
        return Response(Decision(Act.NOTHING, "nothing had been deployed yet"))
    policy = policy_of(failure.declared, cause=failure.cause, result=failure.result)
    wanted = failure.cause.kind in policy.on or (policy.one_way and failure.cause.kind in BY_ITSELF)
    overtaken = _overtaken(connection, failure, entries)
    to_quarantine = (
        wanted
        and not rolling_back
        and not drill
        and to_blame(failure.cause, list(overtaken.values()))
    )
    quarantined = _quarantine(connection, failure, entries, now) if to_quarantine else ()
    placements = _placements(connection, failure, entries, overtaken)
    decision = decide(
        policy,
        failure.cause,
        placements,
        rolling_back=rolling_back,
        earlier=0 if drill else _earlier(connection, failure, policy.breaker, now),
    )
    held = (
        decision.act is not Act.NOTHING and not drill and _hold(connection, failure, decision, now)
    )
    stage = None
    if decision.act in ROLLS_BACK:
        stage = rollback_stage(failure.declared, plan(placements))
        stage = restoring_anyway(stage) if drill else stage
    return Response(decision, stage, quarantined=quarantined, held=held)


def _quarantine(
    connection: Connection, failure: Failure, entries: Sequence[Any], now: float
) -> tuple[str, ...]:
    """What is to blame goes nowhere; answers what was not held before."""
    row = {
        "pipeline": failure.execution.pipeline,
        "execution_id": failure.execution.id,
        "reason": f"{failure.stage_name}: {failure.cause.reason}",
        "at": now,
        "lifted_by": "",
        "lift_reason": "",
    }
    return tuple(
        digest
        for digest in _suspects(connection, failure, entries)
        if ledger.put_in_quarantine(connection, {"digest": digest, **row})
    )


def _suspects(connection: Connection, failure: Failure, entries: Sequence[Any]) -> list[str]:
    """Of several artifacts those that may be the cause: what the failed action deployed, or else what is new.

    What stood on its target before and was good there is to blame only where all of them were.
    """
    own = [one for one in entries if one.action == failure.cause.by]
    found = list(dict.fromkeys(one.digest for one in own or entries))
    if len(found) > 1:
        known = {one.digest for one in entries if _was_good(connection, one)}
        found = [digest for digest in found if digest not in known] or found
    return [digest for digest in found if digest]


def _was_good(connection: Connection, entry: Any) -> bool:
    before = ledger.entries(connection, entry.target, status=Fared.GOOD)
    return any(one.digest == entry.digest and one.id < entry.id for one in before)


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


def _overtaken(connection: Connection, failure: Failure, entries: Sequence[Any]) -> dict[int, str]:
    """By entry: the execution that put something else on its target since, "" where none did.

    Where a person asks, it is for the restore to see what stands there.
    """
    if failure.cause.kind is CauseKind.REQUESTED:
        return {entry.id: "" for entry in entries}
    return {entry.id: ledger.overtaken_by(connection, entry) for entry in entries}


def _earlier(connection: Connection, failure: Failure, breaker: Breaker, now: float) -> int:
    """How many other releases of the pipeline were rolled back in this stage of late."""
    where = (failure.execution.pipeline, failure.stage_name)
    since = now - breaker.window.total_seconds()
    return executions.rolled_back(connection, *where, since, but=failure.execution.id)


def _placements(
    connection: Connection,
    failure: Failure,
    entries: Sequence[Any],
    overtaken: Mapping[int, str],
) -> list[Placement]:
    """The deployments that were begun, oldest first, each with the way back of its target."""
    declared = {action.name: action for action in failure.declared.actions}
    found = []
    for entry in entries:
        action = declared[entry.action]
        newest = ledger.entries(connection, entry.target)
        known = ledger.entries(connection, entry.target, status=Fared.GOOD)
        bad = ledger.quarantined(connection, {one.digest for one in (*newest, *known)})
        good = pure_ledger.last_known_good(known, bad)
        if failure.to:
            good = _named(connection, entry.target, failure.to)
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
                overtaken=overtaken[entry.id],
                quarantined=_copies(newest, bad),
                wave=action.configuration.get(WAVE, ""),
                since=_began(entry.execution_id),
            )
        )
    return found


def _began(execution_id: str) -> str:
    """When an execution began, which its id says (RFC 9562); "" where it is no such id."""
    try:
        milliseconds = uuid.UUID(execution_id).int >> 80
    except ValueError:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


def _named(connection: Connection, target: str, execution_id: str) -> Entry | None:
    """What a person named, unless it went into quarantine since."""
    found = ledger.placed_by(connection, target, execution_id)
    gone = found is None or ledger.quarantined(connection, {found.digest})
    return None if gone else found


def _copies(known: Sequence[Entry], quarantined: Collection[str]) -> tuple[Good, ...]:
    """The copies of what is in quarantine, the newest first, each once."""
    found = dict.fromkeys(one.artifact for one in known if one.digest in quarantined)
    return tuple(_good(artifact) for artifact in list(found)[:MOST_COPIES])


def _good(artifact: str) -> Good:
    document = json.loads(artifact)
    return Good(document["digest"], document["location"], document.get("version", ""))


def rollback_stage(stage: StageDeclaration, steps: Sequence[Step]) -> StageDeclaration:
    """The stage that a ROLLBACK execution runs, in the words of any other stage."""
    actions: list[ActionDeclaration] = []
    for step in steps:
        if step.kind is StepKind.VERIFY:
            placed = {target for target in map(_wave_target, steps) if target}
            actions.extend(_verifications(stage, placed, step.run_order))
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


def pointless(stage: StageDeclaration, failed: Collection[str]) -> frozenset[str]:
    """What a ROLLBACK execution need not try after these of its steps failed.

    Where the stop failed something is under way, which a restore would wait for; and a stage of which
    a part is not back is not verified.
    """
    stoppers, restorers = map(frozenset, zip(*WAY_BACK.values(), strict=True))
    providers = {one.name: one.action_type_id.provider for one in stage.actions}
    stuck = {
        _target(one)
        for one in stage.actions
        if one.name in failed and providers[one.name] in stoppers
    }
    return frozenset(
        one.name
        for one in stage.actions
        if (providers[one.name] in restorers and _target(one) in stuck)
        or providers[one.name] not in stoppers | restorers
    )


def _target(remedy: ActionDeclaration) -> str:
    """Where a remedy acts: whether it stops or restores, it is the same target."""
    provider = remedy.action_type_id.provider
    return pure_ledger.target_of(provider, remedy.region or "", remedy.configuration)


def _remedy(step: Step, placement: Placement) -> ActionDeclaration:
    stopper, restorer = WAY_BACK[placement.provider]
    stops = step.kind is StepKind.STOP
    extra = {"DeploymentToken": placement.token, "DeploymentId": placement.handle}
    # Everything in flight is stopped at once; what is restored keeps to the bound of its wave.
    given = _unbounded(placement.configuration) if stops else placement.configuration
    if stops:
        if placement.quarantined:
            copies = [[copy.location, copy.version] for copy in placement.quarantined]
            extra["QuarantinedRevisions"] = json.dumps(copies)
        if placement.good is not None and not placement.overtaken:
            extra["RestoredDigest"] = placement.good.digest
    elif placement.good is not None:
        extra |= {
            **({"DeploymentSince": placement.since} if placement.since else {}),
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
        configuration={**given, **extra},
        region=placement.region or None,
        timeout_in_minutes=REMEDY_MINUTES,
    )


def _unbounded(configuration: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in configuration.items() if key != MAX_IN_FLIGHT}


def _wave_target(step: Step) -> str:
    """The target of a stage with waves that a step acts on; "" for every other."""
    return step.placement.configuration.get(TARGET, "") if step.placement else ""


def _verifications(
    stage: StageDeclaration, placed: Collection[str], run_order: int
) -> list[ActionDeclaration]:
    """What looks at the stage, or at those of its targets where something was placed."""
    checks = [
        action.model_copy(
            update={
                "name": f"Verify-{action.name}"[:100],
                "run_order": run_order,
                "configuration": _unbounded(action.configuration),
            }
        )
        for action in stage.actions
        if action.action_type_id.provider in VERIFIERS and target_of(action) in ("", *placed)
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
        if target_of(rule) in ("", *placed)
    ]
    return [*checks, *recovered]
