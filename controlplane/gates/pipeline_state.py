"""Rule/Custom/PipelineState: how another pipeline stands, as our own store knows it."""

from collections.abc import Callable, Mapping
from typing import Any

from controlplane.gates.base import GateRule, Seen, interval, known, said
from monitors.base import Progress, Task, Verdict
from monitors.values import choice

STATES = ("Idle", "Succeeded", "NotHeld", "SameDigest")
OTHER = "other"
"""What the engine found: {there, where, inside, latest, digest, held}; see engine.gate_facts."""


def pipeline_state_rule() -> GateRule:
    """Make the driver."""
    return GateRule(_judge)


def _judge(task: Task) -> Progress:
    state = choice(task.configuration, "State", STATES, "")
    other = known(task, OTHER)
    verdict, why = _seen(state, other, task)
    return said(verdict, why, interval(task.configuration))


def _seen(state: str, other: Mapping[str, Any], task: Task) -> Seen:
    if not other["there"]:
        return Verdict.NO_DATA, f"there is no {other['where']}"
    return SEEN[state](other, str(task.known.get("digest", "")))


def _idle(other: Mapping[str, Any], _digest: str) -> Seen:
    if other["inside"]:
        return Verdict.FAIL, f"execution {other['inside']} is in {other['where']}"
    return Verdict.PASS, f"nothing runs in {other['where']}"


def _succeeded(other: Mapping[str, Any], _digest: str) -> Seen:
    if not other["latest"]:
        return Verdict.NO_DATA, f"nothing has gone through {other['where']} yet"
    verdict = Verdict.PASS if other["latest"] == "Succeeded" else Verdict.FAIL
    return verdict, f"the last through {other['where']} is {other['latest']}"


def _not_held(other: Mapping[str, Any], _digest: str) -> Seen:
    if other["held"]:
        return Verdict.FAIL, f"{other['where']} is on hold: {other['held']}"
    return Verdict.PASS, f"{other['where']} is not on hold"


def _same_digest(other: Mapping[str, Any], digest: str) -> Seen:
    if not digest or not other["digest"]:
        return Verdict.NO_DATA, f"no digest is known to have succeeded in {other['where']}"
    if other["digest"] != digest:
        return Verdict.FAIL, f"{other['where']} has {other['digest'][:19]}, not {digest[:19]}"
    return Verdict.PASS, f"{other['where']} has this digest"


SEEN: Mapping[str, Callable[[Mapping[str, Any], str], Seen]] = {
    "Idle": _idle,
    "Succeeded": _succeeded,
    "NotHeld": _not_held,
    "SameDigest": _same_digest,
}
