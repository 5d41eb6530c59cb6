"""Who may enter a stage: the execution modes, the stage's lock, and disabled transitions. Pure.

CodePipeline's rules: one execution at a time in a stage (SUPERSEDED, QUEUED); in SUPERSEDED mode a newer
execution overtakes the one that waits in front, and only there, never inside a stage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from controlplane.declarations.model import ExecutionMode


@dataclass(frozen=True, slots=True)
class Waiting:
    """An execution that waits in front of a stage; ids sort by the time they were accepted."""

    stage_id: str
    execution_id: str
    digest: str = ""


@dataclass(slots=True)
class Admission:
    """Who enters now, who was overtaken, and whose digest may not go anywhere."""

    enter: list[Waiting] = field(default_factory=list)
    superseded: list[tuple[Waiting, Waiting]] = field(default_factory=list)
    quarantined: list[Waiting] = field(default_factory=list)


def admit(
    mode: ExecutionMode,
    waiting: Sequence[Waiting],
    *,
    occupied: bool,
    closed: bool,
    quarantine: frozenset[str],
) -> Admission:
    """Decide for one stage. closed: its inbound transition is disabled."""
    result = Admission(quarantined=[w for w in waiting if w.digest and w.digest in quarantine])
    healthy = [w for w in waiting if not (w.digest and w.digest in quarantine)]
    healthy.sort(key=lambda w: w.execution_id)
    if mode is ExecutionMode.SUPERSEDED and healthy:
        newest = healthy[-1]
        result.superseded = [(older, newest) for older in healthy[:-1]]
        healthy = [newest]
    if closed or not healthy:
        return result
    if mode is ExecutionMode.PARALLEL:
        result.enter = healthy
    elif not occupied:
        result.enter = healthy[:1]
    return result
