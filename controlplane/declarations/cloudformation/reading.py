"""A template's pipelines -> declarations, with what had to be assumed and what stays aside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from accounts.yaml_text import Document, Path, UnreadableError
from controlplane.declarations.cloudformation import symbols
from controlplane.declarations.cloudformation.resolve import MACROS, NOTHING, PROCESSED, Resolver
from controlplane.declarations.cloudformation.spelling import ASIDE, to_camel
from controlplane.declarations.cloudformation.template import PIPELINE, Template, read_template
from controlplane.declarations.findings import Finding
from controlplane.declarations.load import DeclarationError, Problem, load_document, place
from controlplane.declarations.model import PipelineDeclaration

NAMED = ("name", "namespace")
"""Where only a name may stand: a symbol there is taken for its own name, and that is said."""

THE_RESOURCES_OWN = (
    *("Condition", "DependsOn", "Metadata"),
    *("DeletionPolicy", "UpdateReplacePolicy"),
)
STACK_NAME = "AWS::StackName"
LONGEST = 40


@dataclass(frozen=True, slots=True)
class Imported:
    """One pipeline of a template. notes: what a person should know of how it was read.

    symbolic: paths in CodePipeline's spelling -> what is left for CloudFormation to say there.
    aside: properties of the resource that are no part of the structure.
    """

    logical_id: str
    declaration: PipelineDeclaration
    notes: tuple[str, ...] = ()
    symbolic: Mapping[Path, str] = field(default_factory=dict)
    aside: Mapping[str, Any] = field(default_factory=dict)


def import_template(
    text: str, file: str, parameters: Mapping[str, str] | None = None
) -> list[Imported]:
    """Read every pipeline of a template.

    parameters: values of the template's parameters by name; where one is missing its default
    counts. Raises DeclarationError with every problem, where it stands in the template.
    """
    try:
        template = read_template(text)
    except UnreadableError as error:
        raise DeclarationError([Problem(file, *error.at, "", str(error))]) from error
    _refuse(template.findings, template.document, file)
    known = {STACK_NAME: _stack(file), **(parameters or {})}
    unknown = [name for name in parameters or {} if not _is_known(name, template)]
    _refuse([_no_parameter(name, template) for name in unknown], template.document, file)
    hidden = [key for key, made in template.resources.items() if _hides(key, made)]
    _refuse([Finding(("Resources", key), PROCESSED) for key in hidden], template.document, file)
    found = template.of_type(PIPELINE)
    if not found:
        wrong = Finding(("Resources",), f"has no {PIPELINE}: there is nothing to import")
        _refuse([wrong], template.document, file)
    return [_one(template, known, logical_id, file) for logical_id in found]


def _stack(file: str) -> str:
    """Answer a stack name made of the file's, as long as CloudFormation keeps of it in other names."""
    return re.sub(r"[^A-Za-z0-9]+", "-", PurePath(file).name.split(".")[0])[:LONGEST].strip("-")


def _hides(key: str, made: object) -> bool:
    """Say whether a macro of Resources may make a pipeline, which would be missing without a word."""
    return key.startswith(MACROS) and PIPELINE in str(made)


def _is_known(name: str, template: Template) -> bool:
    return name in template.parameters or name.startswith("AWS::")


def _no_parameter(name: str, template: Template) -> Finding:
    known = ", ".join(template.parameters) or "none"
    return Finding(("Parameters",), f"has no parameter {name!r}; known: {known}")


def _refuse(findings: Any, document: Document, file: str) -> None:
    if findings:
        raise DeclarationError(place(found, document, file) for found in findings)


def _one(template: Template, given: Mapping[str, str], logical_id: str, file: str) -> Imported:
    source: Path = ("Resources", logical_id, "Properties")
    written: Any = template.resources[logical_id]
    resolver = Resolver(template, given)
    tree = resolver.tree(written.get("Properties", {}), source)
    _refuse(resolver.findings, template.document, file)
    if tree is NOTHING or not isinstance(tree, dict):
        _refuse([Finding(source, "must be a map")], template.document, file)
    aside = {key: tree.pop(key) for key in ASIDE if key in tree}
    origin: dict[Path, Path] = {}
    moved = to_camel(tree, origin.__setitem__)
    notes = _notes(written, aside, resolver)
    if "name" not in moved:
        moved["name"] = f"{given[STACK_NAME]}-{logical_id}"
        notes.append(
            f"it has no Name: taken as {moved['name']!r}, as CloudFormation would make one"
        )
    notes += _name(moved, ())
    places = {
        new: template.document.position(resolver.origin.get(old, (*source, *old)))
        for new, old in origin.items()
    }
    declared = load_document(Document(moved, places), file)
    return Imported(logical_id, declared, tuple(notes), symbolic(moved), aside)


def _notes(written: Mapping[str, Any], aside: Mapping[str, Any], resolver: Resolver) -> list[str]:
    notes = []
    if resolver.used:
        notes.append(f"defaults were taken for {', '.join(sorted(resolver.used))}")
    for key, value in aside.items():
        notes.append(f"{key} is no part of the structure and stays aside: {value}")
    notes += [
        f"{key} of the resource is CloudFormation's own and stays aside"
        for key in THE_RESOURCES_OWN
        if key in written
    ]
    condition = written.get("Condition")
    if isinstance(condition, str) and resolver.condition(condition) is False:
        notes.append(f"with these parameters the stack would not make it: {condition} is false")
    return notes


def _name(node: Any, path: Path) -> list[str]:
    """Let a symbol stand for itself where only a name may; say so."""
    notes: list[str] = []
    if isinstance(node, list):
        for i, item in enumerate(node):
            notes += _name(item, (*path, i))
    elif isinstance(node, dict):
        for key, item in node.items():
            if key in NAMED and isinstance(item, str) and symbols.is_symbolic(item):
                node[key] = symbols.named(item)
                left = ", ".join(symbols.symbols(item))
                notes.append(f"a name says {left}, which is not known: taken as {node[key]!r}")
            elif key != "configuration":
                notes += _name(item, (*path, key))
    return notes


def symbolic(node: Any, path: Path = ()) -> dict[Path, str]:
    """Find what is left for CloudFormation to say."""
    if isinstance(node, str):
        return {path: ", ".join(symbols.symbols(node))} if symbols.is_symbolic(node) else {}
    if not isinstance(node, (dict, list, tuple)):
        return {}
    parts: Any = node.items() if isinstance(node, dict) else enumerate(node)
    found: dict[Path, str] = {}
    for key, item in parts:
        found |= symbolic(item, (*path, key))
    return found
