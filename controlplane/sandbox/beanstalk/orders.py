"""How the updates of an environment go: told through the control API.

POST /_sandbox/environments {"account", "region", "application", "environment", "seconds": 1, "fails": "no"}.
fails: what Elastic Beanstalk says of them; absent where they do well.
"""

from typing import Any

from moto.elasticbeanstalk.models import eb_backends

from controlplane.sandbox.aws.control import ControlError, Order
from controlplane.sandbox.beanstalk.model import Course


def answer(order: Order) -> Any:
    """Let the updates of an environment that begin from now on go so."""
    seconds, fails = order.body.get("seconds", 1.0), order.body.get("fails") or ""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        raise ControlError("seconds must be a number from 0 up.")
    backend = eb_backends[order.text("account")][order.text("region")]
    key = (order.text("application"), order.text("environment"))
    with backend.beanstalk.lock:
        backend.beanstalk.courses[key] = Course(float(seconds), str(fails))
    return {"environment": "/".join(key)}
