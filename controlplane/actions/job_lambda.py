"""A job that a Lambda function does: it is invoked with CodePipeline's job event, and reports itself.

What it answers is no result; that it failed is one. A job that goes on (a report with a continuation
token) is invoked again with the token. Invoke has no client token: where a call was lost the function
is invoked again under the same job id, as Lambda's own retries of asynchronous calls do.
https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from botocore.exceptions import ReadTimeoutError

from accounts.base import AccountError, Clients
from accounts.lending import Lender
from controlplane.actions.base import MonitorError, Outcome, Progress, Task
from controlplane.actions.job_data import event, home, job_data, lent
from controlplane.actions.job_words import CUT, stand
from monitors.checks.aws_lambda import Answer, Lambda, read
from monitors.edge import asking, each_task

SOON = timedelta(milliseconds=200)
LONGEST = 600
Open = Callable[[str, Mapping[str, str]], Mapping[str, str]]
"""Opens what is sealed in a configuration of that pipeline."""


class JobLambda:
    """Invokes once for each job of an action, and then waits for its word."""

    side_by_side = 4

    def __init__(self, clients: Clients, lender: Lender | None, opened: Open) -> None:
        """Take who acts in accounts, who lends credentials of them, and who opens secrets."""
        self._clients = clients
        self._invoker = Lambda(clients)
        self._lender = lender
        self._opened = opened

    def start(self, task: Task) -> Progress:
        """Invoke, unless it was already; the rest is the function's to say."""
        return self._stand(task)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Invoke what goes on; say how the others stand."""
        return each_task(tasks, self._stand)

    def stop(self, task: Task) -> None:
        """Do nothing: an invocation cannot be taken back, and what it says then is refused."""

    def _stand(self, task: Task) -> Progress:
        job: Mapping[str, Any] = task.known["job"]
        if job["status"] == "Dispatched":
            return self._invoke(task, job)
        found = stand(task)
        if found.outcome is Outcome.RUNNING:  # the handle says that it was invoked
            return replace(found, handle=job["id"] if job["status"] == "InProgress" else "")
        return found

    def _invoke(self, task: Task, job: Mapping[str, Any]) -> Progress:
        name = str(job["function"])
        doing = f"invoke the Lambda function {name} in {task.account or 'its account'}"
        with asking(doing):
            answer = self._call(task, name, job)
        found = stand(task)
        if answer is not None and answer.error:
            why = read(name, answer.error, answer.body[:LONGEST], task.token).summary
            why = f"{why}; its log ends: {answer.log}" if answer.log else why
            # What it reported before it failed counts: whoever looks next sees that, too.
            return Progress(Outcome.RUNNING, f"{job['id']}{CUT}{why[:LONGEST]}", why, SOON)
        summary = f"{name} was invoked, and has not told yet how it went"
        return Progress(Outcome.RUNNING, job["id"], summary, found.look_after)

    def _call(self, task: Task, name: str, job: Mapping[str, Any]) -> Answer | None:
        """Answer None where the function runs longer than we wait: it runs on."""
        account = home(task, self._clients.registry)
        given = self._opened(task.pipeline, task.configuration)
        data = job_data(task, job, account, lent(task, account, self._lender), given)
        try:
            where = _in_account(task, name, self._clients)
            return self._invoker.invoke(where, name, event(job, account, data))
        except ReadTimeoutError:
            return None


def _in_account(task: Task, name: str, clients: Clients) -> Task:
    """A type's function lies in the account and region of its ARN, whatever the action says."""
    if "FunctionName" in task.configuration:
        return task
    _, _, _, region, number, *_ = name.split(":", 5)
    found = next((one for one in clients.registry.all() if one.id == number), None)
    if found is None:
        raise AccountError(f"no account with the id {number} is registered", permanent=True)
    return replace(task, account=found.name, region=region)
