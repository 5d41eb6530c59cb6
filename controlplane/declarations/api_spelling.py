"""A declaration -> the JSON of get-pipeline, for CodePipeline and every tool that speaks it."""

import json
from collections.abc import Mapping
from typing import Any

from controlplane.declarations.model import PipelineDeclaration


def to_api(declaration: PipelineDeclaration) -> tuple[dict[str, Any], list[str]]:
    """Answer `{"pipeline": {...}}`, and in sentences what CodePipeline has no field for.

    Exactly what was written is written again: a default that nobody wrote stays unwritten.
    """
    structure = declaration.model_dump(mode="json", by_alias=True, exclude_unset=True)
    said = []
    if structure.pop("notifications", None):
        said.append("notifications are left out: CodePipeline keeps notification rules apart")
    return {"pipeline": structure}, said


def dumps(document: Mapping[str, Any]) -> str:
    """Write it as a person reads it; CloudFormation takes JSON as well as YAML."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
