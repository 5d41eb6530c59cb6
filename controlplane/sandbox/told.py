"""What people were told, as it really arrived: in Slack, and at the queue that hears the topic."""

import json
from typing import Any

from moto.sqs.models import sqs_backends

from controlplane.sandbox.aws.control import Order, route
from controlplane.sandbox.seed import Clients
from controlplane.sandbox.slack import FakeSlack
from controlplane.sandbox.world import AUDIT_QUEUE, REGION, TOOLS_ACCOUNT, World

ARRIVED = "ApproximateNumberOfMessages"


def add_told_routes(world: World, slack: FakeSlack, tools: Clients) -> None:
    """Serve what arrived: GET /_sandbox/slack {"messages"}, /_sandbox/topic {"messages": how many}.

    GET /_sandbox/topic/bodies {"bodies"}: read where they lie, as thousands are slow to be received.
    """
    route("/_sandbox/slack", lambda _order: {"messages": slack.messages()})
    route("/_sandbox/topic", lambda order: _topic(order, world, tools))
    route("/_sandbox/topic/bodies", lambda _order: {"bodies": _bodies()})


def _topic(_order: Order, world: World, tools: Clients) -> dict[str, Any]:
    url = world.queues[AUDIT_QUEUE]
    found = tools("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[ARRIVED])
    return {"messages": int(found["Attributes"][ARRIVED])}


def _bodies() -> list[str]:
    queue = sqs_backends[TOOLS_ACCOUNT.id][REGION].queues[AUDIT_QUEUE]
    return [json.loads(message.body)["Message"] for message in queue.messages]
