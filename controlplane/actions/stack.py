"""What the CloudFormation drivers share: a stack, its operations, and how each ended.

All events of an operation carry the ClientRequestToken of the call that began it, so that ours is told
from a person's, and a token starts once. A rollback belongs to the operation that it undoes.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions.base import ActionError, Outcome, Progress, Task
from controlplane.actions.vendor import (
    asking,
    code_of,
    message_of,
    need,
    partition_of,
    scope_of,
    told,
)

PAGES = 20
"""Of 100 events: more than an update of the largest stack and its rollback make."""
BEGUN = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
"""With these an operation begins; whatever follows, a rollback too, is of it."""
MADE = frozenset({"CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"})
"""A stack's first event."""
GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
STUCK = frozenset({"UPDATE_ROLLBACK_FAILED"})
EMPTY = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"})
"""A stack that was never made: it cannot be updated, only deleted."""
NO_CHANGE = "No updates are to be performed"
LOOK = timedelta(seconds=5)
LONGEST = 1200

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack by its name, and with which rights we act on it."""

    client: Any
    account: str
    region: str
    name: str

    def __str__(self) -> str:
        return f"stack {self.name} in {self.account}"

    @property
    def url(self) -> str:
        """Its page in the AWS console."""
        host = f"{self.region}.console.aws.amazon.com"
        return f"https://{host}/cloudformation/home?region={self.region}#/stacks?filteringText={self.name}"


@dataclass(frozen=True, slots=True)
class Operation:
    """What was done to a stack under one token: how that stands, and what went wrong first."""

    token: str
    status: str
    reason: str = ""

    @property
    def runs(self) -> bool:
        """It has not ended."""
        return self.status.endswith("_IN_PROGRESS")


def stack_of(clients: Clients, task: Task, purpose: Purpose) -> Stack:
    """Answer the stack a task is about, with a session narrowed to it."""
    name = need(task, "StackName")
    account = clients.registry.get(task.account)
    where = f"arn:{partition_of(account)}:cloudformation:{task.region}:{account.id}"
    scope = scope_of(task, (f"{where}:stack/{name}/*",))
    client = clients.client("cloudformation", task.account, task.region, purpose, scope)
    return Stack(client, task.account, task.region, name)


def status_of(stack: Stack) -> str:
    """Read how the stack stands; "" where there is none."""
    with asking(f"read {stack}"):
        try:
            answer = stack.client.describe_stacks(StackName=stack.name)
        except ClientError as error:
            if "does not exist" in message_of(error):
                return ""
            raise
    stacks = told(answer, "Stacks")
    status = str(stacks[0]["StackStatus"]) if stacks else ""
    return "" if status == "DELETE_COMPLETE" else status


def operations(stack: Stack) -> Iterator[Operation]:
    """Read what was done to the stack, the newest first."""
    gone: list[Event] = []
    for event in _events(stack):
        gone.append(event)
        if _of_stack(event) and event["ResourceStatus"] in BEGUN:
            yield _operation(gone)
            gone = []
    if any(map(_of_stack, gone)):  # it began before what CloudFormation still shows
        yield _operation(gone)


def operation(stack: Stack, token: str) -> Operation | None:
    """Find what was done under a token; None where nothing was."""
    return next((one for one in operations(stack) if token and one.token == token), None)


def reaches(stack: Stack, since: datetime | None) -> bool:
    """Say whether the events that are shown go back to a time, or to the stack's own beginning.

    CloudFormation shows those of 90 days, and no more are read than an update makes. None: no time is known.
    """
    last = deque(_events(stack), maxlen=1)
    if not last:
        return False
    (oldest,) = last
    first = _of_stack(oldest) and oldest["ResourceStatus"] in MADE
    return bool(first or (since is not None and oldest["Timestamp"] <= since))


def progress(stack: Stack, found: Operation) -> Progress:
    """Report how an operation stands."""
    text = f"{stack} is {found.status}{found.reason and f': {found.reason}'}"
    if found.status in STUCK:
        text += f". Run: {mend(stack)}"
    outcome = Outcome.SUCCEEDED if found.status in GOOD else Outcome.FAILED
    if found.runs:
        outcome = Outcome.RUNNING
    return Progress(outcome, stack.name, text[:LONGEST], LOOK, stack.url)


def mend(stack: Stack) -> str:
    """Say what a person runs where the way back of CloudFormation itself failed."""
    return f"aws cloudformation continue-update-rollback --stack-name {stack.name}"


def update(stack: Stack, template: Mapping[str, Any], token: str) -> Progress:
    """Update the stack; a template that changes nothing is done at once."""
    with asking(f"update {stack}"):
        try:
            stack.client.update_stack(StackName=stack.name, ClientRequestToken=token, **template)
        except ClientError as error:
            if NO_CHANGE in message_of(error):
                text = f"{stack} is so already: nothing changes"
                return Progress(Outcome.SUCCEEDED, stack.name, text, None, stack.url)
            if code_of(error) != "TokenAlreadyExistsException":
                raise
    return begun(stack, "is being updated")


def begun(stack: Stack, doing: str) -> Progress:
    """Report that an operation began."""
    return Progress(Outcome.RUNNING, stack.name, f"{stack} {doing}", LOOK, stack.url)


def refuse_stuck(stack: Stack, status: str) -> None:
    """Raise (permanent) where a person must help before anything can be updated."""
    if status in STUCK:
        raise ActionError(f"{stack} is {status}. Run: {mend(stack)}", permanent=True)
    if status in EMPTY:
        text = f"{stack} is {status}: it was never made. Delete it, and release again."
        raise ActionError(text, permanent=True)


def _events(stack: Stack) -> Iterator[Event]:
    more: dict[str, str] = {}
    for _ in range(PAGES):
        with asking(f"read the events of {stack}"):
            answer = stack.client.describe_stack_events(StackName=stack.name, **more)
        yield from told(answer, "StackEvents")
        if not answer.get("NextToken"):
            return
        more = {"NextToken": answer["NextToken"]}


def _of_stack(event: Event) -> bool:
    return bool(event.get("PhysicalResourceId") == event["StackId"])


def _operation(events: Sequence[Event]) -> Operation:
    """Make one of its events, the newest first; the oldest failure is the cause."""
    last = next(event for event in events if _of_stack(event))
    failed = [
        f"{event.get('LogicalResourceId', '')}: {event.get('ResourceStatusReason', '')}"
        for event in reversed(events)
        if str(event.get("ResourceStatus", "")).endswith("_FAILED") and not _of_stack(event)
    ]
    reason = failed[0] if failed else ""
    return Operation(str(events[-1].get("ClientRequestToken", "")), last["ResourceStatus"], reason)
