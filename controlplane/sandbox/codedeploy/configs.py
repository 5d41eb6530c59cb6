"""CodeDeploy's predefined deployment configurations for instances and Lambda, and what they mean.

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
_STEPS: dict[str, tuple[tuple[int, int], ...]] = {
    "CodeDeployDefault.LambdaAllAtOnce": ((0, 100),),
    "CodeDeployDefault.LambdaCanary10Percent5Minutes": ((0, 10), (300, 100)),
    "CodeDeployDefault.LambdaLinear10PercentEvery1Minute": tuple(
        (60 * n, 10 * n + 10) for n in range(10)
    ),
}
"""Seconds after the beginning, and the percent of traffic that the new version gets from then on."""
DEFAULTS = {
    "Server": "CodeDeployDefault.OneAtATime",
    "Lambda": "CodeDeployDefault.LambdaAllAtOnce",
}
NAMES = tuple(_MINIMUM_HEALTHY)
PLATFORMS = {"Server": NAMES, "Lambda": tuple(_STEPS)}


def steps(name: str) -> tuple[tuple[int, int], ...]:
    """Answer how a Lambda configuration shifts traffic: (seconds, percent), rising."""
    return _STEPS[name]


def known(name: str, platform: str = "Server") -> str:
    """Answer the name, if there is such a configuration for the platform."""
    if name not in PLATFORMS[platform]:
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
