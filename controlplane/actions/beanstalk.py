"""Deploy/AWS/ElasticBeanstalk: make a version of the artifact, and let an environment run it.

Configuration: ApplicationName, EnvironmentName. Elastic Beanstalk keeps the address of a bundle and no version
of it, so the artifact has to be what stands at its address now, as S3Promote's copies always are.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Beanstalk.html
"""

from collections.abc import Mapping, Sequence

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import beanstalk_api as api
from controlplane.actions.base import ActionError, MonitorError, Progress, Task
from controlplane.actions.s3_content import Place, place_of
from controlplane.actions.vendor import asking, one_input, scope_of
from monitors.edge import each_task


class Beanstalk:
    """Makes one version and begins one update under a token, and follows it by the version's label."""

    purpose = Purpose.DEPLOY

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Update; where an earlier try may have done so, see whether an update began since its version."""
        artifact = one_input(task)
        place = place_of(artifact.location, artifact.version)
        environment = api.environment_of(self._clients, task, self.purpose)
        info = api.read(environment)
        label = api.label_of(task.token, artifact.digest)
        if api.runs(info) == label:
            return api.begun(environment, label)
        made = api.versions(environment, (label,)) if task.again else []
        if made and api.begins(api.events(environment, made[0]["DateCreated"])):
            return api.begun(environment, label)  # if it was not ours, the look will say so
        api.refuse_busy(environment, info)
        if not made:
            self._refuse_replaced(task, place)
            api.create(environment, label, place, api.runs(info))
        return api.update(environment, label)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read each environment and its events."""
        return each_task(tasks, self._stands)

    def stop(self, task: Task) -> None:
        """Abort our own update; Elastic Beanstalk then goes back to what it ran by itself."""
        environment = api.environment_of(self._clients, task, self.purpose)
        label = api.label_of(task.token, one_input(task).digest)
        made, info = api.versions(environment, (label,)), api.read(environment)
        if made and api.under_way(environment, info, made[0]):
            api.abort(environment)

    def _stands(self, task: Task) -> Progress:
        environment = api.environment_of(self._clients, task, Purpose.WATCH)
        made = api.versions(environment, (task.handle,))
        since = made[0]["DateCreated"] if made else task.since
        return api.progress(environment, api.read(environment), task.handle, since)

    def _refuse_replaced(self, task: Task, place: Place) -> None:
        """Raise (permanent) where something else lies at the artifact's address by now."""
        where = (task.account, task.region, self.purpose, scope_of(task))
        client = self._clients.client("s3", *where)
        with asking(f"read {place.location} in {task.account}"):
            head = client.head_object(Bucket=place.bucket, Key=place.key)
        if not place.version or head.get("VersionId") != place.version:
            said = (
                f"{place.location} is not version {place.version or '(none)'} any more, and Elastic "
                "Beanstalk takes what is newest there: promote the artifact first (S3Promote)."
            )
            raise ActionError(said, permanent=True)
