"""`accounts.base.Clients` on a running sandbox: assumed roles, narrowed sessions."""

from typing import Any

import boto3
from botocore.config import Config

from accounts.base import Registry, Scope
from accounts.models import Account, Purpose, Roles
from accounts.policies import session_policy
from controlplane.sandbox.run import Sandbox
from tests.support.clients import FakeRegistry

CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=10)


def registry_of(world: dict[str, Any]) -> Registry:
    """The sandbox's accounts, as they would be declared."""
    return FakeRegistry(
        *(
            Account(
                name=name,
                id=known["id"],
                environment=name,
                regions=known["regions"],
                roles=Roles(**known["roles"]),
                external_id=known["external_id"],
                artifact_bucket=known["artifact_bucket"],
                artifact_key=known["artifact_key"],
            )
            for name, known in world["accounts"].items()
        )
    )


class SandboxClients:
    """Assumes the roles that deploy/ ships, each session narrowed as the product narrows it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.url, self.world = sandbox.url, sandbox.world_document()
        self.registry = registry_of(self.world)
        self._made: dict[tuple[str, str, str, Purpose, Scope], Any] = {}

    def own(self, service: str) -> Any:
        """A client that acts as Towpath itself."""
        user = self.world["towpath"]
        return self._client(service, user["access_key_id"], user["secret_access_key"], None)

    def client(
        self,
        service: str,
        account: str,
        region: str,
        purpose: Purpose,
        scope: Scope = Scope(),  # noqa: B008 - frozen, so sharing it is safe
    ) -> Any:
        key = (service, account, region, purpose, scope)
        if key not in self._made:
            known = self.registry.get(account)
            given = self.own("sts").assume_role(
                RoleArn=known.role(purpose),
                RoleSessionName="test",
                ExternalId=known.external_id,
                Policy=session_policy(known, purpose, scope),
            )["Credentials"]
            self._made[key] = self._client(
                service, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
            )
        return self._made[key]

    def _client(self, service: str, key: str, secret: str, token: str | None) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            self.world["region"],
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=CONFIG,
        )
