"""Events through an SQS queue that EventBridge rules feed: at least once, in any order.

A message only says where to look: bytes and digests are read from the source itself, and how a
deployment or a build stands from CodeDeploy and CodeBuild. Still,
whoever may send to the queue may start executions, so its policy should let in only the rule
(aws:SourceArn). What is foreign or malformed is counted, logged (never with its body) and deleted.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from accounts.base import Clients
from accounts.connect import config
from controlplane.actions import envelopes
from controlplane.actions.base import SourceEvent, WorkEvent
from controlplane.actions.vendor import asking
from monitors.heard import Heard

log = logging.getLogger(__name__)

BATCH = 10
"""Messages that SQS answers and deletes in one call."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Where the events arrive: the account that has it, its region, and its URL."""

    account: str
    region: str
    url: str


class SqsFeed:
    """Receives events. dropped counts what was thrown away, by reason."""

    def __init__(
        self,
        clients: Clients,
        queue: Queue,
        *,
        sqs: Any = None,
        wait_seconds: int = 1,
        heard: Heard | None = None,
    ) -> None:
        """Take the accounts we know and the queue.

        sqs: a boto3 client for it. The queue is Towpath's own, so it is read as Towpath itself and
        in no assumed role; that client is made here where none is given.
        wait_seconds: how long a receive of nothing may last.
        heard: told which accounts speak of their deployments.
        """
        self._registry = clients.registry
        self._url = queue.url
        self._wait = wait_seconds
        self._heard = heard
        self._sqs: Any = sqs or boto3.client("sqs", region_name=queue.region, config=config("sqs"))
        self.dropped: Counter[str] = Counter()

    def receive(self) -> Sequence[SourceEvent | WorkEvent]:
        """Answer the next events, ten at most; ActionError where the queue can not be read."""
        with asking(f"read the queue {self._url}"):
            answer = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=self._wait
            )
        events: list[SourceEvent | WorkEvent] = []
        refused: list[str] = []
        for message in answer.get("Messages", []):
            found = self._events(message)
            events += found
            if not found:
                refused.append(str(message["ReceiptHandle"]))
        self.done(refused)
        return events

    def done(self, receipts: Sequence[str]) -> None:
        """Delete them; what can not be deleted comes again, and again starts nothing twice."""
        left = list(dict.fromkeys(receipts))
        for start in range(0, len(left), BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt}
                for number, receipt in enumerate(left[start : start + BATCH])
            ]
            with asking(f"delete from the queue {self._url}"):
                answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            for failed in answer.get("Failed", []):
                log.warning("a message was not deleted and will come again: %s", failed["Code"])

    def _events(self, message: Mapping[str, Any]) -> Sequence[SourceEvent | WorkEvent]:
        """Answer a message's events: none where it is not for us, or nothing follows from it."""
        body, receipt = str(message.get("Body", "")), str(message["ReceiptHandle"])
        try:
            arrival = envelopes.read(body)
            if isinstance(arrival, envelopes.Change):
                return self._ended(arrival, receipt)
            places = self._places(arrival)
        except envelopes.EnvelopeError as reason:
            self.dropped[str(reason)] += 1
            log.warning(
                "dropped message %s (%d characters): %s",
                message.get("MessageId"),
                len(body),
                reason,
            )
            return []
        return [
            SourceEvent(arrival.provider, {**arrival.matches, **place}, arrival.revision, receipt)
            for place in places
        ]

    def _ended(self, change: envelopes.Change, receipt: str) -> list[WorkEvent]:
        """One event for each name of the account; none for what only began."""
        names = self._names(change.account, change.region)
        for name in names:
            if self._heard is not None and change.deployment:
                self._heard.note(name, change.region)
        return [
            WorkEvent(name, change.region, change.handle, receipt) for name in names if change.ended
        ]

    def _places(self, arrival: envelopes.Arrival) -> list[dict[str, str]]:
        """In which registered accounts it happened.

        A bucket's name is unique in the world; a repository's only within its account.
        """
        if arrival.provider == "S3":
            return [{}]
        return [{"Account": name} for name in self._names(arrival.account)]

    def _names(self, account_id: str, region: str = "") -> list[str]:
        """The accounts we know under an AWS account id, that have the region."""
        known = [account for account in self._registry.all() if account.id == account_id]
        names = [account.name for account in known if not region or region in account.regions]
        if not names:
            raise envelopes.EnvelopeError("an account that is not registered")
        return names
