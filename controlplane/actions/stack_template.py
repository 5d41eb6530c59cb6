"""From a CloudFormation action and its artifact to the template and parameters of a stack.

The artifact is the template itself (.yaml, .yml, .json, .template), or a zip in which TemplatePath
("Artifact::path/in/it") names it, as in CodePipeline.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

import io
import json
import zipfile
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote

from controlplane.actions.base import ActionError, Task
from controlplane.actions.s3_content import Place
from controlplane.actions.vendor import asking

TEMPLATES = (".yaml", ".yml", ".json", ".template")
LARGEST_ZIP = 8 * 1024 * 1024
LARGEST_BODY = 51_200
"""Bytes that CloudFormation takes in a request; a template by its address may have 1 MB."""


def template_of(task: Task, place: Place, s3: Any) -> dict[str, Any]:
    """Answer what CreateStack and UpdateStack take: TemplateURL or TemplateBody, and parameters.

    s3: answers a client, where a zip must be read. ActionError (permanent) for what cannot be used.
    """
    return {**_template(task, place, s3), **_parameters(task.configuration), **_rights(task)}


def _template(task: Task, place: Place, s3: Any) -> dict[str, str]:
    if not place.version:
        said = f"{place.location} is not pinned to a version: what was tested could be replaced."
        raise ActionError(said, permanent=True)
    if place.key.lower().endswith(TEMPLATES):
        host = f"{place.bucket}.s3.{task.region}.amazonaws.com"
        suffix = ".cn" if task.region.startswith("cn-") else ""
        key, version = quote(place.key), quote(place.version)
        return {"TemplateURL": f"https://{host}{suffix}/{key}?versionId={version}"}
    path = task.configuration.get("TemplatePath", "").partition("::")[2]
    if not path:
        said = f"{place.location} is no template: name it in TemplatePath, Artifact::path"
        raise ActionError(said, permanent=True)
    return {"TemplateBody": _from_zip(s3(), place, path)}


def _from_zip(s3: Any, place: Place, path: str) -> str:
    with asking(f"read {place.location}"):
        answer = s3.get_object(**place.request, Range=f"bytes=0-{LARGEST_ZIP}")
        with closing(answer["Body"]) as body:
            content: bytes = body.read(LARGEST_ZIP + 1)
    where = f"{path} in {place.location}"
    if len(content) > LARGEST_ZIP:
        raise ActionError(f"{place.location} has over 8 MiB: take the template out", permanent=True)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(path) as file:
            text = file.read(LARGEST_BODY + 1)
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError) as error:
        raise ActionError(f"{where} cannot be read: {error}", permanent=True) from error
    if len(text) > LARGEST_BODY:
        raise ActionError(f"{where} has over {LARGEST_BODY} bytes", permanent=True)
    return text.decode("utf-8", "replace")


def _parameters(configuration: Mapping[str, str]) -> dict[str, Any]:
    text = configuration.get("ParameterOverrides", "")
    try:
        given = json.loads(text) if text else {}
    except ValueError as error:
        raise ActionError(f"ParameterOverrides is no JSON: {error}", permanent=True) from error
    if not isinstance(given, dict):
        raise ActionError("ParameterOverrides must be a map of texts", permanent=True)
    listed = [{"ParameterKey": key, "ParameterValue": str(given[key])} for key in sorted(given)]
    return {"Parameters": listed} if listed else {}


def _rights(task: Task) -> dict[str, Any]:
    named = [one.strip() for one in task.configuration.get("Capabilities", "").split(",")]
    role = task.configuration.get("RoleArn", "")
    rights: dict[str, Any] = {"RoleARN": role} if role else {}
    return rights | ({"Capabilities": named} if any(named) else {})
