"""What a build is told beside its project, read from a configuration. Pure: the validation reads it, too.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
"""

import json
import re
from typing import NamedTuple

from monitors.values import JSON_LIMIT

TOKEN = "TOWPATH_ACTION_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable by which a build of ours is found again. (TOWPATH_TOKEN is the command line's.)"""
TYPES = ("PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER")
MOST = 100
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
NOT_IN_IDENTIFIER = re.compile(r"[^A-Za-z0-9_]")


class Variable(NamedTuple):
    """One environment variable of a build; of another type than PLAINTEXT, value names the secret."""

    name: str
    value: str
    type: str = "PLAINTEXT"

    @property
    def request(self) -> dict[str, str]:
        """As StartBuild takes it."""
        return self._asdict()


def environment(text: str) -> list[Variable]:
    """Read EnvironmentVariables: a JSON list of name, value and type. ValueError says what is wrong."""
    if not text:
        return []
    if len(text) > JSON_LIMIT:
        raise ValueError(f"is over {JSON_LIMIT} characters: keep long values in a parameter store")
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON ({error}): write a list of name, value and type") from None
    if not isinstance(entries, list) or len(entries) > MOST:
        raise ValueError(f"must be a list of at most {MOST} variables: name, value and type")
    return checked([_variable(entry) for entry in entries])


def checked(found: list[Variable]) -> list[Variable]:
    """Refuse names that a build cannot have, or has twice."""
    names = [one.name for one in found]
    for one in found:
        if not NAME.fullmatch(one.name):
            raise ValueError(f"{one.name[:100]!r} is no name of an environment variable")
        if one.name == TOKEN:
            raise ValueError(f"{TOKEN} is set by Towpath: choose another name")
        if names.count(one.name) > 1:
            raise ValueError(f"{one.name} is there twice: keep one of them")
        if one.type not in TYPES:
            raise ValueError(f"{one.name}: the type is none of {', '.join(TYPES)}")
    return found


def _variable(entry: object) -> Variable:
    known = {"name", "value", "type"}
    if not isinstance(entry, dict) or not {"name", "value"} <= set(entry) <= known:
        raise ValueError("every variable has a name and a value, and may have a type")
    if not all(isinstance(value, str) for value in entry.values()):
        raise ValueError(f"{str(entry['name'])[:100]}: name, value and type are texts: use quotes")
    return Variable(**entry)


def identifier(artifact: str) -> str:
    """How CodeBuild names a secondary source or output: letters, digits and underscores only."""
    return NOT_IN_IDENTIFIER.sub("_", artifact)
