"""Side effects that AWS's services have on each other: events to EventBridge, messages to SNS."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


def event(
    account: str,
    region: str,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Iterable[str] = (),
) -> None:
    """Put one event on the default bus of the account and region; its rules run at once."""
    from moto.events.models import events_backends

    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail, default=str),
        "Resources": list(resources),
    }
    events_backends[account][region].put_events([entry])


def sns(arn: str, message: str, subject: str | None = None) -> None:
    """Publish to a topic, in the account that its ARN names. Nothing happens where it is gone."""
    from moto.sns.models import sns_backends

    _, _, _, region, account, _ = arn.split(":", 5)
    backend = sns_backends[account][region]
    if arn in backend.topics:
        # SNS takes subjects of at most 100 characters.
        backend.publish(message=message, arn=arn, subject=subject[:100] if subject else None)
