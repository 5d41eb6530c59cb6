"""CodeDeploy's predefined deployment configurations for instances, and what they mean.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

from collections.abc import Callable
from typing import Any

from controlplane.sandbox.codedeploy.errors import Fault

_MINIMUM_HEALTHY: dict[str, Callable[[int], int]] = {
    "CodeDeployDefault.OneAtATime": lambda instances: instances - 1,
    "CodeDeployDefault.HalfAtATime": lambda instances: (instances + 1) // 2,
    "CodeDeployDefault.AllAtOnce": lambda _: 0,
}
_SHOWN = {
    "CodeDeployDefault.OneAtATime": {"type": "HOST_COUNT", "value": 1},
    "CodeDeployDefault.HalfAtATime": {"type": "FLEET_PERCENT", "value": 50},
    "CodeDeployDefault.AllAtOnce": {"type": "FLEET_PERCENT", "value": 0},
}
DEFAULT = "CodeDeployDefault.OneAtATime"
NAMES = tuple(_MINIMUM_HEALTHY)


def known(name: str) -> str:
    """Answer the name, if there is such a configuration."""
    if name not in NAMES:
        raise Fault(
            "DeploymentConfigDoesNotExistException",
            f"The deployment configuration {name} does not exist with the user or AWS account.",
        )
    return name


def minimum_healthy(name: str, instances: int) -> int:
    """How many of so many instances must stay healthy (one instance alone may always be taken)."""
    return min(_MINIMUM_HEALTHY[known(name)](instances), instances - 1)


def describe(name: str) -> dict[str, Any]:
    """Render a configuration as GetDeploymentConfig shows it."""
    return {
        "deploymentConfigId": f"00000000-0000-0000-0000-{NAMES.index(known(name)) + 1:012d}",
        "deploymentConfigName": name,
        "minimumHealthyHosts": _SHOWN[name],
        "computePlatform": "Server",
    }
