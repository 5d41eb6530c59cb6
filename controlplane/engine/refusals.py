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


SUBJECT = "oidc:"
"""How that begins as which a person counts whom an OpenID provider signs in: its issuer and subject, hashed."""


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
        """Say whether that is the same person: by who made the tokens, or whom the provider has signed in.

        Names count where a side has no subject of a provider (a token, Slack, a commit): whoever may be the
        same is the same. Two subjects are two people, whatever they are called.
        """
        if self.token != "" and self.token == token:
            return True
        if self.token.startswith(SUBJECT) and token.startswith(SUBJECT):
            return False
        return self.name.casefold() == name.casefold()
