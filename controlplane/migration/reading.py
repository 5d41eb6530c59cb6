"""What an account's CodePipeline says of its pipelines; read only, by the watching role.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_Operations.html
https://docs.aws.amazon.com/codestar-notifications/latest/APIReference/API_Operations.html
"""

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from accounts.base import AccountError, Clients, Scope
from accounts.errors import explain
from accounts.models import Purpose

PAGES = 100
"""Of one listing, at most: a listing that does not end is no listing."""


@dataclass(frozen=True, slots=True)
class Old:
    """One pipeline as CodePipeline has it.

    closed: stage -> why the way in is disabled. rules: notification rules, as DescribeNotificationRule
    answers them. notes: what could not be read.
    """

    structure: Mapping[str, Any]
    metadata: Mapping[str, Any]
    tags: Mapping[str, str]
    closed: Mapping[str, str]
    rules: Sequence[Mapping[str, Any]] = ()
    notes: tuple[str, ...] = ()


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Botocore's errors become AccountError, a sentence with the mend."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise explain(error, what) from None


class Place:
    """CodePipeline in one account and region. Every method raises AccountError where it may or can not."""

    def __init__(self, clients: Clients, account: str, region: str) -> None:
        self.account, self.region = account, region
        self._clients = clients

    def names(self, glob: str = "*") -> list[str]:
        """The pipelines that match, by name."""
        found = self._pages("codepipeline", "list_pipelines", "pipelines")
        return sorted(one["name"] for one in found if fnmatch.fnmatchcase(one["name"], glob))

    def webhooks(self) -> list[Mapping[str, Any]]:
        """Every webhook of version 1; their secrets are masked."""
        # Its token alone is written with a capital.
        found = self._pages("codepipeline", "list_webhooks", "webhooks", more="NextToken")
        return [one["definition"] for one in found]

    def read(self, name: str) -> Old:
        """All that is kept of one pipeline."""
        client = self._client("codepipeline")
        with saying(f"read pipeline {name} of {self.account}"):
            got = client.get_pipeline(name=name)
            state = client.get_pipeline_state(name=name)
        metadata = got.get("metadata", {})
        arn = metadata.get("pipelineArn", "")
        tags = self._pages("codepipeline", "list_tags_for_resource", "tags", resourceArn=arn)
        rules, notes = self._rules(arn)
        return Old(
            got["pipeline"],
            metadata,
            {tag["key"]: tag["value"] for tag in tags},
            dict(_closed(state)),
            rules,
            notes,
        )

    def executions(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The newest first."""
        return self._pages(
            "codepipeline", "list_pipeline_executions", "pipelineExecutionSummaries",
            pipelineName=name,
        )  # fmt: skip

    def actions(self, name: str, execution: str) -> list[Mapping[str, Any]]:
        """What each action of an execution did."""
        filter_ = {"pipelineExecutionId": execution}
        key = "actionExecutionDetails"
        return list(
            self._pages(
                "codepipeline", "list_action_executions", key, pipelineName=name, filter=filter_
            )
        )

    def _rules(self, arn: str) -> tuple[list[Mapping[str, Any]], tuple[str, ...]]:
        """A role that may not read them keeps no pipeline from coming over; it is said."""
        service, wanted = "codestar-notifications", [{"Name": "RESOURCE", "Value": arn}]
        try:
            listed = list(
                self._pages(
                    service, "list_notification_rules", "NotificationRules",
                    more="NextToken", Filters=wanted,
                )
            )  # fmt: skip
            client = self._client(service)
            with saying(f"read the notification rules of {arn}"):
                return [client.describe_notification_rule(Arn=one["Arn"]) for one in listed], ()
        except AccountError as error:
            if not error.permanent:
                raise
            return [], (f"its notification rules could not be read: {error}",)

    def _pages(
        self, service: str, operation: str, key: str, more: str = "nextToken", **asked: Any
    ) -> Iterator[Mapping[str, Any]]:
        call: Callable[..., Any] = getattr(self._client(service), operation)
        what = f"{operation.replace('_', ' ')} in {self.account}"
        for _ in range(PAGES):
            with saying(what):
                page = call(**asked)
            yield from page.get(key, ())
            if not page.get(more):
                return
            asked[more] = page[more]
        raise AccountError(f"Could not {what}: it has over {PAGES} pages.", permanent=True)

    def _client(self, service: str) -> Any:
        scope = Scope(requester="migrate")
        return self._clients.client(service, self.account, self.region, Purpose.WATCH, scope)


def _closed(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for stage in state.get("stageStates", ()):
        way = stage.get("inboundTransitionState", {})
        if not way.get("enabled", True):
            by = str(way.get("lastChangedBy", "")).rpartition("/")[2]
            said = way.get("disabledReason", "no reason given")
            yield stage["stageName"], f"at CodePipeline: {said}" + (f" ({by})" if by else "")
