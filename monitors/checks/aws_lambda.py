"""A Lambda function as a check: it is invoked, and what it answers is the result.

Lambda's Invoke has no client token, so "the same token starts once" cannot be kept by us alone. The
token is in the payload, and `again` says that an earlier call under it may have arrived (a crash
between the call and our note of it, a time-out, botocore's own retry of a dropped connection). A
function whose work must not be done twice has to remember tokens. The call waits for the function,
so one that runs longer than the client's read time-out belongs behind a queue.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from accounts.base import Clients, Scope
from accounts.models import Purpose
from accounts.redact import redacted
from monitors.base import MonitorError, Outcome, Progress, Task
from monitors.edge import asking, declared
from monitors.values import text

LIMIT = 256 * 1024
"""Bytes of an answer that are read; what a function has to say to a pipeline is short."""
OUTPUTS = 50
LENGTH = 1000
"""Output variables that are kept, and characters of each."""
TAIL = 500


class Answer(NamedTuple):
    """What a function answered. error: "" where it did not fail; log: the end of its log, redacted."""

    error: str
    body: bytes
    log: str


class Lambda:
    """Invokes FunctionName with UserParameters and waits for its answer."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def start(self, task: Task) -> Progress:
        """Invoke. The Progress is final; the numbers and texts of a JSON answer become output."""
        with declared():
            name = text(task.configuration, "FunctionName")
        with asking(f"invoke the Lambda function {name} in {task.account} ({task.region})"):
            answer = self.invoke(task, name, payload(task))
        if len(answer.body) > LIMIT:
            raise MonitorError(f"{name} answered more than {LIMIT} bytes", permanent=True)
        found = read(name, answer.error, answer.body, task.token)
        log = answer.log if found.outcome is Outcome.FAILED else ""
        return replace(
            found, summary=f"{found.summary}; its log ends: {log}" if log else found.summary
        )

    def invoke(self, task: Task, name: str, event: Mapping[str, Any]) -> Answer:
        """Invoke a function and wait for it; AccountError and what botocore raises come as they are."""
        answer = self._client(task, name).invoke(
            FunctionName=name,
            InvocationType="RequestResponse",
            LogType="Tail",
            Payload=json.dumps(event).encode(),
        )
        body = answer["Payload"].read(LIMIT + 1)
        if len(body) <= LIMIT:
            # Only at its end does botocore see that a body is shorter than was promised.
            answer["Payload"].read(1)
        return Answer(answer.get("FunctionError", ""), body, _log(answer.get("LogResult", "")))

    def _client(self, task: Task, name: str) -> Any:
        """Ask for a session that may invoke this function and no other."""
        account = self._clients.registry.get(task.account)
        partition = account.role(Purpose.DEPLOY).split(":")[1]
        home = f"arn:{partition}:lambda:{task.region}:{account.id}:function:"
        arn = name if name.startswith("arn:") else home + name.rpartition(":function:")[2]
        scope = Scope(task.pipeline, task.stage, task.execution, resources=(arn,))
        return self._clients.client("lambda", task.account, task.region, Purpose.DEPLOY, scope)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Say that nothing is left to look at: an invocation ends with its start."""
        return {
            task.token: MonitorError(
                "an invocation ends when it answers, and its answer was lost: retry the action",
                permanent=True,
            )
            for task in tasks
        }

    def stop(self, task: Task) -> None:
        """Do nothing: an invocation cannot be taken back, and ends by itself."""


def payload(task: Task) -> dict[str, Any]:
    """Make what the function is told."""
    return {
        "UserParameters": task.configuration.get("UserParameters", ""),
        "token": task.token,
        "again": task.again,
        "pipeline": task.pipeline,
        "execution": task.execution,
        "stage": task.stage,
        "action": task.action,
        "account": task.account,
        "region": task.region,
        "artifacts": [asdict(artifact) for artifact in task.inputs],
    }


def read(name: str, error: str, body: bytes, token: str) -> Progress:
    """Turn what a function answered into how the check ended."""
    try:
        said = json.loads(body) if body else None
    except (ValueError, RecursionError):
        said = body.decode("utf-8", "replace")
    if error:
        summary = f"{name} failed ({error}): {_message(said)}"
        return Progress(Outcome.FAILED, handle=token, summary=summary)
    return Progress(
        Outcome.SUCCEEDED, handle=token, summary=f"{name} answered", output=_output(said)
    )


def _message(said: Any) -> str:
    if isinstance(said, dict) and said.get("errorMessage"):
        kind = f"{said['errorType']}: " if said.get("errorType") else ""
        return f"{kind}{said['errorMessage']}"[:TAIL]
    return str(said)[:TAIL] if said else "it said nothing"


def _log(encoded: str) -> str:
    """Read the end of the function's log, without what looks like a credential."""
    try:
        log = base64.b64decode(encoded).decode("utf-8", "replace")
    except ValueError:
        return ""
    return redacted(log[-TAIL:])


def _output(said: Any) -> dict[str, str]:
    entries = said.items() if isinstance(said, dict) else ()
    plain = [(str(key), value) for key, value in entries if isinstance(value, str | int | float)]
    return {
        key: (value if isinstance(value, str) else json.dumps(value))[:LENGTH]
        for key, value in plain[:OUTPUTS]
    }
