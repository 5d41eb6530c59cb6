"""What moto does in one account only: SNS to a foreign SQS, events to SNS and foreign SQS, queues.

A queue's URL or ARN says whose it is; these take its word.
"""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlparse

from moto.events import models as events
from moto.events import utils as event_utils
from moto.sns import models as sns
from moto.sqs import responses as sqs

from controlplane.sandbox.aws import emit, fault_events, on_tick
from controlplane.sandbox.faults.rules import Place

WITHOUT_URL = ("CreateQueue", "ListQueues", "GetQueueUrl")
"""SQS's operations that name no queue by its URL."""

TEMPLATE = '"account": "<account>", "source":'


def install() -> None:
    """Teach moto's SNS, EventBridge and SQS about other accounts."""
    _install_sns()
    _install_events()
    sqs.SQSResponse.sqs_backend = property(_queue_backend)
    on_tick(fault_events.step)


def _install_sns() -> None:
    deliver = sns.Subscription.publish

    def publish(self: Any, *given: Any, **named: Any) -> Any:
        own = self.account_id
        if self.protocol == "sqs":
            self.account_id = self.endpoint.split(":")[4]
        try:
            return deliver(self, *given, **named)
        finally:
            self.account_id = own

    sns.Subscription.publish = publish


def _install_events() -> None:
    parser = event_utils.EventTemplateParser
    default = parser.DEFAULT_EVENT_INPUT_TEMPLATE
    if TEMPLATE not in default:
        parser.DEFAULT_EVENT_INPUT_TEMPLATE = default.replace('"source":', TEMPLATE)
    deliver = events.Rule.send_to_targets

    def send(self: Any, event: Any, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002 moto's own signature
        if not self.event_pattern.matches_event(event):
            return
        place = _place(self, event)
        for target in list(self.targets):
            one = partial(_send_one, self, deliver, target, dict(event), transform_input)
            fault_events.deliver(place, one)

    events.Rule.send_to_targets = send


def _place(rule: Any, event: Any) -> Place:
    source = str(event.get("source", "")).removeprefix("aws.")
    return Place(source, str(event.get("detail-type", "")), rule.account_id, rule.region_name)


def _send_one(rule: Any, deliver: Any, target: Any, event: Any, transform: Any) -> None:
    service, region, account = target["Arn"].split(":")[2:5]
    if service == "sns":
        emit.sns(target["Arn"], json.dumps(_written(event)))
        return
    # One target at a time, on a copy of the rule: a failing one must not lose the others.
    alone = _Alone(rule, target, account if service == "sqs" else rule.account_id, region)
    try:
        deliver(alone, event, transform)
    except Exception:  # noqa: BLE001 EventBridge, too, drops what it cannot deliver
        return


class _Alone:
    """A rule with one target only, in the target's account."""

    def __init__(self, rule: Any, target: Any, account: str, region: str) -> None:
        self._rule = rule
        self.targets = [target]
        self.account_id = account
        self.region_name = region or rule.region_name

    def __getattr__(self, name: str) -> Any:
        found = getattr(type(self._rule), name, None)
        return found.__get__(self) if callable(found) else getattr(self._rule, name)


def _written(event: Any) -> dict[str, Any]:
    at = event.get("time")
    known = {name: value for name, value in event.items() if name != "ingestion-time"}
    if isinstance(at, int | float):
        known["time"] = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return known


def _queue_backend(self: Any) -> Any:
    account = self.current_account
    if self._get_action() not in WITHOUT_URL:
        parts = urlparse(self._get_param("QueueUrl") or "").path.strip("/").split("/")
        if len(parts) == 2 and parts[0].isdecimal():  # noqa: PLR2004 account and name
            account = parts[0]
    return sqs.sqs_backends[account][self.region]
