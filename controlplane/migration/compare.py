"""What the old pipeline did, beside what Towpath would have done, as far as that can be told without acting.

Pure. What only acting would show (a measurement, a gate that asks somebody) is said to be undecidable.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from controlplane.declarations.model import PipelineDeclaration, RuleDeclaration, StageDeclaration
from controlplane.declarations.way_back import is_one_way
from controlplane.gates.windows import is_written_out, window
from controlplane.migration.then import Entered, Then


class Verdict(StrEnum):
    """How one point came out."""

    SAME = "same"
    DIFFERS = "differs"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One point of one stage ("" for the execution itself): what each did, or would have."""

    stage: str
    point: str
    verdict: Verdict
    old: str
    towpath: str


@dataclass(frozen=True, slots=True)
class Held:
    """A way in that was closed by a person at the time; certain: False where that cannot be told any more."""

    reason: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """What Towpath knows of the time of one old execution.

    ours: the structure that counts here; imported: the one that came over. seen: an execution here began
    by one of its revisions. polled: the source actions that Towpath looks at. digest: of what it
    released, "" where it is not known. quarantined: stage -> digests in quarantine when it was entered.
    held: stage -> the closed way in, the migration's own left aside. frozen: stage -> the freeze's reason.
    """

    ours: PipelineDeclaration
    imported: PipelineDeclaration
    seen: bool
    polled: frozenset[str]
    digest: str
    quarantined: Mapping[str, frozenset[str]]
    held: Mapping[str, Held]
    frozen: Mapping[str, str]


D, S, U = Verdict.DIFFERS, Verdict.SAME, Verdict.UNDECIDABLE
BY_SOURCE = frozenset(
    {"CreatePipeline", "PollForSourceChanges", "CloudWatchEvent", "Webhook", "WebhookV2"}
)
"""Triggers that a source's change pulled; every other one is somebody's act."""


def compare(then: Then, known: Known) -> list[Finding]:
    """Go through the old execution in its order; after a point that would have held it, nothing is sure."""
    if then.kind == "ROLLBACK":
        said = "goes back to the ledger's last known good, which an old execution is not in"
        return [Finding("", "rollback", U, f"rolled back ({then.trigger})", said)]
    found = [_start(then, known), *_mode(known)]
    sources = {known.ours.stages[0].name, known.imported.stages[0].name}
    for entered in then.stages:
        if entered.stage in sources:
            continue
        of_stage = list(_stage(entered, known))
        found += of_stage or [Finding(entered.stage, "entry", S, _did(entered), "the same")]
        if any(one.verdict is D and one.point in STOPS for one in of_stage):
            said = "hangs on when that would have let it go"
            found.append(Finding(entered.stage, "afterwards", U, then.status, said))
            break
    return found


STOPS = frozenset({"structure", "transition", "freeze", "quarantine", "gate", "approval"})
"""Points at which an execution waits or is turned away."""


def _start(then: Then, known: Known) -> Finding:
    by = ", ".join(f"{name} {id_}" for name, id_ in then.revisions.items()) or "no revision"
    old = f"started by {then.trigger or 'somebody'}: {by}"
    if known.seen:
        return Finding("", "start", S, old, "starts by the same revision")
    if then.trigger not in BY_SOURCE:
        return Finding("", "start", U, old, "starts where somebody asks it, too")
    if not known.polled.intersection(then.revisions):
        return Finding("", "start", U, old, "does not look at that source by itself")
    return Finding("", "start", D, old, "does not start: it has not seen this revision")


def _mode(known: Known) -> Iterator[Finding]:
    """Who overtakes whom is the same rule by the same mode."""
    ours, theirs = known.ours.execution_mode, known.imported.execution_mode
    if ours is not theirs:
        yield Finding("", "order", U, f"is {theirs}", f"is {ours}: others may have overtaken it")


def _stage(entered: Entered, known: Known) -> Iterator[Finding]:
    name, did = entered.stage, _did(entered)
    ours = next((one for one in known.ours.stages if one.name == name), None)
    if ours is None:
        yield Finding(name, "structure", D, did, "has no such stage any more")
        return
    yield from _way_in(entered, known)
    for rule in ours.gates():
        yield _gate(entered, rule)
    yield from _asked(entered, ours, _imported(known, name))
    watching = [rule.name for rule in ours.rules()]
    if watching:
        said = f"would have watched {', '.join(watching)}, and nothing was measured"
        yield Finding(name, "judge", U, did, said)
    yield from _failed(entered, ours, _imported(known, name))


def _way_in(entered: Entered, known: Known) -> Iterator[Finding]:
    name, did = entered.stage, _did(entered)
    held = known.held.get(name)
    if held is not None:
        said = f"waits: the way in is disabled: {held.reason}"
        yield Finding(name, "transition", D if held.certain else U, did, said)
    if name in known.frozen:
        yield Finding(name, "freeze", D, did, f"waits: {known.frozen[name]}")
    bad = known.quarantined.get(name, frozenset())
    if known.digest and known.digest in bad:
        yield Finding(name, "quarantine", D, did, f"turns it away: {known.digest} is in quarantine")
    elif bad and not known.digest:
        said = "has digests in quarantine, and has not read this revision's"
        yield Finding(name, "quarantine", U, did, said)


def _gate(entered: Entered, rule: RuleDeclaration) -> Finding:
    """Only a window says by itself whether it was open."""
    name, did, given = entered.stage, _did(entered), rule.configuration
    calendar = given.get("Calendar", "")
    readable = not calendar or is_written_out(calendar)
    if rule.rule_type_id.provider != "DeploymentWindow" or not readable:
        kind = "a calendar" if not readable else rule.rule_type_id.provider
        return Finding(name, "gate", U, did, f"asks {kind} first ({rule.name})")
    try:
        times, at = window(given, {}), datetime.fromtimestamp(entered.at, UTC)
        is_open, opens = times.is_open(at), times.opens_at(at)
    except ValueError as error:
        return Finding(name, "gate", U, did, f"{rule.name} cannot be read: {error}")
    if is_open:
        return Finding(name, "gate", S, did, f"the window {rule.name} is open")
    until = iso(opens.timestamp()) if opens else "a person opens it"
    return Finding(name, "gate", D, did, f"waits until {until}: the window {rule.name} is closed")


def _asked(
    entered: Entered, ours: StageDeclaration, theirs: StageDeclaration | None
) -> Iterator[Finding]:
    there = {a.name for a in theirs.actions} if theirs else set()
    for action in ours.actions:
        asks = action.action_type_id.category == "Approval" and action.name not in there
        if asks or is_one_way(action):
            why = "asks a person" if asks else "is a one-way door: asks a person"
            yield Finding(
                entered.stage, "approval", D, _did(entered), f"{why} first ({action.name})"
            )


def _failed(
    entered: Entered, ours: StageDeclaration, theirs: StageDeclaration | None
) -> Iterator[Finding]:
    if entered.result != "Failed":
        return
    mine, old = _on_failure(ours), _on_failure(theirs)
    said = f"does {mine}" if mine else "fails the stage"
    point = Finding(entered.stage, "failure", S, _did(entered), said)
    yield point if mine == old else Finding(point.stage, point.point, D, point.old, said)


def _on_failure(stage: StageDeclaration | None) -> str:
    failure = stage.on_failure if stage else None
    return str(failure.result) if failure and failure.result else ""


def _imported(known: Known, name: str) -> StageDeclaration | None:
    return next((one for one in known.imported.stages if one.name == name), None)


def _did(entered: Entered) -> str:
    return f"entered {iso(entered.at)}, {entered.result} {iso(entered.ended)}"


def iso(at: float) -> str:
    """Write a time as people read it, to the second, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def document(then: Then, found: Sequence[Finding]) -> dict[str, Any]:
    """One compared execution, as it is stored and shown."""
    return {
        "execution": then.id,
        "status": then.status,
        "startedAt": iso(then.started),
        "findings": [
            {
                "stage": one.stage,
                "point": one.point,
                "verdict": str(one.verdict),
                "old": one.old,
                "towpath": one.towpath,
            }
            for one in found
        ],
    }
