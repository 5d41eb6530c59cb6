"""Deploy/Custom/CodeDeployStop: stop what is in flight, follow CodeDeploy's own rollback.

Configuration: ApplicationName, DeploymentGroupName, DeploymentToken, DeploymentId ("" where a
crash kept us from learning it), QuarantinedRevisions (JSON: [[location, version], ...]). A rollback
is a new deployment of CodeDeploy's; whether that put the right revision back is for the restoring
action which follows, so everything that has ended is a success here. Where CodeDeploy remembers a
revision that is in quarantine, it is stopped without a rollback.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html

handle: "d-STOPPED" while it stops, "d-STOPPED/n" while its rollback has not shown itself for n
looks, "d-STOPPED/d-ROLLBACK" while the rollback runs, "d-STOPPED/alone" where none was asked for.

output: LeftAsItIs is a sentence where a person must see to the target unless a restore follows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import codedeploy_alias as aliases
from controlplane.actions import codedeploy_api as api
from controlplane.actions import codedeploy_fence as fence
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.s3_content import Place, place_of
from controlplane.actions.vendor import asking, code_of

ALONE = "alone"
HELD_BACK = "CodeDeploy's rollback was held back, for what it remembers is in quarantine"
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
        info = fence.undone(task, group)
        if info is None:
            return _ended(task, "", "it never reached CodeDeploy: nothing to stop")
        deployment = str(info["deploymentId"])
        # Only what we stopped ourselves may have a rollback that is still to come.
        looks = 0 if task.again else SHOWN_WITHIN
        active = info.get("status") in api.ACTIVE
        bad = _remembered_bad(task, group) if active or task.again else ""
        if active:
            looks = 0
            _stop(group, deployment, roll_back=not bad)
            info = api.read(group.client, [deployment]).get(deployment, info)
        begun = _stopped(task, deployment, info, ALONE if bad else looks)
        if bad and begun.outcome is Outcome.RUNNING:
            begun = replace(begun, summary=f"{begun.summary}; without a rollback, to {bad}")
        return self._seen_to(task, info, begun)

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
                seen = _rolling_back(task, stopped, info)
            else:
                looks = rest if rest == ALONE else int(rest or 0)
                seen = _stopped(task, stopped, info, looks)
            answers[task.token] = self._seen_to(task, info, seen)
        return answers

    def stop(self, task: Task) -> None:
        """Do nothing: a stop is not taken back, and CodeDeploy's rollback leads where we want."""

    def _seen_to(self, task: Task, info: api.Info, ended: Progress) -> Progress:
        """Read the alias of a Lambda deployment anew: a stop may have left it split."""
        if ended.outcome is Outcome.RUNNING or info.get("computePlatform") != "Lambda":
            return ended
        split = self._split(task, str(info["deploymentId"]))
        left = "; ".join(filter(None, (ended.output.get("LeftAsItIs"), split)))
        output = {**ended.output, **({"LeftAsItIs": left} if left else {})}
        return replace(
            ended, summary="; ".join(filter(None, (ended.summary, split))), output=output
        )

    def _split(self, task: Task, deployment: str) -> str:
        """Say how the alias is split and what mends it; "" where it is whole."""
        client = api.reader(self._clients, task, self.purpose)
        try:
            shift = aliases.shifted_by(client, deployment)
            if shift is None:
                return ""
            function = aliases.client_of(self._clients, task, shift.function)
            alias = aliases.read(function, shift.function, shift.alias)
        except ActionError as error:
            return f"whether its alias is split is not known: {error}"
        return f"{alias}. Run: {alias.mend(alias.version)}" if alias.weights else ""


def _stop(group: api.Group, deployment: str, *, roll_back: bool) -> None:
    with asking(f"stop {deployment} of {group}"):
        try:
            group.client.stop_deployment(deploymentId=deployment, autoRollbackEnabled=roll_back)
        except ClientError as error:
            if code_of(error) != "DeploymentAlreadyCompletedException":
                raise


def _remembered_bad(task: Task, group: api.Group) -> str:
    """Say where the revision lies that CodeDeploy would put back, if that is in quarantine; else ""."""
    quarantined = _quarantined(task)
    good = fence.remembered(group).good if quarantined else ""
    place = api.place_in(api.read(group.client, [good]).get(good, {})) if good else None
    return f"{place.location} in quarantine" if place and place in quarantined else ""


def _quarantined(task: Task) -> frozenset[Place]:
    listed = json.loads(task.configuration.get("QuarantinedRevisions") or "[]")
    return frozenset(place_of(location, version) for location, version in listed)


def _awaited(handle: str) -> str:
    stopped, _, rest = handle.partition("/")
    return rest if rest.startswith("d-") else stopped


def _stopped(task: Task, deployment: str, info: api.Info, looks: int | str = 0) -> Progress:
    """Tell what follows from how the deployment that is being stopped stands.

    looks: for its rollback, which has not shown itself yet; ALONE where none is to come.
    """
    status = str(info.get("status", ""))
    if status in api.ACTIVE:
        handle = f"{deployment}/{ALONE}" if looks == ALONE else deployment
        return _running(task, handle, f"stopping {deployment}, which is {status}")
    rollback = str(info.get("rollbackInfo", {}).get("rollbackDeploymentId", ""))
    if rollback:
        text = f"{deployment} is {status}; CodeDeploy rolls back with {rollback}"
        return _running(task, f"{deployment}/{rollback}", text)
    if status == "Stopped" and looks == ALONE:
        said = f"{deployment} is Stopped; {HELD_BACK}"
        return _ended(task, deployment, said, left=HELD_BACK)
    if status == "Stopped" and int(looks) < SHOWN_WITHIN:
        text = f"{deployment} is Stopped; looking for CodeDeploy's rollback"
        return _running(task, f"{deployment}/{int(looks) + 1}", text)
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
        return _ended(
            task, deployment, text, rollback, left="CodeDeploy's rollback did not succeed"
        )
    place = api.place_in(info)
    to = place.location if place else "an earlier revision"
    if place and place.version:
        to += f"?versionId={place.version}"
    if place in _quarantined(task):
        to += " (in quarantine)"
    text = f"{deployment} is stopped; CodeDeploy's rollback {rollback} succeeded"
    return _ended(task, deployment, text, rollback, to)


def _running(task: Task, handle: str, summary: str) -> Progress:
    url = api.console_url(task.region, _awaited(handle))
    return Progress(Outcome.RUNNING, handle, summary, SOON, url)


def _ended(
    task: Task,
    deployment: str,
    summary: str,
    rollback: str = "",
    rolled_back_to: str = "",
    left: str = "",
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
            **({"LeftAsItIs": left} if left else {}),
        },
    )
