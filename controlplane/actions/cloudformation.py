"""Deploy/AWS/CloudFormation: create or update a stack from a template that was promoted.

Configuration: ActionMode (CREATE_UPDATE), StackName, TemplatePath, ParameterOverrides (JSON),
Capabilities, RoleArn. Without RoleArn CloudFormation goes on with the role that the stack was made with,
so that Towpath needs no right to hand a role on; a stack that is not there yet needs one.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from collections.abc import Mapping, Sequence

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import stack as stacks
from controlplane.actions.base import ActionError, MonitorError, Progress, Task
from controlplane.actions.s3_content import place_of
from controlplane.actions.stack_template import template_of
from controlplane.actions.vendor import asking, one_input
from monitors.edge import each_task


class CloudFormation:
    """Starts one operation of a stack under the task's token, and follows it by that."""

    purpose = Purpose.DEPLOY

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Update the stack, or create it; where an earlier try may have done so, look for that first."""
        stack = stacks.stack_of(self._clients, task, self.purpose)
        artifact = one_input(task)
        place = place_of(artifact.location, artifact.version)
        where = (task.account, task.region, self.purpose)
        template = template_of(task, place, lambda: self._clients.client("s3", *where))
        status = stacks.status_of(stack)
        if task.again and status and (earlier := stacks.operation(stack, task.token)):
            return stacks.progress(stack, earlier)
        if status.endswith("_IN_PROGRESS"):
            newest = next(stacks.operations(stack), None)
            by = newest.token if newest and newest.token else "hand"
            raise ActionError(f"waiting for {stack}, which is {status} (by {by})")
        stacks.refuse_stuck(stack, status)
        if status:
            return stacks.update(stack, template, task.token)
        if "RoleARN" not in template:
            said = (
                f"there is no {stack}: make it once with the role that it acts by, or give RoleArn"
            )
            raise ActionError(said, permanent=True)
        with asking(f"create {stack}"):
            stack.client.create_stack(
                StackName=stack.name, ClientRequestToken=task.token, **template
            )
        return stacks.begun(stack, "is being created")

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Find each operation by its token; DescribeStacks takes one stack a call."""
        return each_task(tasks, self._stands)

    def stop(self, task: Task) -> None:
        """Cancel our own update; CloudFormation then rolls it back itself. A creation is not cancelled."""
        stack = stacks.stack_of(self._clients, task, self.purpose)
        if stacks.status_of(stack) != "UPDATE_IN_PROGRESS":
            return
        newest = next(stacks.operations(stack), None)
        if newest and newest.token == task.token:
            with asking(f"cancel the update of {stack}"):
                stack.client.cancel_update_stack(StackName=stack.name)

    def _stands(self, task: Task) -> Progress:
        stack = stacks.stack_of(self._clients, task, Purpose.WATCH)
        found = stacks.operation(stack, task.token)
        if found is None:
            raise ActionError(f"{stack} shows no event of ours yet")
        return stacks.progress(stack, found)
