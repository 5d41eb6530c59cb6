"""Deploy/Custom/ECSStop and ECSRestore: the way back of a service.

Configuration: ClusterName and ServiceName; DeploymentToken and DeploymentId (a task definition's ARN, empty
where unknown) say what is undone. Stopping may be told the RestoredDigest that is restored next, restoring
takes RevisionDigest. The way back of an ECS service is the
task definition that stood before, the very revision, which our own carries as a tag. Where another bad
release of ours stood there, it is the newest revision that brought the last known good digest. A revision
that somebody took away is not made up again: then a person must choose.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import ecs_definitions as definitions
from controlplane.actions import ecs_service as services
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.ecs_definitions import BEFORE, DIGEST, TOKEN, Definition
from controlplane.actions.vendor import need
from monitors.edge import each_task


@dataclass(frozen=True, slots=True)
class Undone:
    """What the service runs, and what is undone: None where it never came to be."""

    service: services.Service
    info: services.Info
    stands: Definition
    ours: Definition | None
    before: str

    @property
    def runs(self) -> bool:
        """The service is still to run what is undone."""
        return self.ours is not None and self.stands.arn == self.ours.arn

    @property
    def state(self) -> str:
        """How the service's deployment stands."""
        return services.state_of(services.primary(self.info))

    def done(self, said: str) -> Progress:
        """Report that there is nothing (more) to do."""
        handle = self.stands.arn
        text = f"{self.service}: {said}"
        return Progress(Outcome.SUCCEEDED, handle, text, None, self.service.url)


class EcsStop:
    """Gives up a deployment that is under way, and waits until what stood before runs again."""

    purpose = Purpose.ROLLBACK
    side_by_side = 4  # many go back at once where a release was bad everywhere

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Put back what is right, where ours is not completed; ECS's own rollback to that is followed."""
        found = _undone(self._clients, task, self.purpose)
        if found.ours is None:
            return found.done("was not changed: nothing to stop")
        back = _put_back(found, task.configuration.get("RestoredDigest", ""))
        if found.runs and found.state != "COMPLETED" and back:
            return services.update(found.service, back)
        if found.stands.arn == back and found.state == "IN_PROGRESS":
            return services.begun(found.service, back)
        return found.done(f"runs {found.stands.short}: nothing is under way that we began")

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read each service."""
        return each_task(tasks, lambda task: _stands(self._clients, task, self.purpose))

    def stop(self, task: Task) -> None:
        """Do nothing: what stood before is where we want to be."""


class EcsRestore:
    """Lets a service run what stood before again, unless somebody else deployed to it since."""

    purpose = Purpose.ROLLBACK
    side_by_side = 4  # many go back at once where a release was bad everywhere

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Update the service; a revision is itself the token, so a second call begins nothing."""
        good = need(task, "RevisionDigest")
        found = _undone(self._clients, task, self.purpose)
        if found.ours is None:
            return found.done("is as it was: what is rolled back changed nothing")
        wanted = _wanted(found, good)
        anyway = task.configuration.get("EvenIfServed") == "true"
        if found.stands.arn != wanted.arn:
            _refuse_strangers(found)
        elif found.state == "IN_PROGRESS":
            return _naming(services.begun(found.service, wanted.arn), good)
        elif found.state == "COMPLETED" and not anyway:
            return found.done(f"runs {wanted.short} already, which is {good}")
        anew = found.stands.arn == wanted.arn
        return _naming(services.update(found.service, wanted.arn, anew=anew), good)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read each service."""
        return each_task(tasks, lambda task: _stands(self._clients, task, self.purpose))

    def stop(self, task: Task) -> None:
        """Do nothing: a way back given up half-way would leave tasks of both releases."""


def _stands(clients: Clients, task: Task, purpose: Purpose) -> Progress:
    service = services.service_of(clients, task, purpose)
    return services.progress(service, services.read(service), task.handle)


def _naming(begun: Progress, good: str) -> Progress:
    return replace(begun, summary=f"{begun.summary}, which is {good}")


def _undone(clients: Clients, task: Task, purpose: Purpose) -> Undone:
    """Find what a token deployed: what the service runs, what the handle names, or among the newest."""
    service = services.service_of(clients, task, purpose)
    info = services.read(service)
    stands = definitions.read(service.client, str(info["taskDefinition"]))
    token, handle = need(task, "DeploymentToken"), task.configuration.get("DeploymentId", "")
    ours = stands if token == stands.tags.get(TOKEN) or handle == stands.arn else None
    if ours is None:
        known = definitions.newest(service.client, stands.family)
        ours = next((o for o in known if o.tags.get(TOKEN) == token or o.arn == handle), None)
    # What an earlier way back put there is undone by another token than it was registered under.
    own = ours is not None and ours.tags.get(TOKEN) == token
    before = ours.tags.get(BEFORE, "") if ours and own else ""
    return Undone(service, info, stands, ours, before)


def _wanted(found: Undone, good: str) -> Definition:
    """Answer the revision to go back to; ActionError (permanent) where it is not there any more."""
    before = definitions.active(found.service.client, found.before) if found.before else None
    if before and before.tags.get(DIGEST) == good:
        return before
    known = definitions.newest(found.service.client, found.stands.family)
    undone = found.ours.arn if found.ours else ""
    made = next((o for o in known if o.tags.get(DIGEST) == good and o.arn != undone), None)
    # Somebody else's is it where it runs the very same images, or where nobody has brought a better one.
    if before and DIGEST not in before.tags and (made is None or made.images == before.images):
        return before
    if made:
        return made
    raise ActionError(
        f"{found.service}: no revision of {found.stands.family} brings {good} any more, and what stood "
        f"before was {found.before.rpartition('/')[2] or 'not ours to know'}. Choose one: aws ecs "
        f"update-service --cluster {found.service.cluster} --service {found.service.name} "
        "--task-definition FAMILY:REVISION",
        permanent=True,
    )


def _put_back(found: Undone, good: str) -> str:
    """Answer what ends a deployment of ours: what is restored next, or else what stood before; "" for none.

    What stood before may have gone bad, too, and never come up again: then nobody would come to restore.
    """
    if good:
        try:
            return _wanted(found, good).arn
        except ActionError as error:
            if not error.permanent:
                raise
    return found.before


def _refuse_strangers(found: Undone) -> None:
    """Raise (permanent) where the service runs neither what is undone nor what stood before it."""
    if found.runs or found.stands.arn == found.before:
        return
    raise ActionError(
        f"{found.service} runs {found.stands.short}, which is not what is rolled back: it is not "
        "overwritten. Find out what that brought, and deploy what should stand there.",
        permanent=True,
    )
