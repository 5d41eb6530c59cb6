"""Our own stored form: the declaration in CodePipeline's camelCase as compact JSON."""

import hashlib
import json

from controlplane.declarations.model import PipelineDeclaration


def dumps(declaration: PipelineDeclaration) -> str:
    """Write a declaration; equal declarations give equal texts (keys are sorted).

    Defaults are written out, so that a later change of a default does not change what is stored.
    """
    document = declaration.model_dump(mode="json", by_alias=True, exclude_none=True)
    # exclude_none would also empty the triggers, whose inside is not ours.
    document["triggers"] = list(declaration.triggers)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def loads(text: str) -> PipelineDeclaration:
    """Read what `dumps` wrote; ValueError where it is anything else."""
    return PipelineDeclaration.model_validate_json(text)


def fingerprint(declaration: PipelineDeclaration) -> str:
    """Answer "sha256:<64 hex>" of the stored form: the same for each spelling of one thing."""
    return f"sha256:{hashlib.sha256(dumps(declaration).encode()).hexdigest()}"
