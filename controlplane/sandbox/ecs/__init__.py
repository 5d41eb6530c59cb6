"""ECS over moto: services whose deployments take a while, fail where they are told to, and are remembered.

moto's own services never end a deployment, and forget what was deployed. `install()` puts this in the place of
moto's, before the first request. What it does not emulate (tasks, task sets, instances) is refused with status
400. POST /_sandbox/services tells a service how its deployments go: see `orders`.
"""

from moto.ecs import urls
from moto.ecs.models import ecs_backends

from controlplane.sandbox.aws import clock, control, hooks, on_tick
from controlplane.sandbox.ecs import orders
from controlplane.sandbox.ecs.response import Backend, Response

__all__ = ["Backend", "install"]


def install() -> None:
    """Make moto answer ECS's calls with this emulation."""
    ecs_backends.clear()  # those of a sandbox before this one
    hooks.swap(ecs_backends, Backend, urls, Response)
    on_tick(_step)
    control.route("/_sandbox/services", orders.answer)


def _step() -> None:
    """Let time pass for every deployment, though nobody asks."""
    for backend in hooks.every(ecs_backends):
        backend.ecs.advance(clock.now())
