"""A source account whose CodePipeline is a Towpath of its own, and an installation that pipelines move to.

What the old one answers is checked against botocore's model by the client, as AWS's own would be.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from controlplane.migration.moving import Migration
from controlplane.migration.shadow import Shadow
from controlplane.store import queries
from tests.support.clients import StubClients
from tests.support.doors import Doors
from tests.support.wire import boto

ROLE = "arn:aws:iam::000000000319:role/CodePipeline"
"""In the account `dev` of the tests' registry."""


def structure(name: str = "shop") -> dict[str, Any]:
    """As somebody has it at CodePipeline: a source, an approval, a deployment; no account is said."""
    source = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}
    ask = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
    deploy = {"category": "Deploy", "owner": "AWS", "provider": "CodeDeploy", "version": "1"}
    upload = {
        "name": "Upload",
        "actionTypeId": source,
        "configuration": {"S3Bucket": "in", "S3ObjectKey": "shop.zip"},
        "outputArtifacts": [{"name": "App"}],
    }
    group = {"ApplicationName": "shop", "DeploymentGroupName": "all"}
    ship = {
        "name": "Ship",
        "actionTypeId": deploy,
        "configuration": group,
        "inputArtifacts": [{"name": "App"}],
    }
    return {
        "name": name,
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [
            {"name": "Source", "actions": [upload]},
            {"name": "Gate", "actions": [{"name": "Ask", "actionTypeId": ask}]},
            {"name": "Prod", "actions": [ship]},
        ],
    }


@dataclass
class Moving:
    """old: the source account's; its client is `aws`. new: where pipelines go. rules: notification rules."""

    old: Doors
    new: Doors
    aws: Any
    rules: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.new.house.clock.time = self.old.house.clock.time
        house = self.new.house
        self.clients = StubClients(self.new.registry, codepipeline=self.aws)
        self.clients.by_name["codestar-notifications"] = _Rules(self.rules)
        migration = Migration(
            house.database, house.structures, self.new.registry, self.clients, house.clock
        )
        self.new.app.state.parts = replace(self.new.parts(), migration=migration)
        self.shadow = Shadow(house.database, house.structures, self.clients, house._now)

    def move(self, name: str = "shop", **said: Any) -> Any:
        """The report of one, stored unless said otherwise."""
        body = {"apply": True, **said}
        with self.new.client() as client:
            answer = client.post(f"/api/v1/migrations/dev/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def closed(self, name: str = "shop") -> dict[str, str]:
        """stage -> why its way in is closed."""
        with self.new.house.database.read() as connection:
            return {row.stage: row.reason for row in queries.transitions(connection, name)}

    def seen(self, name: str = "shop") -> Any:
        """What `towpath shadow` shows."""
        with self.new.client() as client:
            return client.get(f"/api/v1/pipelines/{name}/shadow").json()


class _Rules:
    """Notification rules, as their own service answers them."""

    def __init__(self, rules: list[Mapping[str, Any]]) -> None:
        self._rules = rules

    def list_notification_rules(self, Filters: Any) -> Any:  # noqa: N803 - AWS's own name
        assert Filters[0]["Value"].startswith("arn:aws:codepipeline:")
        return {"NotificationRules": [{"Arn": one["Arn"]} for one in self._rules]}

    def describe_notification_rule(self, Arn: str) -> Any:  # noqa: N803 - AWS's own name
        return next(one for one in self._rules if one["Arn"] == Arn)


@contextmanager
def moving(folder: Path) -> Iterator[Moving]:
    """Both, over a real socket between them."""
    (folder / "old").mkdir()
    (folder / "new").mkdir()
    old = Doors(folder / "old")
    with boto(old) as aws:
        yield Moving(old, Doors(folder / "new"), aws)
