"""How events and digests are written on a terminal: one place, for the command line and the demo."""

from collections.abc import Mapping
from typing import Any

COLOURS = {
    "Succeeded": "green",
    "done": "green",
    "GOOD": "green",
    "InProgress": "blue",
    "Baking": "yellow",
    "Inbound": "cyan",
    "Failed": "red",
    "failed": "red",
    "BAD": "red",
    "MISSING": "red",
    "Stopped": "magenta",
    "Superseded": "dim",
    "Skipped": "dim",
}
"""The colour of a word that names a state."""


def short(digest: str) -> str:
    """Enough of a digest to tell it apart: sha256:1a2b3c4d5e6f."""
    return digest[:19]


def line(event: Mapping[str, Any]) -> str:
    """An event on one line: time, kind, where, and its sentence."""
    where = "/".join(part for part in (event["stage"], event["action"]) if part)
    text = " ".join(str(event["text"]).split())
    return f"{event['at'][11:23]}  {event['kind']:22} {where:28} {text[:160]}".rstrip()
