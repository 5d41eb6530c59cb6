"""Waves in words for a person: the plan before it starts, and how a wave stands. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from controlplane.declarations.durations import parse_duration
from controlplane.declarations.failure_words import failure_lines
from controlplane.declarations.model import PipelineDeclaration, StageDeclaration
from controlplane.declarations.wave_keys import Wave, waves

MINUTE, HOUR = 60, 3600
BAKE_DEFAULT = "5m"


def plan_lines(declaration: PipelineDeclaration) -> Iterator[str]:
    """What a pipeline will do, stage by stage; wave by wave where a stage has them."""
    yield f"{declaration.name}: {_count(len(declaration.stages), 'stage')}"
    for stage in declaration.stages:
        found = waves(stage)
        if found:
            targets = sum(len(wave.targets) for wave in found)
            yield f"{stage.name}: {_count(len(found), 'wave')}, {_count(targets, 'target')}"
            yield from (f"  {_planned(wave, stage)}" for wave in found)
        else:
            names = ", ".join(a.name for group in stage.run_orders for a in group)
            bake = f"; {_last_bake(stage)}" if stage.rules() else ""
            yield f"{stage.name}: {names}{bake}"
        yield from (f"  {line}" for line in failure_lines(stage))


def _planned(wave: Wave, stage: StageDeclaration) -> str:
    after = f"bakes {_said(wave.bake)}" if wave.gate is not None else _last_bake(stage)
    pause = f", then a pause of {_said(wave.pause)}" if wave.pause else ""
    few = wave.max_in_flight is not None and wave.max_in_flight < len(wave.targets)
    at_once = f" ({wave.max_in_flight} at once)" if few else ""
    watched = sum(1 for rule in stage.rules() if rule.configuration.get("Target") in wave.targets)
    signals = f" under {_count(watched, 'signal')}" if watched else ""
    return f"wave {wave.number}: {', '.join(wave.targets)}{at_once}; {after}{signals}{pause}"


def _last_bake(stage: StageDeclaration) -> str:
    times = [parse_duration(r.configuration.get("BakeTime", BAKE_DEFAULT)) for r in stage.rules()]
    return f"bakes {_said(max(times))}" if times else "no bake"


def wave_line(wave: Mapping[str, Any], now: datetime) -> str:
    """A wave of a stage document in a line: "wave 2 of 4: 3 targets, baking, 4 min left"."""
    head = f"wave {wave['number']} of {wave['of']}: {_count(len(wave['targets']), 'target')}"
    if wave["status"] == "held":
        return f"{head}, held until every signal is good"
    if wave["until"] is None:
        return f"{head}, {wave['status']}"
    bakes, until = (datetime.fromisoformat(wave[key]) for key in ("bakesUntil", "until"))
    status, end = ("pausing", until) if bakes <= now < until else ("baking", bakes)
    left = f"{_said(end - now)} left" if now < end else "until every signal is good"
    return f"{head}, {status}, {left}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _said(length: timedelta) -> str:
    """In its largest unit, and the next one where it is not whole: 4 min, 1 h 30 min."""
    seconds = int(length.total_seconds())
    if seconds < MINUTE:
        return f"{seconds} s"
    big, unit, small, word = (
        (MINUTE, "min", 1, "s") if seconds < HOUR else (HOUR, "h", MINUTE, "min")
    )
    rest = seconds % big // small
    return f"{seconds // big} {unit}" + (f" {rest} {word}" if rest else "")
