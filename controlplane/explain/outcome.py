"""How it ended and why, in one sentence; and of a stage that ended badly, what was decided."""

import json
from collections.abc import Mapping
from typing import Any

from controlplane.clock import iso
from controlplane.explain.records import Records

DIGEST = 19
"""Characters of a digest that tell it from others: sha256:1a2b3c4d5e6f."""
OPEN: Mapping[str, str] = {
    "Inbound": "waits in front of {stage}",
    "InProgress": "is in {stage}",
    "Baking": "bakes in {stage}",
    "Stopping": "winds down in {stage}",
}


def outcome(records: Records) -> str:
    """How the execution stands, in one sentence."""
    execution = records.execution
    if execution.type == "ROLLBACK":
        return _of_a_rollback(records)
    if records.rollbacks:
        return _rolled_back(records)
    if execution.status == "Succeeded":
        through = ", ".join(dict.fromkeys(stage.stage for stage in records.stages))
        return f"It went through {through}."
    if execution.status in ("Failed", "Stopped", "Superseded"):
        paged = any(event.kind == "person.paged" for event in records.events)
        return f"It {execution.status.lower()}. {execution.reason}" + (
            "; a person was paged" if paged else ""
        )
    return _open(records)


def _of_a_rollback(records: Records) -> str:
    execution = records.execution
    goal = f" to {execution.digest[:DIGEST]}" if execution.digest else ""
    why = f": {execution.reason}" if execution.reason else ""
    return f"It rolls {execution.rolls_back} back{goal}, and is {execution.rollback_state}{why}."


def _rolled_back(records: Records) -> str:
    back = records.rollbacks[-1].execution
    stage = records.rollbacks[-1].stages[0].stage if records.rollbacks[-1].stages else "A stage"
    goal = f" to {back.digest[:DIGEST]}" if back.digest else ""
    why = records.execution.reason or json.loads(back.trigger).get("detail", "")
    if back.rollback_state == "done":
        took = f" in {back.ended_at - back.started_at:.0f} s" if back.ended_at else ""
        return f"{stage} was rolled back{goal}{took}. Why: {why}"
    if back.rollback_state == "failed":
        said = f"the rollback failed ({back.reason}); a person was paged"
        return f"{stage} was to go back{goal}, and {said}. Why: {why}"
    return f"{stage} is being rolled back{goal}: {back.rollback_state}. Why: {why}"


def _open(records: Records) -> str:
    if not records.stages:
        return "It has entered no stage yet."
    stage = records.stages[-1]
    said = OPEN.get(stage.status, "stands behind {stage}").format(stage=stage.stage)
    waits = [
        row.summary or row.name
        for row in records.actions_of(stage)
        if row.status == "InProgress" and row.handle == row.token
    ]
    held = f", held: {stage.held}" if stage.held else ""
    return f"It {said}{held}." + (f" A person is waited for: {waits[0]}" if waits else "")


def decision(records: Records, stage: Any) -> dict[str, Any] | None:
    """Why a stage ended badly, and what was decided then; None where it did not."""
    failed = [
        event
        for event in records.events
        if event.kind in ("stage.failed", "stage.stopped")
        and event.stage == stage.stage
        and event.at == stage.ended_at
    ]
    if not failed:
        return None
    data = json.loads(failed[-1].data)
    return {
        "at": iso(failed[-1].at),
        "cause": data.get("cause", ""),
        "by": data.get("by", ""),
        "reason": stage.cause,
        "act": _act(records, stage),
    }


def _act(records: Records, stage: Any) -> str:
    backs = [one for one in records.rollbacks if one.stages and one.stages[0].stage == stage.stage]
    later = {e.kind for e in records.events if e.stage == stage.stage and e.at == stage.ended_at}
    if backs:
        return "roll back, and page" if "person.paged" in later else "roll back"
    if "stage.retried" in later:
        return "try again"
    return "hold and page" if "person.paged" in later else "nothing"
