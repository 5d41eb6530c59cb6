"""What the three CodeDeploy drivers share: finding, reading and explaining deployments.

CreateDeployment has no client token, so ours goes into the description, where it can be found
again. The limits are those of botocore's codedeploy model, which are stricter than the user
guide's.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeployment.html
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.base import Clients, Scope
from accounts.models import Purpose
from controlplane.actions.base import ActionError, Outcome, Progress, Task
from controlplane.actions.codedeploy_words import why
from controlplane.actions.s3_content import Place, place_of
from controlplane.actions.vendor import asking, need, partition_of, scope_of, told

BATCH = 25
DESCRIPTION = 256
PAGES = 5
"""ListDeployments answers up to 100 ids a page; what we look for is among the newest."""
SKEW = timedelta(minutes=15)
"""Our clock and CodeDeploy's may differ."""
LOOKED_BACK = timedelta(days=6)
"""No deployment lasts longer (ECS: 120 hours), so what is rolled back in flight is younger."""
ACTIVE = ("Created", "Queued", "InProgress", "Baking", "Ready")
SOONEST, LATEST_LOOK = 1.0, 15.0
LATEST_OF_TOLD = 60.0
"""Where EventBridge tells us of the end, looking is only for what it may lose."""
FIRST_LOOK = timedelta(seconds=SOONEST)
BUNDLES = {
    ".zip": "zip",
    ".tar": "tar",
    ".tgz": "tgz",
    ".tar.gz": "tgz",
    ".yaml": "YAML",
    ".yml": "YAML",
    ".json": "JSON",
}
"""YAML and JSON are the AppSpec files of ECS and Lambda deployments."""

Info = Mapping[str, Any]
"""A DeploymentInfo as BatchGetDeployments answers it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A deployment group, and with which rights we act on it."""

    client: Any
    account: str
    application: str
    name: str

    def __str__(self) -> str:
        return f"{self.application}/{self.name} in {self.account}"

    @property
    def request(self) -> dict[str, str]:
        """The parameters that name it."""
        return {"applicationName": self.application, "deploymentGroupName": self.name}


def group_of(clients: Clients, task: Task, purpose: Purpose) -> Group:
    """Answer the group a task is about, with a session narrowed to it."""
    application, name = need(task, "ApplicationName"), need(task, "DeploymentGroupName")
    account = clients.registry.get(task.account)
    prefix = f"arn:{partition_of(account)}:codedeploy:{task.region}:{account.id}"
    resources = (
        f"{prefix}:application:{application}",
        f"{prefix}:deploymentgroup:{application}/{name}",
        f"{prefix}:deploymentconfig:*",
    )
    client = clients.client(
        "codedeploy", task.account, task.region, purpose, scope_of(task, resources)
    )
    return Group(client, task.account, application, name)


def reader(clients: Clients, task: Task, purpose: Purpose = Purpose.WATCH) -> Any:
    """Answer a client for looking at many deployments of an account: not narrowed to one."""
    return clients.client("codedeploy", task.account, task.region, purpose, Scope())


def description(task: Task, doing: str = "") -> str:
    """Say what CodeDeploy shows beside the deployment; the token is its second word."""
    text = f"towpath {task.token} {doing}{task.pipeline}/{task.stage} {task.execution}"
    return text[:DESCRIPTION]


def carries(info: Info, token: str) -> bool:
    """Say whether a deployment was started under the token."""
    return bool(token) and token in str(info.get("description", "")).split()


def read(client: Any, ids: Sequence[str]) -> dict[str, Info]:
    """Read deployments by id, 25 a call; those that CodeDeploy does not know are left out."""
    found: dict[str, Info] = {}
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), BATCH):
        with asking("read deployments"):
            answer = client.batch_get_deployments(deploymentIds=wanted[start : start + BATCH])
        found |= {info["deploymentId"]: info for info in told(answer, "deploymentsInfo")}
    return found


def active(group: Group) -> list[Info]:
    """Read the deployments of the group that have not ended; CodeDeploy allows one."""
    return _listed(group, includeOnlyStatuses=list(ACTIVE))


def find(group: Group, token: str, since: datetime | None) -> Info | None:
    """Find the deployment that was started under a token since a time; None where there is none."""
    times = {"createTimeRange": {"start": since - SKEW}} if since else {}
    return next((info for info in _listed(group, **times) if carries(info, token)), None)


def _listed(group: Group, **only: Any) -> list[Info]:
    ids: list[str] = []
    more: dict[str, str] = {}
    for _ in range(PAGES):
        with asking(f"list the deployments of {group}"):
            answer = group.client.list_deployments(**group.request, **only, **more)
        ids += told(answer, "deployments")
        if not answer.get("nextToken"):
            break
        more = {"nextToken": answer["nextToken"]}
    infos = read(group.client, ids)
    return [infos[one] for one in ids if one in infos]


def waiting_for(group: Group, found: Sequence[Info], said: str) -> str:
    """Say for which deployment, and whose, we wait; said is CodeDeploy's word where it named it."""
    if not found:
        return f"waiting for a deployment of {group} that is active: {said}"
    info = found[0]
    status = info.get("status", "active")
    return f"waiting for {info['deploymentId']} of {group}, {status} ({whose(info)})"


def whose(info: Info) -> str:
    """Say by whom a deployment is, and what they wrote beside it."""
    by = f"by {info.get('creator', 'somebody')}"
    text = str(info.get("description", ""))[:100]
    return f"{by}, {text!r}" if text else by


def s3_revision(location: str, version: str) -> dict[str, Any]:
    """Spell a revision in S3, pinned to its version."""
    place = place_of(location, version)
    kind = next((kind for end, kind in BUNDLES.items() if place.key.lower().endswith(end)), None)
    if kind is None:
        raise ActionError(
            f"CodeDeploy can not tell the kind of {place.location}: its name must end in "
            f"{', '.join(BUNDLES)}.",
            permanent=True,
        )
    s3 = {"bucket": place.bucket, "key": place.key, "bundleType": kind}
    return {"revisionType": "S3", "s3Location": {**s3, "version": version} if version else s3}


def for_instances(revision: Mapping[str, Any], **only: Any) -> dict[str, Any]:
    """Answer what only a bundle on instances can be told; nothing for an AppSpec file (ECS, Lambda)."""
    kind = revision.get("s3Location", {}).get("bundleType", "")
    return only if kind in ("zip", "tar", "tgz") else {}


def place_in(info: Info) -> Place | None:
    """Say where the revision of a deployment lies; None where that is not S3."""
    s3 = info.get("revision", {}).get("s3Location")
    return Place(s3.get("bucket", ""), s3.get("key", ""), s3.get("version", "")) if s3 else None


def console_url(region: str, deployment: str) -> str:
    """Answer the page of a deployment in the AWS console."""
    host = f"{region}.console.aws.amazon.com"
    return f"https://{host}/codesuite/codedeploy/deployments/{deployment}?region={region}"


def progress(client: Any, task: Task, info: Info, latest: float = LATEST_LOOK) -> Progress:
    """Report how a deployment stands, with the cause where it failed."""
    deployment, status = str(info["deploymentId"]), str(info.get("status", ""))
    output = {"DeploymentId": deployment}
    url = console_url(task.region, deployment)
    if status == "Succeeded":
        done = counted(info)
        return Progress(
            Outcome.SUCCEEDED, deployment, f"{deployment} succeeded{done}", None, url, output
        )
    if status in ("Failed", "Stopped"):
        rollback = info.get("rollbackInfo", {}).get("rollbackDeploymentId", "")
        if rollback:
            output["RollbackDeploymentId"] = rollback
        return Progress(Outcome.FAILED, deployment, why(client, info), None, url, output)
    text = f"{deployment} is {status}{counted(info)}"
    return Progress(Outcome.RUNNING, deployment, text, look_after(task, info, latest), url, output)


def counted(info: Info) -> str:
    """Count a deployment's targets, as ": 2 of 3 done, 1 failed"; "" before they are known."""
    overview = {key: int(n) for key, n in info.get("deploymentOverview", {}).items()}
    total = sum(overview.values())
    if not total:
        return ""
    bad = "".join(
        f", {overview[key]} {key.lower()}" for key in ("Failed", "Skipped") if overview.get(key)
    )
    return f": {overview.get('Succeeded', 0)} of {total} done{bad}"


def look_after(task: Task, info: Info, latest: float = LATEST_LOOK) -> timedelta:
    """Look again after a twentieth of its age, or a quarter of what is left of it: 1 s to `latest`.

    So what we add to a deployment's length is at most 5 %, whether it lasts seconds or hours.
    """
    created = info.get("createTime")
    if created is None or task.now is None:
        return timedelta(seconds=SOONEST)
    age = (task.now - created).total_seconds()
    wait = min(age / 20, _left(age, info) / 4)
    return timedelta(seconds=min(max(wait, SOONEST), latest))


def _left(age: float, info: Info) -> float:
    """How long it will go on if its other targets take as long as those that are done."""
    overview = {key: int(n) for key, n in info.get("deploymentOverview", {}).items()}
    waiting = sum(overview.get(key, 0) for key in ("Pending", "InProgress", "Ready"))
    done = sum(overview.values()) - waiting
    return age * waiting / done if done > 0 else math.inf
