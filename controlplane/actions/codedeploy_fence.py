"""Whose is the newest deployment of a group? What somebody deployed by hand is not overwritten.

The fence is the deployment that is rolled back: what began in the group before it, of it (CodeDeploy's own
rollback), or for it (an earlier way back of the same stage) is ours. Anything newer belongs to somebody
who knew, or did not know, of the trouble: a person decides.
"""

from dataclasses import dataclass
from typing import Any

from controlplane.actions import codedeploy_api as api
from controlplane.actions.base import ActionError, Task
from controlplane.actions.vendor import asking, told

UPKEEP = frozenset({"autoscaling", "autoscalingTermination", "CodeDeployAutoUpdate"})
"""Creators by which CodeDeploy brings new instances to what the group serves already."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a group remembers: the ids of its last good and its last deployment, "" where none."""

    good: str
    newest: str


def remembered(group: api.Group) -> Memory:
    """Read what the group remembers."""
    with asking(f"read {group}"):
        answer = group.client.get_deployment_group(**group.request)
    read = told(answer, "deploymentGroupInfo")
    ids = (read.get(f"last{which}Deployment", {}) for which in ("Successful", "Attempted"))
    return Memory(*(str(one.get("deploymentId", "")) for one in ids))


def undone(task: Task, group: api.Group) -> api.Info | None:
    """Find the deployment that is rolled back; None where it never reached CodeDeploy."""
    known = task.configuration.get("DeploymentId", "")
    if known and (info := api.read(group.client, [known]).get(known)):
        return info
    since = task.now - api.LOOKED_BACK if task.now else None
    return api.find(group, task.configuration.get("DeploymentToken", ""), since)


def refuse_strangers(task: Task, group: api.Group, info: api.Info) -> None:
    """Raise (permanent) where this deployment is neither what we roll back nor older, nor our own.

    A way back planned by an older version of Towpath names no deployment: it is not fenced.
    """
    if not task.configuration.get("DeploymentToken") or _ours(task, info):
        return
    ours = undone(task, group)
    if ours is None and f"{task.pipeline}/{task.stage}" in _words(info):
        return
    if ours is not None and (_by_codedeploy(info, ours) or _older(info, ours)):
        return
    what = f"what is rolled back ({ours['deploymentId']})" if ours else "what is rolled back"
    raise ActionError(
        f"{info['deploymentId']} of {group} ({api.whose(info)}, {info.get('status', '')}) is newer than "
        f"{what} and not of this stage: it is not overwritten. Find out what it brought, and deploy "
        "what should stand there.",
        permanent=True,
    )


def _ours(task: Task, info: api.Info) -> bool:
    words = _words(info)
    restores = words[:1] == ["towpath"] and words[2:4] == [
        "restores",
        f"{task.pipeline}/{task.stage}",
    ]
    tokens = {task.token, task.configuration.get("DeploymentToken", "")}
    return (
        restores
        or not tokens.isdisjoint(words)
        or info["deploymentId"] == task.configuration.get("DeploymentId")
        or info.get("creator") in UPKEEP
    )


def _by_codedeploy(info: api.Info, ours: api.Info) -> bool:
    cause = info.get("rollbackInfo", {}).get("rollbackTriggeringDeploymentId", "")
    return info.get("creator") == "codeDeployRollback" and cause == ours["deploymentId"]


def _older(info: api.Info, ours: api.Info) -> bool:
    times: Any = (info.get("createTime"), ours.get("createTime"))
    return info["deploymentId"] == ours["deploymentId"] or (
        None not in times and times[0] < times[1]
    )


def _words(info: api.Info) -> list[str]:
    return str(info.get("description", "")).split()
