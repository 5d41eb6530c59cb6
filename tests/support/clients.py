"""Hand-written fakes of the accounts room: real botocore clients with scripted answers.

`stubbed("cloudwatch")` gives a boto3 client and its Stubber (which checks requests and answers
against botocore's own shapes); `StubClients(cloudwatch=client)` hands it out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.stub import Stubber

from accounts.base import AccountError, Registry, Scope
from accounts.models import Account, Purpose, Roles

REGION = "eu-west-1"


def account(name: str = "prod", id: str = "444444444444") -> Account:  # noqa: A002 - the field's name
    """One account as it would be declared."""
    role = f"arn:aws:iam::{id}:role/Towpath"
    return Account(
        name=name,
        id=id,
        environment=name,
        regions=[REGION],
        roles=Roles(watch=f"{role}Watch", deploy=f"{role}Deploy", rollback=f"{role}Rollback"),
        external_id=f"external-{name}",
        artifact_bucket=f"towpath-artifacts-{id}",
    )


class FakeRegistry:
    """A registry of the accounts given; of tools, dev, test and prod where none is."""

    def __init__(self, *accounts: Account) -> None:
        names = ("tools", "dev", "test", "prod")
        made = accounts or tuple(account(n, str(i) * 12) for i, n in enumerate(names, start=1))
        self.accounts = {one.name: one for one in made}

    def get(self, name: str) -> Account:
        if name not in self.accounts:
            known = ", ".join(self.accounts)
            raise AccountError(f"There is no account {name!r}; known: {known}.", permanent=True)
        return self.accounts[name]

    def all(self) -> list[Account]:
        return sorted(self.accounts.values(), key=lambda one: one.name)


@dataclass(frozen=True)
class Asked:
    """One request for a client: what a driver asked the accounts room for."""

    service: str
    account: str
    region: str
    purpose: Purpose
    scope: Scope


@dataclass
class StubClients:
    """`accounts.base.Clients` that hands out the clients it was given, by service name.

    asked remembers every request. refuse: raised instead, as where a role may not be assumed.
    A client under "service@account" is preferred to the one under "service".
    """

    by_name: dict[str, Any]
    registry: Registry
    refuse: Exception | None = None
    asked: list[Asked] = field(default_factory=list)

    def __init__(
        self, registry: Registry | None = None, refuse: Exception | None = None, **clients: Any
    ) -> None:
        self.registry = registry or FakeRegistry()
        self.refuse = refuse
        self.by_name = clients
        self.asked = []

    def client(
        self,
        service: str,
        account: str,
        region: str,
        purpose: Purpose,
        scope: Scope = Scope(),  # noqa: B008 - frozen, so sharing it is safe
    ) -> Any:
        self.asked.append(Asked(service, account, region, purpose, scope))
        if self.refuse:
            raise self.refuse
        self.registry.get(account)
        return self.by_name.get(f"{service}@{account}") or self.by_name[service]


def client(service: str, endpoint: str | None = None) -> Any:
    """A boto3 client with made-up credentials that neither retries nor reads the environment."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=REGION,
        endpoint_url=endpoint or f"http://{service}.invalid",
        aws_access_key_id="AKIAMADEUPFORTESTS",
        aws_secret_access_key="made-up-for-tests",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=2),
    )


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    """A client whose answers are scripted; all of them must have been asked for at the end."""
    made = client(service)
    with Stubber(made) as stub:
        yield made, stub
        stub.assert_no_pending_responses()
