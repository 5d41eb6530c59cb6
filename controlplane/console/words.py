"""What documents' words are to a person: a sentence for a state, a tone for its colour."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86400


class Said(NamedTuple):
    """Words, and the tone they are shown in: idle, busy, watch, ask, good, warn or bad."""

    words: str
    tone: str


STAGES: Mapping[str, Said] = {
    "": Said("Nothing yet", "idle"),
    "Inbound": Said("Waiting", "idle"),
    "InProgress": Said("In progress", "busy"),
    "Baking": Said("Baking", "watch"),
    "Stopping": Said("Stopping", "warn"),
    "Succeeded": Said("Succeeded", "good"),
    "Failed": Said("Failed", "bad"),
    "Stopped": Said("Stopped", "warn"),
    "Cancelled": Said("Overtaken", "idle"),
    "Skipped": Said("Skipped", "idle"),
}
ROLLING_BACK: Mapping[str, Said] = {
    "InProgress": Said("Rolling back", "warn"),
    "Succeeded": Said("Rolled back", "warn"),
    "Failed": Said("Rollback failed", "bad"),
}
WAITS_FOR: Mapping[str, Said] = {
    "approval": Said("Waits for approval", "ask"),
    "judgement": Said("Asks: is it well?", "ask"),
}
HELD: Mapping[str, Said] = {
    "InProgress": Said("Wave held", "warn"),
    "Baking": Said("Bake held", "warn"),
}
ACTIONS: Mapping[str, Said] = {
    "Ready": Said("waiting", "idle"),
    "Starting": Said("starting", "busy"),
    "InProgress": Said("running", "busy"),
    "Succeeded": Said("succeeded", "good"),
    "Failed": Said("failed", "bad"),
    "Abandoned": Said("abandoned", "warn"),
}
EXECUTIONS: Mapping[str, Said] = {
    "InProgress": Said("In progress", "busy"),
    "Stopping": Said("Stopping", "warn"),
    "Stopped": Said("Stopped", "warn"),
    "Succeeded": Said("Succeeded", "good"),
    "Superseded": Said("Superseded", "idle"),
    "Failed": Said("Failed", "bad"),
}
VERDICTS: Mapping[str, Said] = {
    "": Said("not read yet", "idle"),
    "PASS": Said("healthy", "good"),
    "FAIL": Said("breached", "bad"),
    "INCONCLUSIVE": Said("too few samples", "warn"),
    "NO_DATA": Said("silent", "warn"),
    "UNREACHABLE": Said("monitoring unreachable", "warn"),
}
GATES: Mapping[str, Said] = {
    "": Said("not looked at yet", "idle"),
    "PASS": Said("holds", "good"),
    "FAIL": Said("does not hold", "warn"),
    "INCONCLUSIVE": Said("too little is known", "warn"),
    "NO_DATA": Said("silent", "warn"),
    "UNREACHABLE": Said("cannot be asked", "warn"),
}
"""Of a rule in front of a stage: a closed gate is no fault."""
STANDS: Mapping[str, Said] = {
    "": Said("nothing yet", "idle"),
    "DEPLOYING": Said("being deployed", "busy"),
    "DEPLOYED": Said("not proven yet", "watch"),
    "GOOD": Said("known good", "good"),
    "BAD": Said("bad", "bad"),
    "QUARANTINED": Said("in quarantine", "warn"),
}
WAVES: Mapping[str, Said] = {
    "waiting": Said("waiting", "idle"),
    "deploying": Said("deploying", "busy"),
    "deployed": Said("deployed", "watch"),
    "baking": Said("baking", "watch"),
    "held": Said("held", "warn"),
    "done": Said("done", "good"),
    "bad": Said("bad", "bad"),
    "failed": Said("failed", "bad"),
    "stopped": Said("stopped", "warn"),
}
"""Of a wave, and of a target in it."""
BREAKERS: Mapping[str, Said] = {
    "open": Said("does not answer and is left alone; one call at a time probes it", "bad"),
    "closed": Said("did not answer its last call", "warn"),
}
EVENT_TONES: Mapping[str, str] = {
    "succeeded": "good",
    "done": "good",
    "enabled": "good",
    "released": "good",
    "failed": "bad",
    "paged": "bad",
    "quarantined": "bad",
    "requested": "warn",
    "stopping": "warn",
    "redeploying": "warn",
    "verifying": "warn",
    "disabled": "warn",
    "held": "warn",
    "needed": "ask",
    "extended": "warn",
    "noted": "warn",
    "advised": "warn",
    "recovered": "good",
    "closed": "warn",
    "opened": "good",
    "set": "warn",
    "lifted": "good",
    "asked": "ask",
    "confirmed": "warn",
}
"""By the last word of an event's kind."""


def stage_said(stage: Mapping[str, Any] | None) -> Said:
    """Say how a stage execution stands, in its own document or at a glance."""
    if stage is None:
        return STAGES[""]
    if asked := waits_for(stage):
        return WAITS_FOR[asked]
    if stage["type"] == "ROLLBACK" and stage["status"] in ROLLING_BACK:
        return ROLLING_BACK[stage["status"]]
    if stage["held"] and stage["status"] in HELD:
        return HELD[stage["status"]]
    return of(STAGES, stage["status"])


def waits_for(stage: Mapping[str, Any]) -> str:
    """What a person is to say of it: "approval", "judgement" or ""."""
    if "waitsFor" in stage:
        return str(stage["waitsFor"])
    if any("approval" in action for action in stage["actions"]):
        return "approval"
    asks = stage["status"] == "Baking" and stage["bake"] and stage["bake"]["askedAt"]
    return "judgement" if asks else ""


def of(table: Mapping[str, Said], word: str) -> Said:
    """Look a word up; one that a newer engine knows and this table does not is shown as it is."""
    return table.get(word, Said(word, "idle"))


def place(one: Mapping[str, Any], ids: Mapping[str, str]) -> str:
    """In which account of AWS, and in which region: the AWS console opens what it is signed in to.

    ids: of the accounts, by their names.
    """
    name = one["account"]
    known = f"{name} ({ids[name]})" if name in ids else name
    return ", ".join(part for part in (known, one["region"]) if part)


def event_tone(kind: str) -> str:
    """Answer the tone of an event."""
    return EVENT_TONES.get(kind.rpartition(".")[2], "idle")


def short(digest: str) -> str:
    """Enough of a digest to tell it from others."""
    return digest.removeprefix("sha256:")[:12]


def at(text: str) -> datetime:
    """Answer a document's time."""
    return datetime.fromisoformat(text)


def clock_time(text: str, now: datetime) -> str:
    """Answer the time of day (UTC), with the date where it is not today's."""
    moment = at(text)
    spelling = "%H:%M:%S" if moment.date() == now.date() else "%d %b %H:%M"
    return f"{moment:{spelling}}"


def time_of(seconds: float) -> str:
    """Answer the time of day (UTC) of a point of a chart."""
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}"


def lasted(began: str | None, ended: str | None, now: datetime) -> str:
    """How long something took, or has taken until now; "" where it has not begun."""
    return "" if not began else duration((at(ended) if ended else now) - at(began))


def duration(length: timedelta) -> str:
    """In the two largest units: "1 min 20 s"."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return _two(seconds, MINUTE, "min", 1, "s")
    if seconds < DAY:
        return _two(seconds, HOUR, "h", MINUTE, "min")
    return _two(seconds, DAY, "d", HOUR, "h")


def _two(seconds: int, big: int, big_word: str, small: int, small_word: str) -> str:
    rest = seconds % big // small
    return f"{seconds // big} {big_word}" + (f" {rest} {small_word}" if rest else "")


def sparkline(values: Sequence[float | None], width: int = 120, height: int = 24) -> str:
    """Points of an SVG polyline; "" where there are fewer than two numbers."""
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return ""
    low, high = min(known), max(known)
    room, step = (high - low) or 1.0, width / (len(known) - 1)
    return " ".join(
        f"{number * step:.1f},{height - 2 - (value - low) / room * (height - 4):.1f}"
        for number, value in enumerate(known)
    )
