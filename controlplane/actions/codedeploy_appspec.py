"""What an AppSpec file of a Lambda deployment says: which alias goes from which version to which.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from accounts.yaml_text import UnreadableError
from accounts.yaml_text import read as read_yaml
from controlplane.actions.base import ActionError
from controlplane.actions.s3_content import Place
from controlplane.actions.vendor import asking

LARGEST = 64 * 1024
"""Bytes of an AppSpec file."""
ENDS = (".yaml", ".yml", ".json")
LAMBDA = "AWS::Lambda::Function"


@dataclass(frozen=True, slots=True)
class Shift:
    """An alias of a function, and the versions that its traffic goes from and to."""

    function: str
    alias: str
    current: str
    target: str


def is_appspec(place: Place) -> bool:
    """Say whether a revision is an AppSpec file (ECS, Lambda) and no bundle."""
    return place.key.lower().endswith(ENDS)


def read(s3: Any, place: Place) -> str:
    """Read an AppSpec file; ActionError where it is none by its size, or cannot be read."""
    with asking(f"read the AppSpec file {place.location}"):
        answer = s3.get_object(**place.request, Range=f"bytes=0-{LARGEST}")
        with closing(answer["Body"]) as body:
            content: bytes = body.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ActionError(
            f"{place.location} is no AppSpec file: it has over 64 KiB", permanent=True
        )
    return content.decode("utf-8", "replace")


def shift_of(text: str, where: str) -> Shift | None:
    """Find the Lambda function of an AppSpec; None where it is about something else (ECS).

    where: what to call it in the ActionError that says that it cannot be read.
    """
    try:
        data = read_yaml(text, LARGEST).data
    except UnreadableError as error:
        raise ActionError(
            f"{where} is not readable YAML or JSON: {error}", permanent=True
        ) from error
    for entry in _entries(data):
        if entry.get("Type") == LAMBDA:
            return _shift(entry.get("Properties"), where)
    return None


def _entries(data: Any) -> list[Mapping[str, Any]]:
    """Answer the resources' own maps; each stands in a list, under a name of its own."""
    top = data if isinstance(data, dict) else {}
    listed = next((top[key] for key in ("Resources", "resources") if key in top), ())
    named = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [inner for one in named for inner in one.values() if isinstance(inner, dict)]


def _shift(properties: Any, where: str) -> Shift:
    given = properties if isinstance(properties, dict) else {}
    names = ("Name", "Alias", "CurrentVersion", "TargetVersion")
    values = [str(given.get(name) or "") for name in names]
    for name, value in zip(names, values, strict=True):
        if not value:
            raise ActionError(f"{where} has no {name} of its Lambda function", permanent=True)
    function = values[0].partition(":function:")[2] or values[0]
    return Shift(function.partition(":")[0], *values[1:])
