"""From a CloudFormation action and its artifact to the template and parameters of a stack.

The artifact is the template itself (.yaml, .yml, .json, .template), or a zip in which TemplatePath
("Artifact::path/in/it") names it, as in CodePipeline.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from controlplane.actions.base import ActionError, Task
from controlplane.actions.s3_content import Place
from controlplane.actions.zip_member import member

TEMPLATES = (".yaml", ".yml", ".json", ".template")
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
    body = member(s3(), place, path, LARGEST_BODY)
    return {"TemplateBody": body.decode("utf-8", "replace")}


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
