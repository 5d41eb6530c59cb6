"""CodePipeline's rules of structure, and which of its words our engine does not run.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
"""

import re
from collections.abc import Iterable, Iterator

from accounts.yaml_text import Path
from controlplane.declarations.findings import Finding
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.walk import actions, everything
from controlplane.declarations.wave_keys import is_gate

MOST_STAGES = 50
MOST_IN_STAGE = 50
MOST_IN_WAVES = MOST_ACTIONS = 500
MOST_VARIABLES = 50
VARIABLE_NAME = re.compile(r"[A-Za-z0-9@_-]{1,128}")
RESERVED = ("codepipeline", "variables")
"""Namespaces that exist without an action."""


def check_structure(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield what is wrong with the stages, their order, their names and how many there are."""
    yield from _stages(declaration)
    yield from _sources(declaration)
    yield from _names(declaration)
    yield from _namespaces(declaration)


def _stages(declaration: PipelineDeclaration) -> Iterator[Finding]:
    if len(declaration.stages) == 1:
        message = "a pipeline needs at least two stages: one of sources, one that does something"
        yield Finding(("stages",), message)
    if declaration.artifact_store is not None and declaration.artifact_stores is not None:
        yield Finding(("artifactStores",), "there is an artifactStore too: keep one of them", True)


def _sources(declaration: PipelineDeclaration) -> Iterator[Finding]:
    for placed in actions(declaration):
        if placed.provider is None:
            continue  # its category may be a guess
        source = placed.provider.category == "Source"
        path = (*placed.path, "actionTypeId")
        if placed.stage == 0 and not source:
            message = "the first stage may hold sources only: move it to a later stage"
            yield Finding(path, message)
        elif placed.stage > 0 and source:
            yield Finding(path, "a source may stand in the first stage only: move it there")


def check_limits(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield what there is too much of: the other rules look at what is bounded."""
    if len(declaration.stages) > MOST_STAGES:
        yield Finding(("stages",), f"more than {MOST_STAGES} stages: split the pipeline")
    for i, stage in enumerate(declaration.stages):
        most = MOST_IN_WAVES if any(is_gate(action) for action in stage.actions) else MOST_IN_STAGE
        if len(stage.actions) > most:
            path = ("stages", i, "actions")
            yield Finding(path, f"more than {most} actions in a stage: split the stage")
    if len(actions(declaration)) > MOST_ACTIONS:
        yield Finding(("stages",), f"more than {MOST_ACTIONS} actions: split the pipeline")
    if len(declaration.variables) > MOST_VARIABLES:
        yield Finding(("variables",), f"more than {MOST_VARIABLES} variables")


def _names(declaration: PipelineDeclaration) -> Iterator[Finding]:
    stages = [(("stages", i, "name"), s.name) for i, s in enumerate(declaration.stages)]
    yield from _twice(stages, "a second stage of this name: stage names are unique")
    variables = [(("variables", i, "name"), v.name) for i, v in enumerate(declaration.variables)]
    yield from _twice(variables, "a second variable of this name")
    for path, name in variables:
        if not VARIABLE_NAME.fullmatch(name):
            yield Finding(path, f"{name!r} may hold letters, digits and @ _ - only")
    for number in range(len(declaration.stages)):
        # Rules become rows beside the actions, so they share one set of names.
        named = [
            ((*placed.path, "name"), placed.item.name)
            for placed in everything(declaration)
            if placed.stage == number
        ]
        message = "a second action or rule of this name in the stage: give it another `name`"
        yield from _twice(named, message)


def _twice(named: Iterable[tuple[Path, str]], message: str) -> Iterator[Finding]:
    seen = set()
    for path, name in named:
        if name in seen:
            yield Finding(path, message)
        seen.add(name)


def _namespaces(declaration: PipelineDeclaration) -> Iterator[Finding]:
    spaces = [
        ((*placed.path, "namespace"), placed.item.namespace)
        for placed in actions(declaration)
        if placed.item.namespace is not None
    ]
    yield from _twice(spaces, "a second action has this namespace: namespaces are unique")
    for path, space in spaces:
        if space in RESERVED:
            yield Finding(path, f"{space!r} is reserved: choose another namespace")
