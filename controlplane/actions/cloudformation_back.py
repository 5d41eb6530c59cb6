"""Deploy/Custom/CloudFormationStop and CloudFormationRestore: the way back of a stack.

Configuration: StackName and whatever the deploying action says of template and parameters;
DeploymentToken names the operation that is undone. Restoring takes RevisionLocation, RevisionVersion and
RevisionDigest, too, and DeploymentSince (ISO 8601): that operation is no older. CloudFormation rolls a
cancelled or failed update back by itself; then the stack is updated to the last known good template, which
mostly changes nothing. Parameters are the deploying action's own: only the template has versions.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-update-cancel.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import stack as stacks
from controlplane.actions.base import ActionError, MonitorError, Outcome, Progress, Task
from controlplane.actions.s3_content import place_of
from controlplane.actions.stack_template import template_of
from controlplane.actions.vendor import asking, message_of, need
from monitors.edge import each_task

TOO_LATE = "CancelUpdateStack cannot be called"


class CloudFormationStop:
    """Cancels an update that is under way, and waits for the end of CloudFormation's own rollback."""

    purpose = Purpose.ROLLBACK
    side_by_side = 4  # many go back at once where a release was bad everywhere

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Cancel it where it can be; a creation, or a rollback that runs already, is followed only."""
        stack = stacks.stack_of(self._clients, task, self.purpose)
        status = stacks.status_of(stack)
        found = (
            stacks.operation(stack, task.configuration.get("DeploymentToken", ""))
            if status
            else None
        )
        if found is None:
            return Progress(
                Outcome.SUCCEEDED,
                stack.name,
                f"{stack} was not changed: nothing to stop",
                None,
                stack.url,
            )
        if found.status == status == "UPDATE_IN_PROGRESS":
            _cancel(stack)
            return stacks.begun(stack, "is told to cancel its update")
        return _followed(stack, found)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read each stack's operation."""
        return each_task(tasks, self._stands)

    def stop(self, task: Task) -> None:
        """Do nothing: CloudFormation's rollback leads where we want."""

    def _stands(self, task: Task) -> Progress:
        stack = stacks.stack_of(self._clients, task, self.purpose)
        found = stacks.operation(stack, task.configuration.get("DeploymentToken", ""))
        if found is None:
            raise ActionError(f"{stack} shows its events no more")
        return _followed(stack, found)


class CloudFormationRestore:
    """Updates a stack to the last known good template, unless somebody else updated it since."""

    purpose = Purpose.ROLLBACK
    side_by_side = 4  # many go back at once where a release was bad everywhere

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Update; what somebody else did to the stack since is not overwritten."""
        wanted = place_of(
            need(task, "RevisionLocation"), task.configuration.get("RevisionVersion", "")
        )
        stack = stacks.stack_of(self._clients, task, self.purpose)
        undone = need(task, "DeploymentToken")
        token = f"{task.token}-of-{undone}"
        status = stacks.status_of(stack)
        if not status:
            raise ActionError(f"there is no {stack} any more", permanent=True)
        newest = next(stacks.operations(stack), None)
        if earlier := stacks.operation(stack, token):
            return stacks.progress(stack, earlier)
        changed = newest is not None and stacks.operation(stack, undone) is not None
        if newest is None or not (changed or stacks.reaches(stack, _since(task))):
            text = (
                f"{stack} shows its events of that time no more, so nobody knows whether what is rolled back "
                f"changed it: see what it serves, and update it to {wanted.location} by hand where that is "
                "not it"
            )
            raise ActionError(text, permanent=True)
        if not changed:
            text = f"{stack} is as it was: what is rolled back changed nothing in it"
            return Progress(Outcome.SUCCEEDED, stack.name, text, None, stack.url)
        _refuse_strangers(stack, newest, undone)
        if newest.runs:
            raise ActionError(f"waiting for {stack}, which is {status}")
        stacks.refuse_stuck(stack, status)
        where = (task.account, task.region, self.purpose)
        template = template_of(task, wanted, lambda: self._clients.client("s3", *where))
        begun = stacks.update(stack, template, token)
        return replace(
            begun, summary=f"{begun.summary}, to {task.configuration.get('RevisionDigest')}"
        )

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Find each operation by its token."""
        return each_task(tasks, self._stands)

    def stop(self, task: Task) -> None:
        """Do nothing: a way back is not given up half-way."""

    def _stands(self, task: Task) -> Progress:
        stack = stacks.stack_of(self._clients, task, self.purpose)
        undone = task.configuration.get("DeploymentToken", "")
        found = stacks.operation(stack, f"{task.token}-of-{undone}")
        if found is None:
            raise ActionError(f"{stack} shows no event of ours yet")
        return stacks.progress(stack, found)


def _since(task: Task) -> datetime | None:
    """When the execution began whose operation is undone; None in a plan of an older version of Towpath."""
    given = task.configuration.get("DeploymentSince", "")
    return datetime.fromisoformat(given) if given else None


def _cancel(stack: stacks.Stack) -> None:
    with asking(f"cancel the update of {stack}"):
        try:
            stack.client.cancel_update_stack(StackName=stack.name)
        except ClientError as error:
            if TOO_LATE not in message_of(error):
                raise


def _followed(stack: stacks.Stack, found: stacks.Operation) -> Progress:
    """Whatever has ended is stopped, but for a rollback that failed: there a person must help."""
    stands = stacks.progress(stack, found)
    if stands.outcome is Outcome.FAILED and found.status not in stacks.STUCK:
        return replace(stands, outcome=Outcome.SUCCEEDED)
    return stands


def _refuse_strangers(stack: stacks.Stack, newest: stacks.Operation, undone: str) -> None:
    """Raise (permanent) where the last operation is neither what is undone nor a way back of it."""
    if newest.token != undone and not newest.token.endswith(f"-of-{undone}"):
        raise ActionError(
            f"{stack} was last changed by {newest.token or 'hand'} ({newest.status}), and not by what is "
            "rolled back: it is not overwritten. Find out what that brought, and deploy what should "
            "stand there.",
            permanent=True,
        )
