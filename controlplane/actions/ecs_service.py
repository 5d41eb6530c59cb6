"""What the ECS drivers share: a service, its deployments, and how the one to a task definition stands.

UpdateService takes no client token, but the task definition that it goes to is ours alone: that is what a
deployment is known by, in DescribeServices while it is shown there, and in the service's history after that.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions.base import ActionError, Outcome, Progress, Task
from controlplane.actions.vendor import asking, need, partition_of, scope_of, told

HISTORY = 20
"""Deployments that are looked through, the newest first; DescribeServiceRevisions takes as many."""
LOOK = timedelta(seconds=10)
LONGEST = 1200
ENDED: Mapping[str, Outcome] = {
    "SUCCESSFUL": Outcome.SUCCEEDED,
    "STOPPED": Outcome.FAILED,
    "ROLLBACK_SUCCESSFUL": Outcome.FAILED,
    "ROLLBACK_FAILED": Outcome.FAILED,
    "ROLLBACK_IN_PROGRESS": Outcome.FAILED,
    "ROLLBACK_REQUESTED": Outcome.FAILED,
}
"""How a deployment that DescribeServices shows no more has ended."""

Info = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its name, and with which rights we act on it."""

    client: Any
    account: str
    region: str
    cluster: str
    name: str

    def __str__(self) -> str:
        return f"service {self.cluster}/{self.name} in {self.account}"

    @property
    def request(self) -> dict[str, str]:
        """How one call names it."""
        return {"cluster": self.cluster, "service": self.name}

    @property
    def url(self) -> str:
        """Its page in the AWS console."""
        host = f"{self.region}.console.aws.amazon.com"
        path = f"clusters/{self.cluster}/services/{self.name}/deployments"
        return f"https://{host}/ecs/v2/{path}?region={self.region}"


def service_of(clients: Clients, task: Task, purpose: Purpose) -> Service:
    """Answer the service that a task is about, with a session narrowed to it and to task definitions."""
    cluster, name = need(task, "ClusterName").rpartition("/")[2], need(task, "ServiceName")
    account = clients.registry.get(task.account)
    where = f"arn:{partition_of(account)}:ecs:{task.region}:{account.id}"
    own = f"{cluster}/{name.rpartition('/')[2]}"
    named = (
        f"{where}:service/{own}",
        f"{where}:service-revision/{own}/*",
        f"{where}:task-definition/*",
    )
    client = clients.client("ecs", task.account, task.region, purpose, scope_of(task, named))
    return Service(client, task.account, task.region, cluster, name.rpartition("/")[2])


def read(service: Service) -> Info:
    """Describe the service; ActionError (permanent) where ECS does not deploy it."""
    with asking(f"read {service}"):
        answer = service.client.describe_services(cluster=service.cluster, services=[service.name])
    found = [one for one in told(answer, "services") if one.get("status") == "ACTIVE"]
    if not found:
        raise ActionError(f"There is no {service}.", permanent=True)
    controller = (found[0].get("deploymentController") or {}).get("type", "ECS")
    if controller != "ECS":
        said = f"{service} is deployed by {controller}, not by ECS: use that, such as CodeDeploy."
        raise ActionError(said, permanent=True)
    return dict(found[0])


def primary(info: Info) -> Info:
    """Answer the deployment that the service is to be in the end."""
    found = [one for one in info.get("deployments") or () if one.get("status") == "PRIMARY"]
    return found[0] if found else {}


def state_of(deployment: Info) -> str:
    """Read its rolloutState; a service that is older than that word is told by its tasks."""
    if deployment.get("rolloutState"):
        return str(deployment["rolloutState"])
    whole = deployment.get("runningCount") == deployment.get("desiredCount")
    return "COMPLETED" if whole and not deployment.get("pendingCount") else "IN_PROGRESS"


def update(service: Service, definition: str, *, anew: bool = False) -> Progress:
    """Let the service run this task definition; to one that it runs already nothing is begun.

    anew: start its tasks anew all the same.
    """
    with asking(f"update {service}"):
        service.client.update_service(
            **service.request,
            taskDefinition=definition,
            **({"forceNewDeployment": True} if anew else {}),
        )
    return begun(service, definition)


def begun(service: Service, definition: str) -> Progress:
    """Report that a deployment began."""
    short = definition.rpartition("/")[2]
    return Progress(
        Outcome.RUNNING,
        definition,
        f"{service} goes to {short}",
        LOOK,
        service.url,
        output={"TaskDefinitionArn": definition},
    )


def progress(service: Service, info: Info, definition: str) -> Progress:
    """Report how the deployment to a task definition stands, from the service or from its history."""
    shown = [one for one in info.get("deployments") or () if one["taskDefinition"] == definition]
    if not shown:
        return _from_history(service, info, definition)
    one, state = shown[0], state_of(shown[0])
    if state == "COMPLETED":
        return _told(service, Outcome.SUCCEEDED, definition, "runs it", info)
    if state == "FAILED" or one.get("status") != "PRIMARY":
        why = one.get("rolloutStateReason") or f"{_short(info)} took its place"
        return _told(service, Outcome.FAILED, definition, f"does not: {why}", info)
    failed = f", {one['failedTasks']} failed" if one.get("failedTasks") else ""
    tasks = f"{one.get('runningCount', 0)} of {one.get('desiredCount', 0)} tasks run{failed}"
    return _told(service, Outcome.RUNNING, definition, tasks, info if failed else {})


def deployed(service: Service, definition: str) -> str:
    """How the newest deployment to a task definition stands in the history; "" where there was none."""
    with asking(f"list the deployments of {service}"):
        answer = service.client.list_service_deployments(**service.request, maxResults=HISTORY)
        listed = {
            one["targetServiceRevisionArn"]: one
            for one in reversed(told(answer, "serviceDeployments"))
            if one.get("targetServiceRevisionArn")
        }
        if not listed:
            return ""
        revisions = service.client.describe_service_revisions(serviceRevisionArns=list(listed))
    went = [
        listed[one["serviceRevisionArn"]]
        for one in told(revisions, "serviceRevisions")
        if one.get("taskDefinition") == definition
    ]
    return str(went[-1].get("status", "")) if went else ""


def newest_event(info: Info) -> str:
    """The last thing that ECS says of the service; "" where it says nothing."""
    events: Sequence[Info] = info.get("events") or ()
    return str(events[0].get("message", "")) if events else ""


def _from_history(service: Service, info: Info, definition: str) -> Progress:
    status = deployed(service, definition)
    if status not in ENDED:  # ECS takes a moment to show it
        short = definition.rpartition("/")[2]
        raise ActionError(f"{service} shows no deployment to {short} yet")
    said = f"{status}, and it runs {_short(info)} now"
    return _told(service, ENDED[status], definition, said, info)


def _told(service: Service, outcome: Outcome, definition: str, said: str, info: Info) -> Progress:
    """info: {} where the service's newest event tells nothing more."""
    event = newest_event(info) if outcome is not Outcome.SUCCEEDED else ""
    text = f"{service} {definition.rpartition('/')[2]}: {said}{event and f'; {event}'}"
    output = {"TaskDefinitionArn": definition}
    return Progress(outcome, definition, text[:LONGEST], LOOK, service.url, output=output)


def _short(info: Info) -> str:
    return str(info.get("taskDefinition", "")).rpartition("/")[2]
