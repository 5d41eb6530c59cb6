"""CodeDeploy (EC2/on-premises in place, and Lambda) over moto: its agents do real work on real processes.

`install(surroundings)` puts it in the place of moto's own, before the first request. What it does
not emulate raises NotImplementedError, which the server answers with status 400.
"""

from moto.codedeploy import urls
from moto.codedeploy.models import codedeploy_backends

from controlplane.sandbox.aws.hooks import swap
from controlplane.sandbox.codedeploy.backend import Backend, Surroundings
from controlplane.sandbox.codedeploy.response import Response

__all__ = ["Backend", "Surroundings", "install"]


def install(surroundings: Surroundings) -> None:
    """Make moto answer CodeDeploy's calls with this emulation, on these surroundings."""
    bound = type("Backend", (Backend,), {"surroundings": surroundings})
    codedeploy_backends.clear()  # those of a sandbox before this one
    swap(codedeploy_backends, bound, urls, Response)
