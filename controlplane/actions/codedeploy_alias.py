"""The alias behind a Lambda deployment: read anew, and pointed back at the version that was good.

A deployment that is stopped without a rollback leaves the alias split over two versions, and every later
deployment fails until somebody clears the weights:
https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-deployments-lambda.html
The way back needs no deployment: an alias is moved by one call, which its RevisionId keeps from
overwriting somebody else's.
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions.base import ActionError, Task
from controlplane.actions.codedeploy_appspec import Shift
from controlplane.actions.vendor import asking, code_of, partition_of, scope_of, told


@dataclass(frozen=True, slots=True)
class Alias:
    """How an alias stands. weights: other versions' share of its traffic, 0 to 1."""

    function: str
    name: str
    version: str
    revision: str
    weights: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say where its traffic goes, in percent."""
        if not self.weights:
            return f"the alias {self.name} of {self.function} is at {self.version}"
        rest = 1 - sum(self.weights.values())
        shares = "/".join(f"{100 * one:g}" for one in (round(rest, 6), *self.weights.values()))
        versions = " and ".join((self.version, *self.weights))
        return f"the alias {self.name} of {self.function} is split {shares} between {versions}"

    @property
    def versions(self) -> frozenset[str]:
        """Every version that gets traffic."""
        return frozenset({self.version, *self.weights})

    def mend(self, version: str) -> str:
        """Say what a person can run to point it at one version."""
        return (
            f"aws lambda update-alias --function-name {self.function} --name {self.name} "
            f"--function-version {version} --routing-config AdditionalVersionWeights={{}}"
        )


def client_of(clients: Clients, task: Task, function: str) -> Any:
    """Answer a client for one function, with the rights of who rolls back."""
    account = clients.registry.get(task.account)
    arn = f"arn:{partition_of(account)}:lambda:{task.region}:{account.id}:function:{function}"
    scope = scope_of(task, (arn, f"{arn}:*"))
    return clients.client("lambda", task.account, task.region, Purpose.ROLLBACK, scope)


def read(client: Any, function: str, name: str) -> Alias:
    """Read an alias."""
    with asking(f"read the alias {name} of {function}"):
        answer = client.get_alias(FunctionName=function, Name=name)
    version, revision = str(told(answer, "FunctionVersion")), str(answer.get("RevisionId", ""))
    weights = (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    spread = {other: share for other, share in weights.items() if share and other != version}
    return Alias(function, name, version, revision, spread)


def point(client: Any, alias: Alias, version: str) -> None:
    """Send all traffic to one version, unless somebody changed the alias since it was read."""
    with asking(f"point the alias {alias.name} of {alias.function} at {version}"):
        try:
            client.update_alias(
                FunctionName=alias.function,
                Name=alias.name,
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": {}},
                RevisionId=alias.revision,
            )
        except ClientError as error:
            if code_of(error) != "PreconditionFailedException":
                raise
            raise ActionError(
                f"somebody changed {alias.name} of {alias.function} just now"
            ) from error


def shifted_by(client: Any, deployment: str) -> Shift | None:
    """Ask CodeDeploy which alias a deployment shifts; None where it is no Lambda deployment."""
    with asking(f"read the targets of {deployment}"):
        listed = client.list_deployment_targets(deploymentId=deployment).get("targetIds", [])[:1]
        if not listed:
            return None
        answer = client.batch_get_deployment_targets(deploymentId=deployment, targetIds=listed)
    for target in answer.get("deploymentTargets", []):
        known = (target.get("lambdaTarget") or {}).get("lambdaFunctionInfo") or {}
        names = ("functionName", "functionAlias", "currentVersion", "targetVersion")
        if known:
            return Shift(*(str(known.get(name, "")) for name in names))
    return None


def refuse_strangers(alias: Alias, known: Collection[str]) -> None:
    """Raise (permanent) where the alias stands on a version that no release of ours put there."""
    strange = sorted(alias.versions - set(known))
    if strange:
        raise ActionError(
            f"{alias}, but what is rolled back moved between {', '.join(sorted(known))} only: somebody "
            f"else changed it, and version {', '.join(strange)} is not overwritten.",
            permanent=True,
        )
