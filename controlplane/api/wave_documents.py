"""The waves of a stage as documents: each with its targets, and how they stand."""

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.api.words import Document
from controlplane.clock import iso
from controlplane.declarations.model import StageDeclaration
from controlplane.declarations.wave_keys import Wave, gate_seconds, target_of, waves
from controlplane.engine.view import bake_seconds
from controlplane.states import ActionStatus as A
from controlplane.states import StageStatus as S
from monitors.base import Verdict

Rows = Mapping[str, Any]
"""The last attempt of each action and rule of a stage execution, by name."""

STATES: Sequence[tuple[str, frozenset[str]]] = (
    ("failed", frozenset({A.FAILED})),
    ("stopped", frozenset({A.ABANDONED})),
    ("deploying", frozenset({A.READY, A.STARTING, A.IN_PROGRESS})),
)
"""What a target is where one of its actions is so; the first that applies."""


def wave_documents(
    stage: StageDeclaration, rows: Sequence[Any] = (), execution: Any = None
) -> list[Document]:
    """Every wave of a stage; [] where it has none. Without rows: the plan, before anybody enters.

    rows: actions and rules of the stage execution, oldest first. execution: its own row. A wave is
    waiting, deploying, failed, stopped, bad (a signal failed), baking (and then pausing, see until),
    held (its time is over, a signal is not good) or done.
    """
    known = {row.name: row for row in rows}
    found = waves(stage)
    begun = {wave.number for wave in found if _states(stage, wave, known) != {"waiting"}}
    return [
        {
            "number": wave.number,
            "of": len(found),
            **_stands(stage, wave, known, execution, followed=wave.number + 1 in begun),
            "bakeSeconds": wave.bake.total_seconds(),
            "pauseSeconds": wave.pause.total_seconds(),
            "maxInFlight": wave.max_in_flight,
            "targets": [
                {"name": name, "status": _target(stage, name, known)} for name in wave.targets
            ],
        }
        for wave in found
    ]


def _states(stage: StageDeclaration, wave: Wave, known: Rows) -> set[str]:
    return {_target(stage, name, known) for name in wave.targets}


def _target(stage: StageDeclaration, name: str, known: Rows) -> str:
    own = [a for a in stage.actions if target_of(a) == name]
    rows = [known[a.name] for a in own if a.name in known]
    if not rows:
        return "waiting"
    rules = [known[r.name] for r in stage.rules() if target_of(r) == name and r.name in known]
    if any(row.verdict == Verdict.FAIL for row in rules):
        return "bad"
    statuses = {row.status for row in rows}
    state = next((state for state, ones in STATES if statuses & ones), "deployed")
    return "deploying" if state == "deployed" and len(rows) < len(own) else state


def _stands(
    stage: StageDeclaration, wave: Wave, known: Rows, execution: Any, *, followed: bool
) -> Document:
    """status, and until when it bakes and pauses, where it does."""
    states = _states(stage, wave, known)
    status, bakes, until = "deploying", None, None
    worst = next((one for one in ("bad", "failed", "stopped") if one in states), None)
    if worst is not None or states == {"waiting"}:
        status = worst or "waiting"
    elif states == {"deployed"}:
        over = followed or (execution is not None and execution.status == S.SUCCEEDED)
        status, bakes, until = (
            ("done", None, None) if over else _bakes(stage, wave, known, execution)
        )
    return {"status": status, "bakesUntil": iso(bakes), "until": iso(until)}


def _bakes(
    stage: StageDeclaration, wave: Wave, known: Rows, execution: Any
) -> tuple[str, float | None, float | None]:
    if wave.gate is None:  # behind the last wave the whole stage bakes
        began = execution.baking_since if execution is not None else None
        longest = max((bake_seconds(rule) for rule in stage.rules()), default=0.0)
        ends = None if began is None else began + longest
        return "baking", ends, ends
    row = known.get(wave.gate.name)
    if row is None or row.started_at is None:
        return "baking", None, None
    if row.status == A.SUCCEEDED:
        return "held", None, None
    bake, pause = gate_seconds(wave.gate)
    return "baking", row.started_at + bake, row.started_at + bake + pause
