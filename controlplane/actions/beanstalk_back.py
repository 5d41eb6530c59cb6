"""Deploy/Custom/ElasticBeanstalkStop and ElasticBeanstalkRestore: the way back of an environment.

Configuration: ApplicationName, EnvironmentName; DeploymentToken and DeploymentId (a version's label, empty
where unknown) say what is undone. Restoring takes RevisionDigest, too. It goes to the version that stood
before, which ours carries in its description, where that brought the digest; else to the newest version that
did, and only where there is none to somebody else's that stood before.
https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_AbortEnvironmentUpdate.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import beanstalk_api as api
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.vendor import need
from monitors.edge import each_task


class BeanstalkStop:
    """Aborts an update that is under way, and waits until Elastic Beanstalk has gone back by itself."""

    purpose = Purpose.ROLLBACK
    side_by_side = 4  # many go back at once where a release was bad everywhere

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Abort it where it can be; what cannot be aborted any more is followed to its end."""
        environment = api.environment_of(self._clients, task, self.purpose)
        ours, info = _ours(environment, task), api.read(environment)
        if ours is None:
            return _done(environment, info, "was not changed: nothing to stop")
        if not api.under_way(environment, info, ours):
            return _done(environment, info, "nothing is under way that we began")
        if info.get("AbortableOperationInProgress"):
            api.abort(environment)
        text = f"{environment} is told to abort its update"
        return Progress(Outcome.RUNNING, ours["VersionLabel"], text, api.LOOK, environment.url)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read each environment."""
        return each_task(tasks, self._stands)

    def stop(self, task: Task) -> None:
        """Do nothing: Elastic Beanstalk's way back leads where we want."""

    def _stands(self, task: Task) -> Progress:
        environment = api.environment_of(self._clients, task, self.purpose)
        info = api.read(environment)
        if info["Status"] == "Ready":
            return _done(environment, info, "is stopped")
        text = f"{environment} is {info['Status']}"
        return Progress(Outcome.RUNNING, task.handle, text, api.LOOK, environment.url)


class BeanstalkRestore:
    """Lets an environment run what stood before again, unless somebody else updated it since."""

    purpose = Purpose.ROLLBACK
    side_by_side = 4  # many go back at once where a release was bad everywhere

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Update; what runs already, and whose last update did well, is done."""
        good = need(task, "RevisionDigest")
        environment = api.environment_of(self._clients, task, self.purpose)
        ours, info = _ours(environment, task), api.read(environment)
        if ours is None:
            return _done(environment, info, "is as it was: what is rolled back changed nothing")
        wanted = _wanted(environment, ours, task.configuration, good)
        heard = api.events(environment, ours["DateCreated"])
        if task.again and info["Status"] != "Ready" and api.begins(heard) > 1:
            return api.begun(environment, wanted)  # if it was not ours, the look will say so
        api.refuse_busy(environment, info)
        before = _before(ours, task.configuration) or wanted
        if api.runs(info) not in (wanted, ours["VersionLabel"], before):
            said = (
                f"{environment} runs {api.runs(info) or 'its sample'}, which is not what is rolled back: "
                "it is not overwritten. Find out what that brought, and deploy what should stand there."
            )
            raise ActionError(said, permanent=True)
        # An update that failed half-way may have left instances of both versions behind.
        whole = not api.fault_of(heard)
        anyway = task.configuration.get("EvenIfServed") == "true" and not task.again
        if api.runs(info) == wanted and whole and not anyway:
            return _done(environment, info, f"runs {wanted} already, which is {good}")
        begun = api.update(environment, wanted)
        return replace(begun, summary=f"{begun.summary}, which is {good}")

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read each environment and its events."""
        return each_task(tasks, self._stands)

    def stop(self, task: Task) -> None:
        """Do nothing: a way back given up half-way would leave instances of both versions."""

    def _stands(self, task: Task) -> Progress:
        environment = api.environment_of(self._clients, task, self.purpose)
        return api.progress(environment, api.read(environment), task.handle, task.since)


def _done(environment: api.Environment, info: api.Info, said: str) -> Progress:
    text, handle = f"{environment}: {said}", api.runs(info) or environment.name
    return Progress(Outcome.SUCCEEDED, handle, text, None, environment.url)


def _ours(environment: api.Environment, task: Task) -> api.Info | None:
    """Find the version that is undone, by its label or by the token in it; None where none was made."""
    token, label = need(task, "DeploymentToken"), task.configuration.get("DeploymentId", "")
    for one in api.versions(environment):
        if one["VersionLabel"] == label or one["VersionLabel"].startswith(f"{token}."):
            return one
    return None


def _before(ours: api.Info, configuration: Mapping[str, str]) -> str:
    """What stood before, which Elastic Beanstalk goes back to by itself; "" where nobody knows.

    What an earlier way back put there is undone by another token than it was made under.
    """
    own = str(ours["VersionLabel"]).startswith(f"{configuration['DeploymentToken']}.")
    return api.before_of(ours) if own else ""


def _wanted(
    environment: api.Environment, ours: api.Info, configuration: Mapping[str, str], good: str
) -> str:
    """Answer the label to go back to; ActionError (permanent) where that version is not there any more."""
    before = _before(ours, configuration)
    known = [str(one["VersionLabel"]) for one in api.versions(environment)]
    if before in known and api.digest_in(before) == good:
        return before
    for label in known:
        if api.digest_in(label) == good and label != ours["VersionLabel"]:
            return label
    if before in known and not api.digest_in(
        before
    ):  # somebody else's, and nobody has brought a better one
        return before
    raise ActionError(
        f"{environment}: no version of {environment.application} brings {good} any more, and what stood "
        f"before was {before or 'not ours to know'}. Choose one: aws elasticbeanstalk update-environment "
        f"--environment-name {environment.name} --version-label LABEL",
        permanent=True,
    )
