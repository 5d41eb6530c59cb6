"""What StartBuild is asked for, made of a task.

CodePipeline hands a project its own kinds of source and artifact (CODEPIPELINE); whoever else starts a
build has to override both, for the build only, so the project stays as it is. Inputs become S3 sources that
are pinned to a version, or a repository at a commit (CODEBUILD_CLONE_REF); outputs go into the pipeline's
store, or a bucket of the account's, under the token.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html
"""

import json
from collections.abc import Mapping
from typing import Any

from controlplane.actions.base import ActionError, Artifact, Task
from controlplane.actions.build_words import TOKEN, Variable, checked, environment, identifier
from controlplane.actions.clones import Clone
from controlplane.actions.s3_content import Place, place_of
from monitors.base import Store

PREFIX = "builds"
EVERYTHING = ("**/*",)
WHOLE = 0
"""How deep CodeBuild clones: all of the history, which is what the format is chosen for."""
Clones = Mapping[str, Clone]
NO_CLONES: Clones = {}
NOTHING: Mapping[str, Any] = {"type": "NO_ARTIFACTS"}


def build_request(task: Task, store: Store, clones: Clones = NO_CLONES) -> dict[str, Any]:
    """Say what to build: of a CodeBuild action, or of a Commands action by a buildspec of its own.

    clones: of the inputs that only name a commit, by the artifact's name.
    """
    given = task.configuration
    variables = _declared_variables(task)
    request: dict[str, Any] = {
        "idempotencyToken": task.token,
        "environmentVariablesOverride": [
            *(one.request for one in variables),
            Variable(TOKEN, task.token).request,
        ],
        **_sources(task, clones),
        **_artifacts(task, store),
    }
    if store.key and _bucket(task, store) == store.bucket:
        # A project's own key may be one that nobody else can read by.
        request["encryptionKeyOverride"] = store.key
    if task.shell is not None:
        request["buildspecOverride"] = buildspec(task)
    elif given.get("BuildspecOverride"):
        request["buildspecOverride"] = given["BuildspecOverride"]
    if task.shell is not None and not task.inputs:
        request["sourceTypeOverride"] = "NO_SOURCE"
    if is_batch(task) and given.get("CombineArtifacts") == "true":
        request["buildBatchConfigOverride"] = {"combineArtifacts": True}
    return request


def is_batch(task: Task) -> bool:
    """Say whether the project's batch is built."""
    return task.configuration.get("BatchEnabled") == "true"


def buildspec(task: Task) -> str:
    """Write the commands as a buildspec; JSON is YAML, so nothing in a line can break out of its place."""
    shell = task.shell
    if shell is None or not shell.commands:
        raise ActionError(f"Action {task.action} has no commands to run.", permanent=True)
    spec: dict[str, Any] = {
        "version": "0.2",
        "phases": {"build": {"commands": list(shell.commands)}},
    }
    if shell.exports:
        spec["env"] = {"exported-variables": list(shell.exports)}
    if task.outputs:
        spec["artifacts"] = {"files": list(shell.files or EVERYTHING)}
    return json.dumps(spec, ensure_ascii=False)


def place_for(task: Task, store: Store, name: str) -> Place:
    """Say where an output of this task goes: nobody else writes under its token."""
    key = f"{PREFIX}/{task.pipeline}/{task.token}/{name}.zip"
    return Place(_bucket(task, store), key)


def _bucket(task: Task, store: Store) -> str:
    """The pipeline's store or the account's own, or one that other accounts may read from, too."""
    return task.configuration.get("ArtifactBucket") or store.bucket


def _declared_variables(task: Task) -> list[Variable]:
    try:
        if task.shell is not None:
            return checked([Variable(*one) for one in task.shell.environment])
        return environment(task.configuration.get("EnvironmentVariables", ""))
    except ValueError as error:
        said = f"EnvironmentVariables of action {task.action}: {error}"
        raise ActionError(said, permanent=True) from None


def _sources(task: Task, clones: Clones) -> dict[str, Any]:
    """The primary source, and the others beside it under their names ($CODEBUILD_SRC_DIR_Name)."""
    if not task.inputs:
        return {}
    primary = _primary(task)
    others = [one for one in task.inputs if one is not primary]
    _unique(task, [one.name for one in others])
    found = _primary_source(primary, clones.get(primary.name))
    if others:
        listed = [_source(one, clones.get(one.name)) for one in others]
        names = [identifier(one.name) for one in others]
        found["secondarySourcesOverride"] = [
            {**source, "sourceIdentifier": name}
            for name, (source, _) in zip(names, listed, strict=True)
        ]
        found["secondarySourcesVersionOverride"] = [
            {"sourceIdentifier": name, "sourceVersion": newest}
            for name, (_, newest) in zip(names, listed, strict=True)
        ]
    return found


def _primary_source(artifact: Artifact, clone: Clone | None) -> dict[str, Any]:
    source, version = _source(artifact, clone)
    found = {
        "sourceTypeOverride": source["type"],
        "sourceLocationOverride": source["location"],
        "sourceVersion": version,
    }
    if clone is not None:
        found["gitCloneDepthOverride"] = WHOLE
        if clone.auth:
            found["sourceAuthOverride"] = clone.auth
    return found


def _primary(task: Task) -> Artifact:
    wanted = task.configuration.get("PrimarySource", "")
    if not wanted and (len(task.inputs) == 1 or task.shell is not None):
        return task.inputs[0]
    for one in task.inputs:
        if one.name == wanted:
            return one
    names = ", ".join(one.name for one in task.inputs)
    said = f"PrimarySource of action {task.action} must be one of its input artifacts: {names}."
    raise ActionError(said, permanent=True)


def _source(artifact: Artifact, clone: Clone | None) -> tuple[dict[str, Any], str]:
    """As CodeBuild reads an input: type and location, and the version or the commit that was tested."""
    if clone is not None:
        auth = {"auth": clone.auth} if clone.auth else {}
        source = {"type": clone.type, "location": clone.url, "gitCloneDepth": WHOLE, **auth}
        return source, clone.commit
    place = place_of(artifact.location, artifact.version)
    if not artifact.version:
        said = f"{artifact.location} is not pinned to a version: turn versioning on for its bucket."
        raise ActionError(said, permanent=True)
    return {"type": "S3", "location": f"{place.bucket}/{place.key}"}, artifact.version


def _artifacts(task: Task, store: Store) -> dict[str, Any]:
    """One output is the primary artifact; several are secondary ones, by their names in the buildspec."""
    if len(task.outputs) <= 1:
        made = [_artifact(task, store, name) for name in task.outputs]
        # A project with none of its own (CODEPIPELINE) is refused without this.
        return {"artifactsOverride": made[0] if made else dict(NOTHING)}
    _unique(task, task.outputs)
    several = [
        {**_artifact(task, store, name), "artifactIdentifier": identifier(name)}
        for name in task.outputs
    ]
    return {"artifactsOverride": dict(NOTHING), "secondaryArtifactsOverride": several}


def _artifact(task: Task, store: Store, name: str) -> dict[str, Any]:
    place = place_for(task, store, name)
    folder, _, file = place.key.rpartition("/")
    return {
        "type": "S3",
        "location": place.bucket,
        "path": folder,
        "name": file,
        "namespaceType": "NONE",
        "packaging": "ZIP",
        "overrideArtifactName": False,
        "encryptionDisabled": False,
    }


def _unique(task: Task, names: Any) -> None:
    """Refuse names that CodeBuild could not tell apart."""
    if len({identifier(name) for name in names}) < len(names):
        said = f"Artifacts of action {task.action} differ in nothing that CodeBuild can tell apart."
        raise ActionError(said, permanent=True)
