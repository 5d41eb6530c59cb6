"""What an execution is about, where that is built on the way: the bytes that are tested and deployed. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from controlplane.declarations.model import StageDeclaration
from controlplane.engine.view import deploys


class Made(NamedTuple):
    """Which action of which stage makes an artifact."""

    stage: str
    action: str
    artifact: str


def built_for(stages: Sequence[StageDeclaration]) -> Made | None:
    """Answer what was built for the first deployment; None where that deploys a source, or nothing.

    What an action of category Deploy puts out is a copy (S3Promote), and is followed back to what it is a copy
    of. Whatever is deployed later must be the same bytes.
    """
    makers = {
        artifact.name: (stage.name, action)
        for stage in stages
        for action in stage.actions
        for artifact in action.output_artifacts
    }
    wanted = _first_deployed(stages)
    for _ in makers:  # each is passed once at most, however they are declared
        if wanted not in makers:
            return None
        stage, action = makers[wanted]
        category = action.action_type_id.category
        if category != "Deploy" or not action.input_artifacts:
            return None if category == "Source" else Made(stage, action.name, wanted)
        wanted = action.input_artifacts[0].name
    return None


def _first_deployed(stages: Sequence[StageDeclaration]) -> str:
    for stage in stages:
        for side_by_side in stage.run_orders:
            for action in side_by_side:
                if deploys(action) and action.input_artifacts:
                    return action.input_artifacts[0].name
    return ""
