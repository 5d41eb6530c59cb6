"""CodeBuild (Build or Test), and Commands (Compute), which run on it: start a build and follow it to its end.

CodeBuild: ProjectName, PrimarySource, EnvironmentVariables (JSON), BatchEnabled, CombineArtifacts,
BuildspecOverride. Commands: the lines are the buildspec of a build of ProjectName, or of the project that the
settings name; CodePipeline makes itself a project for that.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html

One start, whatever happens: the call carries the action's token, and repeated within the five minutes for which
CodeBuild remembers a token it begins nothing. A start that may have gone out before is looked for first, by
the same token in the environment of the project's builds; after five minutes it has long been listed there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import clones
from controlplane.actions import codebuild_api as api
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.codebuild_outputs import Outputs
from controlplane.actions.codebuild_request import build_request, is_batch
from controlplane.actions.s3_content import Digester, place_of
from controlplane.actions.stores import store_of
from controlplane.actions.vendor import (
    asking,
    code_of,
    message_of,
    partition_of,
    scope_of,
    told,
)
from monitors.edge import each_task

FULL = "AccountLimitExceededException"
WRONG, GONE = "InvalidInputException", "ResourceNotFoundException"
SOON = timedelta(milliseconds=200)
MOST_EXPORTS = 100
LONGEST_EXPORTS = 64 * 1024


class CodeBuild:
    """Starts a build and follows it; its artifacts are read, so that what follows is pinned to them."""

    purpose = Purpose.DEPLOY
    side_by_side = 4  # a look at a large artifact reads it

    def __init__(
        self, clients: Clients, digester: Digester | None = None, commands_project: str = ""
    ) -> None:
        """Take the clients that act in accounts. commands_project: where Commands run by default."""
        self._clients = clients
        self._outputs = Outputs(clients, digester)
        self._commands_project = commands_project

    def start(self, task: Task) -> Progress:
        """Start the build; where an earlier try may have done so, look for that one first."""
        request = build_request(task, store_of(task, self._clients.registry), self._to_clone(task))
        if is_batch(task) and task.outputs and "buildBatchConfigOverride" not in request:
            said = f"Action {task.action} builds a batch: its output needs CombineArtifacts: true."
            raise ActionError(said, permanent=True)
        project = self._project(task)
        if task.again and (earlier := api.find(project, task.token, task.since)):
            return self._begun(task, earlier)
        with asking(f"start a build of {project}"):
            try:
                begin = getattr(project.client, project.kind.start)
                # Nobody would follow a build that CodeBuild itself begins after a failed one.
                alone = {} if is_batch(task) else {"autoRetryLimitOverride": 0}
                answer = begin(projectName=project.name, **request, **alone)
            except ClientError as error:
                _passing(project, error)
                raise
        return self._begun(task, told(answer, project.kind.one))

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all builds, 100 a call."""
        client = api.reader(self._clients, tasks[0])
        groups: dict[str, list[Task]] = defaultdict(list)
        for task in tasks:
            groups[api.kind_of(task).read].append(task)
        answers: dict[str, Progress | MonitorError] = {}
        for group in groups.values():
            ids = [task.handle for task in group if task.handle]
            found = api.read(client, api.kind_of(group[0]), ids)
            known = [task for task in group if task.handle in found]
            answers |= each_task(known, lambda task, found=found: self._stands(task, found))  # type: ignore[misc]
        return answers

    def stop(self, task: Task) -> None:
        """Stop the build, found by its token where we have no handle; one that has ended stays as it is."""
        project = self._project(task)
        found = None if task.handle else api.find(project, task.token, task.since)
        build = str(found["id"]) if found else task.handle
        if not build:
            return
        with asking(f"stop {build} of {project}"):
            try:
                getattr(project.client, project.kind.stop)(id=build)
            except ClientError as error:
                if code_of(error) != GONE and not self._over(project, build, error):
                    raise

    def _over(self, project: api.Project, build: str, error: ClientError) -> bool:
        if code_of(error) != WRONG:
            return False
        found = api.read(project.client, project.kind, [build]).get(build)
        return found is not None and found.get(project.kind.status) != api.RUNNING

    def _to_clone(self, task: Task) -> dict[str, clones.Clone]:
        """Read the inputs that only name a commit."""
        found = {}
        for artifact in task.inputs:
            if artifact.name in task.references:
                place = place_of(artifact.location)
                partition = partition_of(self._clients.registry.get(task.account))
                scope = scope_of(task, (f"arn:{partition}:s3:::{place.bucket}/{place.key}",))
                s3 = self._clients.client("s3", task.account, task.region, self.purpose, scope)
                with asking(f"read {place.location} in {task.account}"):
                    found[artifact.name] = clones.read(s3, artifact)
        return found

    def _project(self, task: Task) -> api.Project:
        default = self._commands_project if task.shell is not None else ""
        return api.project_of(self._clients, task, self.purpose, default)

    def _begun(self, task: Task, build: api.Build) -> Progress:
        id_ = str(told(build, "id"))
        link = api.url(self._clients, task, api.kind_of(task), build)
        return Progress(Outcome.RUNNING, id_, f"{id_} was started", api.FIRST_LOOK, link)

    def _stands(self, task: Task, found: Mapping[str, api.Build | None]) -> Progress:
        build, kind = found[task.handle], api.kind_of(task)
        if build is None:
            young = task.now and task.since and task.now - task.since < api.SKEW
            said = (
                f"CodeBuild in {task.account} does not know {task.handle}: how it ended is unknown"
            )
            raise ActionError(said, permanent=not young)
        status, link = str(build.get(kind.status, "")), api.url(self._clients, task, kind, build)
        if status == api.RUNNING:
            text = f"{task.handle} is in phase {api.phase_of(build)}"
            after = api.look_after(task, build)
            return Progress(Outcome.RUNNING, task.handle, text, after, link)
        if status in api.BAD:
            return Progress(Outcome.FAILED, task.handle, api.why(build, kind), None, link)
        if status != api.GOOD:
            raise ActionError(f"{task.handle} is {status!r}, which is no state that we know")
        artifacts = self._outputs.of(task, build)
        if artifacts is None:
            text = f"{task.handle} succeeded; its artifacts are being read"
            return Progress(Outcome.RUNNING, task.handle, text, SOON, link)
        made = "".join(f", {one.name} {one.digest}" for one in artifacts)
        return Progress(
            Outcome.SUCCEEDED,
            task.handle,
            f"{task.handle} succeeded{made}",
            None,
            link,
            _exports(task, build),
            artifacts,
        )


def _passing(project: api.Project, error: ClientError) -> None:
    """Raise what may be different later: a full house, and a token that CodeBuild knows of another request."""
    said = message_of(error)
    if code_of(error) == FULL:
        raise ActionError(f"waiting for a free place to build {project}: {said}") from error
    if code_of(error) == WRONG and ("idempot" in said.lower() or "mismatch" in said.lower()):
        raise ActionError(f"a build of {project} has our token already: {said}") from error


def _exports(task: Task, build: Any) -> dict[str, str]:
    """The variables that it exported; all of them or none, for half of one would be another one."""
    found = {
        str(one.get("name", "")): str(one.get("value", ""))
        for one in build.get("exportedEnvironmentVariables", ())
        if one.get("name")
    }
    size = sum(len(name) + len(value) for name, value in found.items())
    if len(found) > MOST_EXPORTS or size > LONGEST_EXPORTS:
        said = f"{task.handle} exports more than {MOST_EXPORTS} variables or {LONGEST_EXPORTS} characters"
        raise ActionError(f"{said}: put large results into its artifact.", permanent=True)
    return found
