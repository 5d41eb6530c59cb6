"""Deploy/Custom/CodeDeployRestore: make a deployment group serve a given revision again.

Configuration: ApplicationName, DeploymentGroupName, RevisionLocation (s3://bucket/key),
RevisionVersion, RevisionDigest, and of what is undone DeploymentToken and DeploymentId. It re-reads
before it acts: where the group serves that revision already it is done (unless EvenIfServed says that it
is to be deployed all the same, as a drill does), and where somebody deployed something else since it does
not overwrite that. The deployment ignores the group's alarms, or the alarm that called for it would stop
it, and failing ApplicationStop scripts, which are the bad release's own.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html

A Lambda function's alias is moved directly, and read again; its handle is "alias:FUNCTION:ALIAS:VERSION".
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import codedeploy_alias as aliases
from controlplane.actions import codedeploy_api as api
from controlplane.actions import codedeploy_appspec as appspec
from controlplane.actions import codedeploy_fence as fence
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.s3_content import Place, place_of
from controlplane.actions.vendor import (
    asking,
    code_of,
    message_of,
    need,
    partition_of,
    scope_of,
    told,
)
from monitors.edge import each_task

ALIAS = "alias:"


class CodeDeployRestore:
    """Redeploys the last known good; acts with the role that stays when deploying is revoked."""

    purpose = Purpose.ROLLBACK
    side_by_side = 4  # many go back at once where a release was bad everywhere

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Redeploy, unless that is under way or done; our own deployments are waited for."""
        wanted = place_of(
            need(task, "RevisionLocation"), task.configuration.get("RevisionVersion", "")
        )
        revision = api.s3_revision(wanted.location, wanted.version)
        group = api.group_of(self._clients, task, self.purpose)
        if task.again and (earlier := api.find(group, task.token, task.since)):
            return api.progress(group.client, task, earlier)
        if found := api.active(group):
            return _occupied(task, group, found)
        memory = fence.remembered(group)
        if shift := self._shift(task, wanted):
            return self._point_back(task, group, shift, memory)
        anyway = task.configuration.get("EvenIfServed") == "true"
        if not anyway and (done := _served(group, memory, wanted)):
            return Progress(
                Outcome.SUCCEEDED,
                handle=done,
                summary=f"already restored by {done}",
                url=api.console_url(task.region, done),
                output={"DeploymentId": done},
            )
        _refuse_strangers(task, group, memory)
        return _redeploy(task, group, revision)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read all deployments, 25 a call, and each alias."""
        moved = [task for task in tasks if task.handle.startswith(ALIAS)]
        answers: dict[str, Progress | MonitorError] = dict(each_task(moved, self._verified))
        deployed = [task for task in tasks if not task.handle.startswith(ALIAS)]
        if not deployed:
            return answers
        client = api.reader(self._clients, tasks[0], self.purpose)
        infos = api.read(client, [task.handle for task in deployed if task.handle])
        return answers | {
            task.token: api.progress(client, task, infos[task.handle])
            for task in deployed
            if task.handle in infos
        }

    def stop(self, task: Task) -> None:
        """Do nothing: a way back given up half-way would leave instances on both releases."""

    def _shift(self, task: Task, wanted: Place) -> appspec.Shift | None:
        """Read what the good release's AppSpec says of a Lambda alias; None for ECS and bundles."""
        if not appspec.is_appspec(wanted):
            return None
        partition = partition_of(self._clients.registry.get(task.account))
        named = (f"arn:{partition}:s3:::{wanted.bucket}/{wanted.key}",)
        where = (task.account, task.region, self.purpose, scope_of(task, named))
        text = appspec.read(self._clients.client("s3", *where), wanted)
        return appspec.shift_of(text, wanted.location)

    def _point_back(
        self, task: Task, group: api.Group, shift: appspec.Shift, memory: fence.Memory
    ) -> Progress:
        """Send all of the alias's traffic to the good version, unless somebody else moved it."""
        client = aliases.client_of(self._clients, task, shift.function)
        alias = aliases.read(client, shift.function, shift.alias)
        if alias.versions == {shift.target}:
            return _pointed(task, alias, Outcome.SUCCEEDED)
        _refuse_strangers(task, group, memory)
        if task.configuration.get("DeploymentToken"):
            ours = fence.undone(task, group)
            bad = aliases.shifted_by(group.client, str(ours["deploymentId"])) if ours else None
            known = {shift.target, *((bad.current, bad.target) if bad else ())}
            aliases.refuse_strangers(alias, known)
        aliases.point(client, alias, shift.target)
        return _pointed(task, replace(alias, version=shift.target, weights={}), Outcome.RUNNING)

    def _verified(self, task: Task) -> Progress:
        """Read it again: only what the alias itself says counts."""
        function, name, version = task.handle.removeprefix(ALIAS).split(":")
        client = aliases.client_of(self._clients, task, function)
        alias = aliases.read(client, function, name)
        if alias.versions == {version}:
            return _pointed(task, alias, Outcome.SUCCEEDED)
        said = f"{alias}, though it was pointed at {version}. Run: {alias.mend(version)}"
        return Progress(Outcome.FAILED, task.handle, said)


def _pointed(task: Task, alias: aliases.Alias, outcome: Outcome) -> Progress:
    after = api.FIRST_LOOK if outcome is Outcome.RUNNING else None
    handle = f"{ALIAS}{alias.function}:{alias.name}:{alias.version}"
    good = task.configuration.get("RevisionDigest", "")
    return Progress(outcome, handle, f"{alias}, which is {good}", after)


def _refuse_strangers(task: Task, group: api.Group, memory: fence.Memory) -> None:
    fenced = task.configuration.get("DeploymentToken", "")
    if fenced and memory.newest and (newest := api.read(group.client, [memory.newest])):
        fence.refuse_strangers(task, group, newest[memory.newest])


def _occupied(task: Task, group: api.Group, found: Sequence[api.Info], said: str = "") -> Progress:
    for info in found:
        if api.carries(info, task.token):
            return replace(api.progress(group.client, task, info), look_after=api.FIRST_LOOK)
    for info in found:
        fence.refuse_strangers(task, group, info)
    raise ActionError(api.waiting_for(group, found, said))


def _served(group: api.Group, memory: fence.Memory, wanted: Place) -> str:
    """Find the deployment by which all of the group serves the revision; "" where none does.

    The last success alone does not say so: a deployment that was stopped after it may have touched
    instances, and one that succeeded may have left failed instances behind.
    """
    if not memory.good or memory.good != memory.newest:
        return ""
    info = api.read(group.client, [memory.good]).get(memory.good, {})
    overview = info.get("deploymentOverview", {})
    whole = not any(overview.get(key) for key in ("Failed", "Skipped", "Pending", "InProgress"))
    return memory.good if whole and api.place_in(info) == wanted else ""


def _redeploy(task: Task, group: api.Group, revision: dict[str, Any]) -> Progress:
    with asking(f"redeploy the last known good to {group}"):
        try:
            answer = group.client.create_deployment(
                **group.request,
                revision=revision,
                description=api.description(task, "restores "),
                **api.for_instances(
                    revision, fileExistsBehavior="OVERWRITE", ignoreApplicationStopFailures=True
                ),
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
