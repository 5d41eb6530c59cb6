"""What people were told, as it really arrived: in Slack, and at the queue that hears the topic."""

from typing import Any

from controlplane.sandbox.aws.control import Order, route
from controlplane.sandbox.seed import Clients
from controlplane.sandbox.slack import FakeSlack
from controlplane.sandbox.world import AUDIT_QUEUE, World

ARRIVED = "ApproximateNumberOfMessages"


def add_told_routes(world: World, slack: FakeSlack, tools: Clients) -> None:
    """Serve GET /_sandbox/slack {"messages"} and /_sandbox/topic {"messages": how many arrived}."""
    route("/_sandbox/slack", lambda _order: {"messages": slack.messages()})
    route("/_sandbox/topic", lambda order: _topic(order, world, tools))


def _topic(_order: Order, world: World, tools: Clients) -> dict[str, Any]:
    url = world.queues[AUDIT_QUEUE]
    found = tools("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[ARRIVED])
    return {"messages": int(found["Attributes"][ARRIVED])}
