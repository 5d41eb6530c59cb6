"""How the deployments of a service go: told through the control API.

POST /_sandbox/services {"account", "region", "cluster", "service", "seconds": 1, "fails": "no such image"}.
fails: why its tasks do not start; absent where they do.
"""

from typing import Any

from moto.ecs.models import ecs_backends

from controlplane.sandbox.aws.control import ControlError, Order
from controlplane.sandbox.ecs.rollouts import Course


def answer(order: Order) -> Any:
    """Let the deployments of a service that begin from now on go so."""
    seconds, fails = order.body.get("seconds", 1.0), order.body.get("fails") or ""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        raise ControlError("seconds must be a number from 0 up.")
    backend = ecs_backends[order.text("account")][order.text("region")]
    key = (order.text("cluster"), order.text("service"))
    with backend.ecs.lock:
        backend.ecs.courses[key] = Course(float(seconds), str(fails))
    return {"service": "/".join(key)}
