"""Which digest is where, how it fared, and which is the last known good. Pure: entries in, answers out."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fared(StrEnum):
    """How a deployment fared. GOOD: its stage succeeded, bake included."""

    DEPLOYING = "DEPLOYING"
    DEPLOYED = "DEPLOYED"
    GOOD = "GOOD"
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Entry:
    """A digest was put on a target; ids rise with time. artifact is the copy that was deployed."""

    id: int
    target: str
    digest: str
    artifact: str
    execution_id: str
    status: Fared


def last_known_good(entries: Iterable[Entry], quarantined: Collection[str] = ()) -> Entry | None:
    """The newest deployment that fared well and whose digest is not quarantined."""
    good = [e for e in entries if e.status is Fared.GOOD and e.digest not in quarantined]
    return max(good, key=lambda e: e.id, default=None)


def standing(entries: Iterable[Entry]) -> Mapping[str, Entry]:
    """What stands on each target now: the newest deployment that reached it."""
    newest: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda e: e.id):
        newest[entry.target] = entry
    return newest


GROUP, STACK = ("ApplicationName", "DeploymentGroupName"), ("StackName",)
SERVICE = ("ClusterName", "ServiceName")
ENVIRONMENT = ("ApplicationName", "EnvironmentName")
TARGET_KEYS: Mapping[str, tuple[str, ...]] = {
    "CodeDeploy": GROUP,
    "CodeDeployStop": GROUP,
    "CodeDeployRestore": GROUP,
    "CloudFormation": STACK,
    "CloudFormationStop": STACK,
    "CloudFormationRestore": STACK,
    "ECS": SERVICE,
    "ECSStop": SERVICE,
    "ECSRestore": SERVICE,
    "ElasticBeanstalk": ENVIRONMENT,
    "ElasticBeanstalkStop": ENVIRONMENT,
    "ElasticBeanstalkRestore": ENVIRONMENT,
}
"""What names a target besides account and region; who stops and who restores acts on the same."""


def target_of(provider: str, region: str, configuration: Mapping[str, str]) -> str:
    """The target's name, the same for every way of deploying to it: "prod/eu-west-1/shop/shop-prod"."""
    names = [configuration.get(key, "") for key in TARGET_KEYS[provider]]
    return "/".join([configuration.get("Account", ""), region, *names])


def application_of(configuration: Mapping[str, str]) -> str:
    """What several targets are of, as their deployments name it; "" for a stack, which is its own."""
    return configuration.get("ApplicationName", "")


def artifact_text(document: Mapping[str, str]) -> str:
    """An artifact as the ledger keeps it."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)
