"""Deploy/AWS/ECS: give the containers of a service other images, and watch ECS roll them out.

Configuration: ClusterName, ServiceName, FileName (imagedefinitions.json), DeploymentTimeout (minutes). The
service's own task definition is registered anew with the images replaced, and nothing else of the service is
touched. Whether a deployment that fails is rolled back by ECS is the service's choice (its circuit breaker).
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECS.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import ecs_definitions as definitions
from controlplane.actions import ecs_service as services
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.ecs_images import images_of
from controlplane.actions.vendor import one_input, scope_of
from monitors.edge import each_task


class Ecs:
    """Registers one revision and begins one deployment under a token, and follows it by the revision."""

    purpose = Purpose.DEPLOY

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Deploy; where an earlier try may have done so, look for its revision first."""
        artifact = one_input(task)
        where = (task.account, task.region, self.purpose, scope_of(task))
        service = services.service_of(self._clients, task, self.purpose)
        info = services.read(service)
        base = definitions.read(service.client, str(info["taskDefinition"]))
        if base.tags.get(definitions.TOKEN) == task.token:
            return services.begun(service, base.arn)
        made = _earlier(task, service, base) if task.again else []
        for one in made:
            if services.deployed(service, one.arn):  # ECS has rolled it back, or somebody went on
                return services.begun(service, one.arn)
        _wait_for_others(service, info)
        ready = [one.arn for one in made if one.tags.get(definitions.BEFORE) == base.arn]
        if ready:
            return services.update(service, ready[0])
        images = images_of(task, artifact, lambda: self._clients.client("s3", *where))
        tags = {
            definitions.TOKEN: task.token,
            definitions.BEFORE: base.arn,
            definitions.DIGEST: artifact.digest,
        }
        made_now = definitions.register(service.client, base, images, tags)
        return services.update(service, made_now)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read each service; what waits longer than its DeploymentTimeout has failed."""
        return each_task(tasks, self._stands)

    def stop(self, task: Task) -> None:
        """Give up a deployment that is under way: put back what stood before it, as nothing else ends it."""
        service = services.service_of(self._clients, task, self.purpose)
        info = services.read(service)
        ours = definitions.read(service.client, str(info["taskDefinition"]))
        before = ours.tags.get(definitions.BEFORE, "")
        under_way = services.state_of(services.primary(info)) != "COMPLETED"
        if before and under_way and ours.tags.get(definitions.TOKEN) == task.token:
            services.update(service, before)

    def _stands(self, task: Task) -> Progress:
        service = services.service_of(self._clients, task, Purpose.WATCH)
        stands = services.progress(service, services.read(service), task.handle)
        minutes = task.configuration.get("DeploymentTimeout", "")
        if stands.outcome is not Outcome.RUNNING or not minutes.isdecimal():
            return stands
        if not (task.now and task.since) or task.now - task.since < timedelta(minutes=int(minutes)):
            return stands
        said = f"{stands.summary}; not done within {minutes} minutes"
        return replace(stands, outcome=Outcome.FAILED, summary=said)


def _earlier(
    task: Task, service: services.Service, base: definitions.Definition
) -> list[definitions.Definition]:
    """What was registered under this token, the newest first."""
    known = definitions.newest(service.client, base.family)
    return [one for one in known if one.tags.get(definitions.TOKEN) == task.token]


def _wait_for_others(service: services.Service, info: services.Info) -> None:
    """Raise where a deployment is under way: what stood before ours would not be known."""
    under_way = services.primary(info)
    if services.state_of(under_way) != "IN_PROGRESS":
        return
    short = str(under_way.get("taskDefinition", "")).rpartition("/")[2]
    event = services.newest_event(info)
    raise ActionError(f"waiting for {service}, which goes to {short} ({event})"[:1200])
