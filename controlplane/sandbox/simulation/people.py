"""People who press at random; what cannot be granted is refused and changes nothing."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from controlplane.engine.commands import Commands
from controlplane.engine.refusals import CommandError, Person
from controlplane.sandbox.simulation.witness import Witness

ANNE = Person("anne", "console")
WHY = "pressed at random"


class Pressed(NamedTuple):
    """What somebody asks for: about which execution, and in which stage."""

    commands: Commands
    pipeline: str
    execution: str
    stage: str
    digest: str


Move = Callable[[Pressed], object]

MOVES: dict[str, Move] = {
    "start": lambda p: p.commands.start(p.pipeline, ANNE),
    "stop": lambda p: p.commands.stop(p.execution, ANNE, abandon=False, reason=WHY),
    "abandon": lambda p: p.commands.stop(p.execution, ANNE, abandon=True, reason=WHY),
    "retry": lambda p: p.commands.retry(p.execution, p.stage, ANNE, all_actions=False),
    "retry all": lambda p: p.commands.retry(p.execution, p.stage, ANNE, all_actions=True),
    "roll back": lambda p: p.commands.rollback(p.pipeline, p.stage, ANNE, reason=WHY),
    "hold": lambda p: p.commands.disable_transition(p.pipeline, p.stage, ANNE, reason=WHY),
    "resume": lambda p: p.commands.enable_transition(p.pipeline, p.stage, ANNE, reason=WHY),
    "lift": lambda p: p.commands.lift_quarantine(p.digest, ANNE, reason=WHY),
    "approve": lambda p: _answer(p, approve=True),
    "reject": lambda p: _answer(p, approve=False),
    "pass": lambda p: p.commands.judge(p.execution, p.stage, ANNE, passes=True, reason=WHY),
}
OFTEN = ("approve", "approve", "resume", "resume", "lift")
"""These keep the fleet going, and come more often than their share."""

NEWEST = """
SELECT e.id, e.pipeline, e.digest, s.stage FROM execution e
JOIN stage_execution s ON s.execution_id = e.id ORDER BY s.rowid DESC LIMIT 12
"""
ASKED = """
SELECT a.execution_id, s.stage, s.pipeline FROM action_execution a
JOIN stage_execution s ON s.id = a.stage_id
WHERE a.status = 'InProgress' AND a.handle = a.token ORDER BY a.id
"""
HELD = """
SELECT execution_id, stage, pipeline FROM stage_execution
WHERE status = 'Baking' AND held <> '' ORDER BY id
"""
ABOUT = {"approve": ASKED, "reject": ASKED, "pass": HELD}
"""What is pressed where something waits for it."""


def _answer(pressed: Pressed, *, approve: bool) -> None:
    pressed.commands.decide_approval(
        pressed.execution, pressed.stage, "", ANNE, approve=approve, summary=WHY
    )


def press(chance: Random, witness: Witness) -> tuple[str, dict[str, str]] | None:
    """Draw what somebody presses, about something recent; None where there is nothing yet."""
    name = chance.choice([*MOVES, *OFTEN])
    rows = [dict(row) for row in witness.rows(ABOUT.get(name, NEWEST))]
    if not rows:
        return None
    row = chance.choice(rows)
    if name in ("hold", "resume") and chance.random() < 0.5:  # noqa: PLR2004 - as likely as not
        held = [dict(one) for one in witness.rows("SELECT pipeline, stage FROM transition")]
        row |= chance.choice(held) if held else {}
    if name == "lift":
        held = [dict(one) for one in witness.rows("SELECT digest FROM quarantine ORDER BY id")]
        row |= chance.choice(held) if held else {}
    return name, {key: str(value) for key, value in row.items()}


def do(name: str, row: dict[str, Any], commands: Commands) -> str:
    """Ask for it; "" where it was granted, else why not."""
    about = row.get("id") or row.get("execution_id", "")
    pressed = Pressed(commands, row["pipeline"], about, row["stage"], row.get("digest", ""))
    try:
        MOVES[name](pressed)
    except CommandError as refusal:
        return str(refusal)
    return ""
