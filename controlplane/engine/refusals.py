"""Requests that cannot be granted: what is wrong, in a sentence, with the mend. Nothing was changed."""

from dataclasses import dataclass
from enum import StrEnum


class Problem(StrEnum):
    """What kind of refusal it is; a door turns it into its own code (404, 409, 429, 503, ...)."""

    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    INVALID = "invalid"
    BUSY = "busy"
    CROWDED = "crowded"


class CommandError(Exception):
    """It cannot be done; nothing was changed. The message is a sentence with the mend."""

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and by which door: "api", "console", "slack", "cli", "schedule", "event".

    token: the id of the token that he counts as; "" where he came without one. groups: what whoever
    signs people in says that he belongs to.
    """

    name: str
    door: str
    token: str = ""
    groups: frozenset[str] = frozenset()

    def is_one_with(self, name: str, token: str) -> bool:
        """Say whether that is the same person: by name, or by who made the tokens."""
        return self.name == name or (self.token != "" and self.token == token)
