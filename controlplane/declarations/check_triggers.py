"""What is wrong with `triggers`: each names a Git source of the pipeline, and its patterns can be read."""

from collections.abc import Iterator

from pydantic import ValidationError

from controlplane.declarations.findings import Finding
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.triggers import KEY, PROVIDER, GitConfiguration, Trigger

MOST = 50


def check_triggers(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield what CodePipeline would refuse, too."""
    sources = {one.name: one for one in declaration.stages[0].actions}
    seen = set[str]()
    if len(declaration.triggers) > MOST:
        yield Finding(("triggers",), f"more than {MOST} triggers")
    for i, given in enumerate(declaration.triggers[:MOST]):
        path = ("triggers", i)
        try:
            found = Trigger.model_validate(given).git_configuration
        except ValidationError as error:
            for one in error.errors():
                said = one["msg"].removeprefix("Value error, ")
                yield Finding((*path, *one["loc"]), said)
            continue
        name = found.source_action_name
        where = (*path, "gitConfiguration", "sourceActionName")
        if name not in sources or sources[name].driver != KEY:
            yield Finding(where, f"{name!r} is no source of provider {PROVIDER} in the first stage")
        if name in seen:
            yield Finding(
                where, f"a second trigger of {name!r}: put its filters into the first one"
            )
        seen.add(name)
        if declaration.pipeline_type == "V1":
            yield Finding(path, "triggers are of pipelines of type V2: write pipelineType: V2")
        yield from _combined((*path, "gitConfiguration"), found)


def _combined(path: tuple[str | int, ...], found: GitConfiguration) -> Iterator[Finding]:
    for i, one in enumerate(found.push):
        if one.tags is not None and (one.branches is not None or one.file_paths is not None):
            yield Finding(
                (*path, "push", i),
                "tags stand alone: put branches and filePaths into another filter",
            )
        if one.tags is None and one.branches is None and one.file_paths is None:
            yield Finding((*path, "push", i), "is empty: name tags, branches or filePaths")
