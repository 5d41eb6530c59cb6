"""Elastic Beanstalk over moto: updates take a while, and fail where they are told to.

`install()` puts it in the place of moto's own, before the first request. What it does not emulate is refused
with status 400. POST /_sandbox/environments tells an environment how its updates go: see `orders`.
"""

from moto.elasticbeanstalk import urls
from moto.elasticbeanstalk.models import eb_backends

from controlplane.sandbox.aws import clock, control, hooks, on_tick
from controlplane.sandbox.beanstalk import orders
from controlplane.sandbox.beanstalk.response import Backend, Response

__all__ = ["Backend", "install"]


def install() -> None:
    """Make moto answer Elastic Beanstalk's calls with this emulation."""
    eb_backends.clear()  # those of a sandbox before this one
    hooks.swap(eb_backends, Backend, urls, Response)
    on_tick(_step)
    control.route("/_sandbox/environments", orders.answer)


def _step() -> None:
    """Let time pass for every update, though nobody asks."""
    for backend in hooks.every(eb_backends):
        backend.beanstalk.advance(clock.now())
