"""Deploy/Custom/CodeDeployStop: stop what is in flight, follow CodeDeploy's own rollback.

Configuration: ApplicationName, DeploymentGroupName, DeploymentToken, DeploymentId ("" where a
crash kept us from learning it). A rollback is a new deployment of CodeDeploy's; whether that put
the right revision back is for the restoring action which follows, so everything that has ended is
a success here.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html

handle: "d-STOPPED" while it stops, "d-STOPPED/n" while its rollback has not shown itself for n
looks, "d-STOPPED/d-ROLLBACK" while the rollback runs.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import codedeploy_api as api
from controlplane.actions.base import MonitorError, Outcome, Progress, Task
from controlplane.actions.vendor import asking, code_of

LOOKED_BACK = timedelta(days=6)
"""No deployment lasts longer (ECS: 120 hours), so what we are told to stop is younger."""
SHOWN_WITHIN = 5
"""Looks. CodeDeploy makes the rollback's deployment at once; where none shows, there is none."""
SOON = timedelta(seconds=1)


class CodeDeployStop:
    """Stops a deployment with CodeDeploy's automatic rollback, and waits for that one's end."""

    purpose = Purpose.ROLLBACK
    side_by_side = 4  # many go back at once where a release was bad everywhere

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Stop it. Doing so twice is harmless, so a second try needs no token of its own."""
        group = api.group_of(self._clients, task, self.purpose)
        info = self._deployment(task, group)
        if info is None:
            return _ended(task, "", "it never reached CodeDeploy: nothing to stop")
        deployment = str(info["deploymentId"])
        # Only what we stopped ourselves may have a rollback that is still to come.
        looks = 0 if task.again else SHOWN_WITHIN
        if info.get("status") in api.ACTIVE:
            looks = 0
            with asking(f"stop {deployment} of {group}"):
                try:
                    group.client.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
                except ClientError as error:
                    if code_of(error) != "DeploymentAlreadyCompletedException":
                        raise
            info = api.read(group.client, [deployment]).get(deployment, info)
        return _stopped(task, deployment, info, looks)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read what each waits for, 25 a call."""
        client = api.reader(self._clients, tasks[0], self.purpose)
        awaited = {task.token: _awaited(task.handle) for task in tasks}
        infos = api.read(client, [one for one in awaited.values() if one])
        answers: dict[str, Progress | MonitorError] = {}
        for task in tasks:
            info = infos.get(awaited[task.token])
            if info is None:
                continue
            stopped, _, rest = task.handle.partition("/")
            if rest.startswith("d-"):
                answers[task.token] = _rolling_back(task, stopped, info)
            else:
                answers[task.token] = _stopped(task, stopped, info, int(rest or 0))
        return answers

    def stop(self, task: Task) -> None:
        """Do nothing: a stop is not taken back, and CodeDeploy's rollback leads where we want."""

    def _deployment(self, task: Task, group: api.Group) -> api.Info | None:
        known = task.configuration.get("DeploymentId", "")
        if known and (info := api.read(group.client, [known]).get(known)):
            return info
        since = task.now - LOOKED_BACK if task.now else None
        return api.find(group, task.configuration.get("DeploymentToken", ""), since)


def _awaited(handle: str) -> str:
    stopped, _, rest = handle.partition("/")
    return rest if rest.startswith("d-") else stopped


def _stopped(task: Task, deployment: str, info: api.Info, looks: int = 0) -> Progress:
    """Tell what follows from how the deployment that is being stopped stands."""
    status = str(info.get("status", ""))
    if status in api.ACTIVE:
        return _running(task, deployment, f"stopping {deployment}, which is {status}")
    rollback = str(info.get("rollbackInfo", {}).get("rollbackDeploymentId", ""))
    if rollback:
        text = f"{deployment} is {status}; CodeDeploy rolls back with {rollback}"
        return _running(task, f"{deployment}/{rollback}", text)
    if status == "Stopped" and looks < SHOWN_WITHIN:
        text = f"{deployment} is Stopped; looking for CodeDeploy's rollback"
        return _running(task, f"{deployment}/{looks + 1}", text)
    if status == "Stopped":
        return _ended(task, deployment, f"{deployment} is Stopped; CodeDeploy rolled nothing back")
    return _ended(task, deployment, f"{deployment} had ended: {status}")


def _rolling_back(task: Task, deployment: str, info: api.Info) -> Progress:
    rollback, status = str(info["deploymentId"]), str(info.get("status", ""))
    if status in api.ACTIVE:
        text = f"CodeDeploy rolls {deployment} back: {rollback} is {status}{api.counted(info)}"
        return _running(task, f"{deployment}/{rollback}", text)
    if status != "Succeeded":
        text = f"{deployment} is stopped, but CodeDeploy's rollback {rollback} is {status}"
        return _ended(task, deployment, text, rollback)
    place = api.place_in(info)
    to = place.location if place else "an earlier revision"
    if place and place.version:
        to += f"?versionId={place.version}"
    text = f"{deployment} is stopped; CodeDeploy's rollback {rollback} succeeded"
    return _ended(task, deployment, text, rollback, to)


def _running(task: Task, handle: str, summary: str) -> Progress:
    url = api.console_url(task.region, _awaited(handle))
    return Progress(Outcome.RUNNING, handle, summary, SOON, url)


def _ended(
    task: Task, deployment: str, summary: str, rollback: str = "", rolled_back_to: str = ""
) -> Progress:
    return Progress(
        Outcome.SUCCEEDED,
        handle=f"{deployment}/{rollback}".rstrip("/"),
        summary=summary,
        url=api.console_url(task.region, rollback or deployment) if deployment else "",
        output={
            "StoppedDeploymentId": deployment,
            "RollbackDeploymentId": rollback,
            "RolledBackTo": rolled_back_to,
        },
    )
