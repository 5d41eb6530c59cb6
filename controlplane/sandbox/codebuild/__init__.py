"""CodeBuild over moto: builds that take a while, fail where they are told to, and write what they made to S3.

`install()` puts it in the place of moto's own, before the first request. What it does not emulate (batches)
raises NotImplementedError, which the server answers with status 400. POST /_sandbox/builds tells a project how
its builds go: see `orders`.
"""

from moto.codebuild import urls
from moto.codebuild.models import codebuild_backends

from controlplane.sandbox.aws import control, on_tick
from controlplane.sandbox.aws.hooks import swap
from controlplane.sandbox.codebuild import orders
from controlplane.sandbox.codebuild.backend import Backend, every
from controlplane.sandbox.codebuild.response import Response

__all__ = ["Backend", "install"]


def install() -> None:
    """Make moto answer CodeBuild's calls with this emulation."""
    codebuild_backends.clear()  # those of a sandbox before this one
    orders.forget()
    swap(codebuild_backends, Backend, urls, Response)
    on_tick(_step)
    control.route("/_sandbox/builds", orders.answer)


def _step() -> None:
    """Let time pass for every build, though nobody asks."""
    for backend in every():
        backend.advance()
