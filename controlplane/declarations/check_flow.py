"""What flows from action to action: artifacts, and variables."""

from collections.abc import Iterator, Mapping

from accounts.yaml_text import Path
from controlplane.actions.clones import FORMAT as CLONE_REF
from controlplane.declarations.check_structure import RESERVED
from controlplane.declarations.findings import Finding, meant
from controlplane.declarations.keys import VARIABLE
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.providers import provider_of
from controlplane.declarations.stores import names_stores
from controlplane.declarations.walk import Placed, PlacedAction, actions, everything

OF_EXECUTION = ("PipelineExecutionId",)
"""What #{codepipeline....} can name."""

Makers = Mapping[str, PlacedAction]
"""Who makes each artifact, by its name."""


def check_flow(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield the artifacts and variables that nobody makes, makes too late, or makes elsewhere."""
    makers: dict[str, PlacedAction] = {}
    for placed in actions(declaration):
        for i, artifact in enumerate(placed.item.output_artifacts):
            if artifact.name in makers:
                first = _called(declaration, makers[artifact.name])
                message = f"{first} makes an artifact of this name already: give it another name"
                yield Finding((*placed.path, "outputArtifacts", i, "name"), message)
            makers.setdefault(artifact.name, placed)
    for one in everything(declaration):
        yield from _inputs(declaration, one, makers)
        yield from _variables(declaration, one)


def _called(declaration: PipelineDeclaration, placed: Placed) -> str:
    return f"{declaration.stages[placed.stage].name}/{placed.item.name}"


def _earlier(declaration: PipelineDeclaration, one: Placed, other: PlacedAction) -> bool:
    """Say whether the other has ended when this one starts.

    The rules of a bake start together with the stage's first deployment, to watch from then on; those
    of a gate before it is entered. Those of onFailure cannot know how far the stage came.
    """
    if "beforeEntry" in one.path or "onFailure" in one.path:
        return other.stage < one.stage
    if isinstance(one, PlacedAction):
        return other.before(one)
    deploying = [
        action.run_order
        for action in declaration.stages[one.stage].actions
        if (known := provider_of(action.action_type_id)) is not None and known.deploys
    ]
    return (other.stage, other.item.run_order) < (one.stage, min(deploying, default=1))


def _inputs(declaration: PipelineDeclaration, one: Placed, makers: Makers) -> Iterator[Finding]:
    for i, artifact in enumerate(one.item.input_artifacts):
        path = (*one.path, "inputArtifacts", i, "name")
        maker = makers.get(artifact.name)
        if maker is None:
            message = f"no action makes an artifact {artifact.name!r}{meant(artifact.name, makers)}"
            yield Finding(path, message)
        elif not _earlier(declaration, one, maker):
            who = _called(declaration, maker)
            message = f"{artifact.name!r} is made by {who}, which has not ended before: "
            yield Finding(path, message + "move it to an earlier stage or a lower runOrder")
        elif one.provider is not None and one.provider.deploys and _is_reference(maker, makers):
            message = (
                f"{artifact.name} only names a commit (CODEBUILD_CLONE_REF) and holds no files to deploy: "
                "deploy what a build makes of it, or let its source put out CODE_ZIP"
            )
            yield Finding(path, message)
        elif one.provider is not None and one.provider.deploys and not _stored(declaration, maker):
            yield from _promoted(path, one, maker, _called(declaration, maker))


def _is_reference(maker: PlacedAction, makers: Makers) -> bool:
    """Say whether it, or what it is a copy of, only names a commit."""
    for _ in makers:  # each is passed once at most, however they are declared
        inputs = maker.item.input_artifacts
        before = makers.get(inputs[0].name) if inputs else None
        if maker.item.action_type_id.category != "Deploy" or before is None:
            break
        maker = before
    return maker.item.configuration.get("OutputArtifactFormat") == CLONE_REF


def _stored(declaration: PipelineDeclaration, maker: PlacedAction) -> bool:
    """Say whether it lies in the pipeline's stores, which every account may read that they let in."""
    item = maker.item
    elsewhere = item.action_type_id.category == "Deploy" or "ArtifactBucket" in item.configuration
    return names_stores(declaration) and not elsewhere


def _promoted(path: Path, one: Placed, maker: PlacedAction, who: str) -> Iterator[Finding]:
    """Refuse a copy elsewhere: a deployment reads its bundle from its own account and region."""
    here = (one.item.configuration.get("Account"), one.item.region)
    there = (maker.item.configuration.get("Account"), maker.item.region)
    if None in here or None in there or here == there:
        return
    yield Finding(
        path,
        f"this copy lies in {there[0]}/{there[1]} (made by {who}), the deployment is in "
        f"{here[0]}/{here[1]}: promote it there first, with S3Promote at a lower runOrder",
    )


def _variables(declaration: PipelineDeclaration, one: Placed) -> Iterator[Finding]:
    for path, value in _texts(one):
        for match in VARIABLE.finditer(value):
            wrong = _variable(declaration, one, match.group(1))
            if wrong is not None:
                yield Finding((*one.path, *path), f"#{{{match.group(1)}}}: {wrong}")


def _texts(one: Placed) -> Iterator[tuple[Path, str]]:
    """Where a variable may stand, and what stands there."""
    for key, value in one.item.configuration.items():
        yield ("configuration", key), value
    if isinstance(one, PlacedAction):
        for i, variable in enumerate(one.item.environment_variables):
            yield ("environmentVariables", i, "value"), variable.value


def _variable(declaration: PipelineDeclaration, one: Placed, reference: str) -> str | None:
    space, dot, name = reference.partition(".")
    if not (space and dot and name):
        return "a variable is written #{namespace.name}"
    if space == "variables":
        known = [variable.name for variable in declaration.variables]
        return (
            None if name in known else f"the pipeline has no variable {name!r}{meant(name, known)}"
        )
    if space == "codepipeline":
        return None if name in OF_EXECUTION else f"no such name{meant(name, OF_EXECUTION)}"
    spaces = {
        placed.item.namespace: placed
        for placed in actions(declaration)
        if placed.item.namespace is not None
    }
    earlier = [known for known, placed in spaces.items() if _earlier(declaration, one, placed)]
    if space in earlier:
        return None
    if space in spaces:
        who = _called(declaration, spaces[space])
        return f"{who} has the namespace {space!r}, but has not ended before"
    return f"no earlier action has the namespace {space!r}{meant(space, [*earlier, *RESERVED])}"
