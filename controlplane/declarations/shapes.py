"""A tree in CodePipeline's spelling -> the model, and what pydantic found as sentences.

Where fields are wrong they are taken out or stood in for, and the rest is built, so that the
structural rules can look at it too: all problems are told at once.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from accounts.yaml_text import Path
from controlplane.declarations.expand import shown
from controlplane.declarations.findings import MOST, Finding
from controlplane.declarations.model import PipelineDeclaration

ROUNDS = 4
"""Taking a wrong field out can bring another to light, a few layers deep."""

SENTENCES: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "unknown key: take it out",
    "string_pattern_mismatch": "may hold letters, digits and . @ _ - only, 1 to 100 of them",
    "string_type": "must be text",
    "string_too_long": "is too long: at most {max_length} characters",
    "string_too_short": "is too short: at least {min_length} characters",
    "too_short": "needs at least one",
    "tuple_type": "must be a list",
    "dict_type": "must be a map",
    "model_type": "must be a map",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
}


def build(tree: dict[str, Any]) -> tuple[PipelineDeclaration | None, list[Finding]]:
    """Build the model. None where too little of it is right to go on with.

    The tree is mended in place where there are findings: the model is then not what was declared.
    """
    findings: list[Finding] = []
    for _ in range(ROUNDS):
        try:
            return PipelineDeclaration.model_validate(tree, by_alias=True, by_name=False), findings
        except ValidationError as error:
            wrong = _real(error.errors(include_url=False))
        if len(wrong) > MOST:  # nobody reads more, and each is work
            return None, [*findings, *map(finding, wrong)][:MOST]
        said = {known.path for known in findings}
        findings += [finding(one) for one in wrong if not said & set(_around(_path(one)))]
        for number, one in enumerate(reversed(wrong)):
            _mend(tree, _path(one), f"unnamed-{number}")
    return None, findings


def finding(error: ErrorDetails) -> Finding:
    """Say one of pydantic's findings as ours."""
    kind = error["type"]
    sentence = SENTENCES.get(kind, error["msg"])
    message = sentence.format(**error.get("ctx", {}))
    if kind not in {"missing", "extra_forbidden", "too_short"}:
        message = f"{message}, got {shown(error['input'])}"
    return Finding(_path(error), message, kind == "extra_forbidden")


def _path(error: ErrorDetails) -> Path:
    """Answer where it is; pydantic marks a wrong key of a map with an entry "[key]" of its own."""
    return tuple(part for part in error["loc"] if part != "[key]")


def _real(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out lists that are too short only because what is in them was wrong."""
    inside = {around for one in errors for around in _around(_path(one)[:-1])}
    return [one for one in errors if one["type"] != "too_short" or _path(one) not in inside]


def _around(path: Path) -> Iterator[Path]:
    """Answer a path and all that are around it: what is wrong there is wrong here no more."""
    return (path[:length] for length in range(len(path) + 1))


def _mend(tree: Any, path: Path, name: str) -> None:
    """Take a wrong field out, or stand in for what the other rules look at."""
    parent: Any = tree
    for part in path[:-1]:
        try:
            parent = parent[part]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1] if path else None
    if last == "name" and isinstance(parent, dict):
        parent["name"] = name
    elif last == "runOrder":
        # As late as it can be, or as early, so that no artifact seems to come too late.
        parent["runOrder"] = 1 if parent.get("outputArtifacts") else 999
    elif isinstance(parent, dict):
        parent.pop(last, None)
    elif isinstance(parent, list) and isinstance(last, int) and last < len(parent):
        parent.pop(last)
