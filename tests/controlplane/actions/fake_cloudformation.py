"""A CloudFormation in memory that moves when told: stacks, their events, one token an operation.

`operations()` gives what tests.support.scripted checks against botocore's own shapes. begun counts what
was begun outside.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.controlplane.actions.making import NOW
from tests.support.scripted import Operation, Refusal

STACK = "AWS::CloudFormation::Stack"


class FakeCloudFormation:
    def __init__(self) -> None:
        self.status: dict[str, str] = {}
        self.template: dict[str, Any] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[dict[str, Any]] = []
        self.begun = 0
        self.cancelled = 0
        self.page = 100

    def operations(self) -> Mapping[str, Operation]:
        return {
            "describe_stacks": self._describe,
            "describe_stack_events": self._read,
            "create_stack": self._create,
            "update_stack": self._update,
            "cancel_update_stack": self._cancel,
        }

    def made(self, name: str, template: str = "s3://old") -> None:
        """A stack that was made before, by somebody."""
        self.template[name] = template
        for status in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"):
            self.becomes(name, status, "tp-old")

    def becomes(self, name: str, status: str, token: str = "", reason: str = "") -> None:
        """The stack's next state; the token of what goes on where none is given."""
        known = self.events.setdefault(name, [])
        self.status[name] = status
        stack = f"arn:aws:cloudformation:eu-west-1:444444444444:stack/{name}/1"
        event = {
            "StackId": stack,
            "EventId": str(len(known)),
            "StackName": name,
            "LogicalResourceId": name,
            "PhysicalResourceId": stack,
            "ResourceType": STACK,
            "Timestamp": NOW + timedelta(seconds=len(known)),
            "ResourceStatus": status,
            "ClientRequestToken": token or str(known[0]["ClientRequestToken"]),
        }
        known.insert(0, event)
        if reason:
            inner = {
                "LogicalResourceId": "Queue",
                "PhysicalResourceId": "q",
                "EventId": f"q{len(known)}",
            }
            failed = {"ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": reason}
            known.insert(1, {**event, **inner, **failed})

    def _describe(self, asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
        name = asked["StackName"]
        if name not in self.status:
            return Refusal("ValidationError", f"Stack with id {name} does not exist")
        stack = {"StackName": name, "CreationTime": NOW, "StackStatus": self.status[name]}
        return {"Stacks": [stack]}

    def _read(self, asked: dict[str, Any]) -> Mapping[str, Any]:
        known, first = self.events[asked["StackName"]], int(asked.get("NextToken", 0))
        more = {"NextToken": str(first + self.page)} if first + self.page < len(known) else {}
        return {"StackEvents": known[first : first + self.page], **more}

    def _create(self, asked: dict[str, Any]) -> Mapping[str, Any]:
        return self._begin(asked, "CREATE_IN_PROGRESS")

    def _update(self, asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
        name = asked["StackName"]
        if self.status[name].endswith("_IN_PROGRESS"):
            return Refusal("ValidationError", f"Stack {name} is in {self.status[name]} state")
        if any(e["ClientRequestToken"] == asked["ClientRequestToken"] for e in self.events[name]):
            return Refusal("TokenAlreadyExistsException")
        if self.template[name] == _template(asked):
            return Refusal("ValidationError", "No updates are to be performed.")
        return self._begin(asked, "UPDATE_IN_PROGRESS")

    def _begin(self, asked: dict[str, Any], status: str) -> Mapping[str, Any]:
        self.begun += 1
        self.asked.append(asked)
        self.template[asked["StackName"]] = _template(asked)
        self.becomes(asked["StackName"], status, asked["ClientRequestToken"])
        return {"StackId": str(self.events[asked["StackName"]][0]["StackId"])}

    def _cancel(self, asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
        if self.status[asked["StackName"]] != "UPDATE_IN_PROGRESS":
            return Refusal(
                "ValidationError", "CancelUpdateStack cannot be called from current state"
            )
        self.cancelled += 1
        self.becomes(asked["StackName"], "UPDATE_ROLLBACK_IN_PROGRESS")
        return {}


def _template(asked: dict[str, Any]) -> Any:
    return asked.get("TemplateURL") or asked.get("TemplateBody")
