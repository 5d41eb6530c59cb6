"""What an execution is about: the artifacts that it deploys, each by the name that it was made under. Pure.

An execution may deploy several: of several sources, of several builds. What an action of category Deploy
puts out is a copy (S3Promote), and is followed back to what it is a copy of.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from controlplane.actions.clones import FORMAT as CLONE_REF
from controlplane.declarations.model import ActionDeclaration, StageDeclaration
from controlplane.engine.view import deploys
from controlplane.ledger import application_of


class Made(NamedTuple):
    """Which action of which stage makes an artifact."""

    stage: str
    action: str
    artifact: str


class Subject(NamedTuple):
    """origins: artifact -> the one whose bytes it is, itself or what it is a copy of.

    by_stage: the origins that each stage deploys, in order. references: artifacts that only name a commit
    to clone, and their copies.
    """

    origins: Mapping[str, str]
    by_stage: tuple[tuple[str, ...], ...]
    references: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is deployed, what is deployed first first."""
        return tuple(dict.fromkeys(name for stage in self.by_stage for name in stage))

    def ahead(self, position: int) -> tuple[str, ...]:
        """What a stage and those after it deploy."""
        return tuple(dict.fromkeys(name for stage in self.by_stage[position:] for name in stage))


def subject_of(stages: Sequence[StageDeclaration]) -> Subject:
    """Answer what the stages deploy."""
    copies = {
        artifact.name: action.input_artifacts[0].name
        for stage in stages
        for action in stage.actions
        if action.action_type_id.category == "Deploy" and action.input_artifacts
        for artifact in action.output_artifacts
    }
    names = {one.name for stage in stages for a in stage.actions for one in a.input_artifacts}
    origins = {name: _followed(copies, name) for name in sorted({*names, *copies})}
    deployed = [
        [origins[one.input_artifacts[0].name] for one in _deploying(stage)] for stage in stages
    ]
    by_stage = tuple(tuple(dict.fromkeys(names)) for names in deployed)
    return Subject(origins, by_stage, _references(stages, origins))


def _references(stages: Sequence[StageDeclaration], origins: Mapping[str, str]) -> frozenset[str]:
    named = {
        artifact.name
        for stage in stages
        for action in stage.actions
        if action.configuration.get("OutputArtifactFormat") == CLONE_REF
        for artifact in action.output_artifacts
    }
    return frozenset(named | {copy for copy, origin in origins.items() if origin in named})


def built_for(stages: Sequence[StageDeclaration]) -> Made | None:
    """Answer what was built for the first deployment; None where that deploys a source, or nothing."""
    wanted = next(iter(subject_of(stages).names), "")
    for stage in stages:
        for action in stage.actions:
            if wanted in [artifact.name for artifact in action.output_artifacts]:
                category = action.action_type_id.category
                return None if category == "Source" else Made(stage.name, action.name, wanted)
    return None


def untested(
    stages: Sequence[StageDeclaration], stage: str, action: ActionDeclaration
) -> tuple[str, ...]:
    """What earlier stages deployed of an action's application, where that is not what it deploys.

    An application that is built anew for a later stage is one that no stage has tested.
    """
    subject = subject_of(stages)
    application, mine = application_of(action.configuration), action.input_artifacts
    if not application or not mine:
        return ()
    before: list[str] = []
    for one in stages:
        if one.name == stage:
            break
        before += [
            subject.origins[other.input_artifacts[0].name]
            for other in _deploying(one)
            if application_of(other.configuration) == application and other.driver == action.driver
        ]
    return () if subject.origins[mine[0].name] in before else tuple(dict.fromkeys(before))


def _deploying(stage: StageDeclaration) -> list[ActionDeclaration]:
    """In the order in which they run."""
    found = (action for side_by_side in stage.run_orders for action in side_by_side)
    return [action for action in found if deploys(action) and action.input_artifacts]


def _followed(copies: Mapping[str, str], name: str) -> str:
    for _ in copies:  # each is passed once at most, however they are declared
        if name not in copies:
            break
        name = copies[name]
    return name
