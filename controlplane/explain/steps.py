"""What happened, in the order of time and in plain words: an event a step, its own sentence first."""

import json
import re
from collections.abc import Mapping
from typing import Any

from controlplane.clock import iso
from controlplane.declarations.model import StageDeclaration
from controlplane.explain.records import Records
from controlplane.explain.rules import consequence, sentence

FIRST, NEWEST = 50, 350
"""Steps that are told of a long execution: how it began, and what came last."""

WORDS: Mapping[str, str] = {
    "execution.started": "{text}",
    "execution.stopping": "a person stops it: {text}",
    "execution.succeeded": "went through",
    "execution.failed": "failed: {text}",
    "execution.stopped": "stopped: {text}",
    "execution.superseded": "{text}",
    "stage.entered": "enters {stage}",
    "stage.cancelled": "turned away from {stage}: {text}",
    "stage.baking": "{stage} is deployed and checked; from here it bakes",
    "stage.held": "{text}",
    "stage.succeeded": "{stage} is well",
    "stage.failed": "{stage} failed, {text}",
    "stage.stopped": "{stage} was stopped, {text}",
    "stage.retried": "{stage} is tried again {text}",
    "stage.noted": "{text}",
    "bake.extended": "{text}",
    "failure.started": "{action} is asked what follows",
    "failure.judged": "{action}: {text}",
    "failure.succeeded": "{action} holds: {text}",
    "failure.failed": "{action} does not hold: {text}",
    "failure.abandoned": "{action} is asked no longer: {text}",
    "action.started": "{action} started: {text}",
    "action.succeeded": "{action} succeeded: {text}",
    "action.failed": "{action} failed: {text}",
    "action.abandoned": "{action} was given up: {text}",
    "abandoned.followed": "{action} was abandoned: {text}",
    "abandoned.succeeded": "{action}, which was abandoned, succeeded: {text}",
    "abandoned.failed": "{action}, which was abandoned, failed: {text}",
    "rule.started": "{action} watches",
    "rule.succeeded": "{action} held until the end of the bake: {text}",
    "rule.abandoned": "{action} watches no longer",
    "approval.needed": "{stage} waits for a person: {text}",
    "approval.answered": "{text}",
    "approval.invalidated": "{text}",
    "approval.refused": "{text}",
    "approval.reminded": "{stage} still waits for a person: {text}",
    "approval.voted": "{text}",
    "rollback.requested": "decided to roll back: {text}",
    "rollback.stopping": "the rollback stops what is in flight: {text}",
    "rollback.redeploying": "the rollback restores: {text}",
    "rollback.verifying": "the rollback is verified: {text}",
    "rollback.done": "the rollback is done: {text}",
    "rollback.failed": "the rollback failed: {text}",
    "digest.quarantined": "quarantined: {text}",
    "transition.disabled": "the way into {stage} is closed, {text}",
    "person.paged": "a person was paged: {text}",
}
"""By the kind of the event; one that is not here tells its kind and its text."""

SAID_ELSEWHERE = frozenset({"approval.decided"})
"""What another step says already."""
OF_A_ROLLBACK = frozenset(
    {"stage.entered", "stage.baking", "stage.succeeded", "execution.succeeded"}
)
"""What a rollback's own steps say better."""


DIGEST = re.compile(r"\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b")
"""In a sentence, enough of a digest to tell it from others."""


def steps(records: Records) -> list[dict[str, Any]]:
    """Every step of an execution and of what rolled it back, in the order of the commits."""
    own = _stage_of(records) if records.execution.type == "ROLLBACK" else ""
    told = [(event, records, own) for event in records.events]
    for back in records.rollbacks:
        stage = _stage_of(back)
        told += [(e, back, stage) for e in back.events if e.kind not in OF_A_ROLLBACK]
    told = [one for one in told if one[0].kind not in SAID_ELSEWHERE]
    return [_step(*one) for one in sorted(told, key=lambda one: one[0].id)]


def bounded(every: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first and the newest, with a step between them that says that some were left out."""
    if len(every) <= FIRST + NEWEST:
        return every
    said = "(steps are left out here; towpath events has every one)"
    gap = {**every[FIRST], "kind": "", "action": "", "verdict": "", "text": said}
    return [*every[:FIRST], gap, *every[-NEWEST:]]


def _stage_of(rollback: Records) -> str:
    """A rollback runs one stage; its own end is told without it."""
    return rollback.stages[0].stage if rollback.stages else ""


def _step(event: Any, records: Records, stage: str) -> dict[str, Any]:
    data = json.loads(event.data)
    verdict = data.get("verdict", "") if event.kind == "rule.judged" else ""
    where = event.stage or stage
    return {
        "at": iso(event.at),
        "kind": event.kind,
        "execution": event.execution_id,
        "stage": where,
        "action": event.action,
        "verdict": verdict,
        "text": _text(event, verdict, records.declared.get(where)),
    }


def _text(event: Any, verdict: str, stage: StageDeclaration | None) -> str:
    if verdict:
        follows = consequence(verdict, stage)
        return sentence(event.action, verdict, event.at, event.text, follows)
    spelled = WORDS.get(event.kind, event.kind.replace(".", " ") + ": {text}")
    said = DIGEST.sub(r"\1", " ".join(str(event.text).split()))
    whole: str = spelled.format(text=said, stage=event.stage, action=event.action)
    return whole.rstrip(" :,")
