"""What comes next, and when, where that is known: one sentence a step, in order. Pure."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from controlplane.clock import iso
from controlplane.engine.view import bake_seconds
from controlplane.explain.records import Records

Step = dict[str, Any]
"""at: when, in ISO 8601, None where nobody knows; text: what."""

BACK: Mapping[str, str] = {
    "requested": "What is in flight is stopped, the last known good is restored, and then that is verified.",
    "stopping": "The last known good is restored, and then that is verified.",
    "redeploying": "It is verified that the signals recover.",
    "verifying": "It is done once the signals have recovered; else a person is paged.",
}
"""What follows in a rollback, by its state."""


def ahead(records: Records) -> list[Step]:
    """Everything that is still to come; nothing where the execution has ended and is not watched."""
    execution = records.execution
    if execution.type == "ROLLBACK":
        said = BACK.get(execution.rollback_state, "")
        return [_step(said)] if said else []
    if not records.stages:
        return [_step("It enters its first stage.")] if execution.status == "InProgress" else []
    stage = records.stages[-1]
    if execution.status == "InProgress":
        here = HERE.get(stage.status, _nothing)(records, stage)
        return [*here, *(_step(f"Then {name}.") for name in _later(records, stage))]
    return _watched(stage)


def _step(text: str, at: float | None = None) -> Step:
    return {"at": iso(at), "text": text}


def _nothing(_: Records, __: Any) -> list[Step]:
    return []


def _inbound(records: Records, stage: Any) -> list[Step]:
    opens = [json.loads(row.output).get("OpensAt", "") for row in records.rules_of(stage)]
    known = max((text for text in opens if text), default="")
    why = f" ({stage.held})" if stage.held else ""
    said = f"It goes into {stage.stage} by itself as soon as it may{why}."
    return [{"at": known or None, "text": said}]


def _in_progress(records: Records, stage: Any) -> list[Step]:
    rows = records.actions_of(stage)
    asked = [row.name for row in rows if row.status == "InProgress" and row.handle == row.token]
    steps = [_step(f"A person approves or rejects {name}.") for name in asked]
    declared = records.declared.get(stage.stage)
    begun = {row.name for row in rows}
    todo = [one.name for one in declared.actions if one.name not in begun] if declared else []
    if todo:
        steps.append(_step(f"{stage.stage} goes on with {', '.join(todo)}."))
    rules = declared.rules() if declared else ()
    if rules:
        seconds = max(bake_seconds(rule) for rule in rules)
        steps.append(_step(f"{stage.stage} bakes for {seconds:g} s once all of that is done."))
    return steps


def _baking(records: Records, stage: Any) -> list[Step]:
    declared = records.declared.get(stage.stage)
    rules = declared.rules() if declared else ()
    ends = stage.extended_until
    if ends is None and rules and stage.baking_since is not None:
        ends = stage.baking_since + max(bake_seconds(rule) for rule in rules)
        ends = max(ends, stage.bake_until or 0.0)
    if stage.asked_at is not None and not stage.judged:
        return [_step(f"A person says whether {stage.stage} is well, or rolls it back.")]
    said = f"The bake of {stage.stage} ends, where every signal is well; a breach ends it at once."
    return [_step(said, ends)]


def _watched(stage: Any) -> list[Step]:
    if stage.watch != "automatic" or stage.watch_until is None:
        return []
    said = f"{stage.stage} is no longer watched; until then a breach rolls it back."
    return [_step(said, stage.watch_until)]


def _later(records: Records, stage: Any) -> list[str]:
    names = list(records.declared)
    return names[names.index(stage.stage) + 1 :] if stage.stage in names else []


HERE: Mapping[str, Callable[[Records, Any], list[Step]]] = {
    "Inbound": _inbound,
    "InProgress": _in_progress,
    "Baking": _baking,
    "Succeeded": _nothing,
}
"""By the state of the newest stage: what is to come there."""
