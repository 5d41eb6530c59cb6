"""The channels. Adding one touches its file, one line here, its fake in the conformance suite."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from accounts.base import Clients
from controlplane.clock import Clock
from controlplane.notify.base import Notifier
from controlplane.notify.eventbridge import EventBridgeNotifier
from controlplane.notify.slack import People, SlackNotifier
from controlplane.notify.sns import SnsNotifier
from controlplane.notify.webhook import WebhookNotifier


@dataclass(frozen=True)
class Parts:
    """What the channels are made from. slack_url: "https://slack.com/api/", or a fake's."""

    clients: Clients
    now: Clock
    slack_token: str = field(repr=False)
    slack_url: str
    http: httpx.Client
    slack_people: People = field(default_factory=People)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)


NOTIFIERS: Mapping[str, Callable[[Parts], Notifier]] = {
    "EventBridge": lambda parts: EventBridgeNotifier(parts.clients),
    "SNS": lambda parts: SnsNotifier(parts.clients),
    "Slack": lambda parts: SlackNotifier(parts.slack_token, parts.slack_url, parts.slack_people),
    "Webhook": lambda parts: WebhookNotifier(parts.http, parts.now, parts.environ),
}
