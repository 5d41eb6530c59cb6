"""From an ECS action's artifact to the image of each container, as CodePipeline reads it.

imagedefinitions.json in the artifact's zip: a list of {"name": container, "imageUri": image}.
https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html#pipelines-create-image-definitions
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from controlplane.actions.base import ActionError, Artifact, Task
from controlplane.actions.s3_content import Place, place_of
from controlplane.actions.zip_member import member

FILE = "imagedefinitions.json"
LARGEST = 100 * 1024
"""CodePipeline's own limit."""
LONGEST = 1024


def images_of(task: Task, artifact: Artifact, s3: Callable[[], Any]) -> Mapping[str, str]:
    """Answer image by container; ActionError (permanent) for what cannot be used."""
    place = place_of(artifact.location, artifact.version)
    if not place.version:
        said = f"{place.location} is not pinned to a version: what was tested could be replaced."
        raise ActionError(said, permanent=True)
    path = task.configuration.get("FileName") or FILE
    return _read(member(s3(), place, path, LARGEST), path, place)


def _read(content: bytes, path: str, place: Place) -> Mapping[str, str]:
    where = f"{path} in {place.location}"
    try:
        listed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ActionError(f"{where} is no JSON: {str(error)[:200]}", permanent=True) from error
    if not isinstance(listed, list) or not listed:
        raise ActionError(f'{where} must be a list of {{"name", "imageUri"}}', permanent=True)
    found: dict[str, str] = {}
    for number, one in enumerate(listed):
        name, image = _entry(one)
        if not name or not image or name in found:
            said = f'{where}: entry {number} must be {{"name", "imageUri"}}, each container once'
            raise ActionError(said, permanent=True)
        found[name] = image
    return found


def _entry(one: object) -> tuple[str, str]:
    given = one if isinstance(one, dict) else {}
    name, image = given.get("name"), given.get("imageUri")
    if not isinstance(name, str) or not isinstance(image, str) or len(name + image) > LONGEST:
        return "", ""
    return name, image
