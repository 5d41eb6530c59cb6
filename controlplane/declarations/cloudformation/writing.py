"""A declaration -> a template with its pipeline, the way back of `reading`."""

import re
from collections.abc import Mapping
from typing import Any

from controlplane.declarations.api_spelling import to_api
from controlplane.declarations.cloudformation.spelling import to_pascal
from controlplane.declarations.cloudformation.symbols import to_intrinsic
from controlplane.declarations.cloudformation.template import PIPELINE
from controlplane.declarations.model import PipelineDeclaration

DROPPED = "version"
"""The API's own counter; the resource has no property for it."""


def to_cloudformation(
    declaration: PipelineDeclaration, aside: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Answer the template, and in sentences what CloudFormation has no property for.

    aside: properties of the resource that an import had put aside.
    """
    document, said = to_api(declaration)
    structure = dict(document["pipeline"])
    if DROPPED in structure:
        said.append(
            f"version {structure.pop(DROPPED)} is left out: CloudFormation has no property for it"
        )
    properties = _spelled({**to_pascal(structure), **(aside or {})})
    logical_id = re.sub(r"[^A-Za-z0-9]", "", declaration.name) or "Pipeline"
    resource = {"Type": PIPELINE, "Properties": properties}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {logical_id: resource}}, said


def _spelled(node: Any) -> Any:
    """Spell every text that holds symbols as the functions they stand for."""
    if isinstance(node, dict):
        return {key: _spelled(item) for key, item in node.items()}
    if isinstance(node, (list, tuple)):
        return [_spelled(item) for item in node]
    return to_intrinsic(node) if isinstance(node, str) else node
