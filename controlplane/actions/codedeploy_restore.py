"""Deploy/Custom/CodeDeployRestore: make a deployment group serve a given revision again.

Configuration: ApplicationName, DeploymentGroupName, RevisionLocation (s3://bucket/key),
RevisionVersion, RevisionDigest. It re-reads before it acts: where the group serves that revision
already, it is done, unless EvenIfServed says that it is to be deployed all the same (a drill does).
The deployment ignores the group's alarms, or the alarm that called for it would stop it, and failing
ApplicationStop scripts, which are the bad release's own.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import codedeploy_api as api
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.s3_content import Place, place_of
from controlplane.actions.vendor import asking, code_of, message_of, need, told


class CodeDeployRestore:
    """Redeploys the last known good; acts with the role that stays when deploying is revoked."""

    purpose = Purpose.ROLLBACK

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Redeploy, unless that is under way or done; a foreign deployment is waited for."""
        wanted = place_of(
            need(task, "RevisionLocation"), task.configuration.get("RevisionVersion", "")
        )
        revision = api.s3_revision(wanted.location, wanted.version)
        group = api.group_of(self._clients, task, self.purpose)
        if task.again and (earlier := api.find(group, task.token, task.since)):
            return api.progress(group.client, task, earlier)
        if found := api.active(group):
            return _occupied(task, group, found)
        anyway = task.configuration.get("EvenIfServed") == "true"
        if not anyway and (done := _served(group, wanted)):
            return Progress(
                Outcome.SUCCEEDED,
                handle=done,
                summary=f"already restored by {done}",
                url=api.console_url(task.region, done),
                output={"DeploymentId": done},
            )
        return _redeploy(task, group, revision)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all deployments, 25 a call."""
        client = api.reader(self._clients, tasks[0], self.purpose)
        infos = api.read(client, [task.handle for task in tasks if task.handle])
        return {
            task.token: api.progress(client, task, infos[task.handle])
            for task in tasks
            if task.handle in infos
        }

    def stop(self, task: Task) -> None:
        """Do nothing: a way back given up half-way would leave instances on both releases."""


def _occupied(task: Task, group: api.Group, found: Sequence[api.Info], said: str = "") -> Progress:
    for info in found:
        if api.carries(info, task.token):
            return replace(api.progress(group.client, task, info), look_after=api.FIRST_LOOK)
    raise ActionError(api.waiting_for(group, found, said))


def _served(group: api.Group, wanted: Place) -> str:
    """Find the deployment by which all of the group serves the revision; "" where none does.

    The last success alone does not say so: a deployment that was stopped after it may have touched
    instances, and one that succeeded may have left failed instances behind.
    """
    with asking(f"read {group}"):
        answer = group.client.get_deployment_group(**group.request)
    read: Mapping[str, Any] = told(answer, "deploymentGroupInfo")
    good = str(read.get("lastSuccessfulDeployment", {}).get("deploymentId", ""))
    if not good or good != read.get("lastAttemptedDeployment", {}).get("deploymentId"):
        return ""
    info = api.read(group.client, [good]).get(good, {})
    overview = info.get("deploymentOverview", {})
    whole = not any(overview.get(key) for key in ("Failed", "Skipped", "Pending", "InProgress"))
    return good if whole and api.place_in(info) == wanted else ""


def _redeploy(task: Task, group: api.Group, revision: dict[str, Any]) -> Progress:
    with asking(f"redeploy the last known good to {group}"):
        try:
            answer = group.client.create_deployment(
                **group.request,
                revision=revision,
                description=api.description(task, "restores "),
                fileExistsBehavior="OVERWRITE",
                ignoreApplicationStopFailures=True,
                autoRollbackConfiguration={"enabled": False},
                # Needs codedeploy:UpdateDeploymentGroup as well, says the API reference.
                overrideAlarmConfiguration={"enabled": False, "alarms": []},
            )
        except ClientError as error:
            if code_of(error) != "DeploymentLimitExceededException":
                raise
            return _occupied(task, group, api.active(group), message_of(error))
    deployment = str(told(answer, "deploymentId"))
    return Progress(
        Outcome.RUNNING,
        handle=deployment,
        summary=f"{deployment} restores {task.configuration.get('RevisionDigest', '')}",
        look_after=api.FIRST_LOOK,
        url=api.console_url(task.region, deployment),
        output={"DeploymentId": deployment},
    )
