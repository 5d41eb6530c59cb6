"""Deploy/AWS/CodeDeploy: deploy an artifact with CodeDeploy, to EC2, on-premises, ECS or Lambda.

Configuration: ApplicationName, DeploymentGroupName. The input artifact is the revision: a bundle,
or for ECS and Lambda the AppSpec file (.yaml, .json). Instead of an input artifact, the AppSpec
may stand in the configuration as AppSpecContent; such a deployment has no digest, so no ledger and
no way back.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeDeploy.html
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import codedeploy_api as api
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.stores import in_store
from controlplane.actions.vendor import asking, code_of, message_of, one_input, told
from monitors.heard import Heard

HARMLESS = frozenset({"DeploymentAlreadyCompletedException", "DeploymentDoesNotExistException"})


class CodeDeploy:
    """Starts a deployment and follows it. Whether CodeDeploy rolls back is the group's choice."""

    purpose = Purpose.DEPLOY

    def __init__(self, clients: Clients, heard: Heard | None = None) -> None:
        """Take the clients that act in accounts. heard: where ends are told of by EventBridge."""
        self._clients = clients
        self._heard = heard

    def start(self, task: Task) -> Progress:
        """Create the deployment; where an earlier try may have done so, look for that one first."""
        revision = _revision(task)
        group = api.group_of(self._clients, task, self.purpose)
        if task.again and (earlier := api.find(group, task.token, task.since)):
            return _begun(task, str(earlier["deploymentId"]))
        with asking(f"start a deployment of {group}"):
            try:
                answer = group.client.create_deployment(
                    **group.request,
                    revision=revision,
                    description=api.description(task),
                    # Old files may lie there from before CodeDeploy; the artifact decides.
                    **api.for_instances(
                        revision,
                        fileExistsBehavior="OVERWRITE",
                        ignoreApplicationStopFailures=False,
                    ),
                )
            except ClientError as error:
                if code_of(error) != "DeploymentLimitExceededException":
                    raise
                return self._occupied(task, group, message_of(error))
        return _begun(task, str(told(answer, "deploymentId")))

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all deployments, 25 a call."""
        client = api.reader(self._clients, tasks[0])
        infos = api.read(client, [task.handle for task in tasks if task.handle])
        told = self._heard and self._heard.lately(tasks[0].account, tasks[0].region)
        latest = api.LATEST_OF_TOLD if told else api.LATEST_LOOK
        return {
            task.token: api.progress(client, task, infos[task.handle], latest)
            for task in tasks
            if task.handle in infos
        }

    def stop(self, task: Task) -> None:
        """Stop it without a rollback of CodeDeploy's own: what follows is decided here."""
        group = api.group_of(self._clients, task, self.purpose)
        found = None if task.handle else api.find(group, task.token, task.since)
        deployment = str(found["deploymentId"]) if found else task.handle
        if not deployment:
            return
        with asking(f"stop {deployment} of {group}"):
            try:
                group.client.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
            except ClientError as error:
                if code_of(error) not in HARMLESS:
                    raise

    def _occupied(self, task: Task, group: api.Group, said: str) -> Progress:
        """Adopt what is active if it is ours; else wait for it."""
        found = api.active(group)
        for info in found:
            if api.carries(info, task.token):
                return _begun(task, str(info["deploymentId"]))
        raise ActionError(api.waiting_for(group, found, said))


def _begun(task: Task, deployment: str) -> Progress:
    return Progress(
        Outcome.RUNNING,
        handle=deployment,
        summary=f"{deployment} was created",
        look_after=api.FIRST_LOOK,
        url=api.console_url(task.region, deployment),
        output={"DeploymentId": deployment},
    )


def _revision(task: Task) -> dict[str, Any]:
    content = task.configuration.get("AppSpecContent", "")
    if content and not task.inputs:
        digest = hashlib.sha256(content.encode()).hexdigest()
        spec = {"content": content, "sha256": digest}
        return {"revisionType": "AppSpecContent", "appSpecContent": spec}
    artifact = one_input(task)
    if content:
        raise ActionError(
            f"Action {task.action} has both AppSpecContent and an input artifact: leave one out.",
            permanent=True,
        )
    if artifact.account not in ("", task.account) and not in_store(task, artifact):
        raise ActionError(
            f"{artifact.name} lies in account {artifact.account}, but {task.account} is deployed "
            "to: promote it there first (S3Promote).",
            permanent=True,
        )
    if not artifact.version:
        raise ActionError(
            f"{artifact.location} is not pinned to a version: what was tested could be replaced. "
            "Turn versioning on for its bucket.",
            permanent=True,
        )
    return api.s3_revision(artifact.location, artifact.version)
