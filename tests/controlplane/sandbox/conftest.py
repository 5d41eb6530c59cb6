"""The embedded AWS in a thread, boto3 clients to it, an account for each test, a clock by hand."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Protocol

import boto3
import httpx
import pytest
from botocore.config import Config

from controlplane.clock import ManualClock
from controlplane.sandbox.aws import clock
from controlplane.sandbox.aws.identity import root_key
from controlplane.sandbox.aws.server import Server, serve
from tests.controlplane.sandbox.aws.documents import allow, trust

REGION = "eu-west-1"
READ = 5
_accounts = count(500_000_000_000)


class ClientOf(Protocol):
    """Makes clients: of an account's root, or with credentials as AssumeRole answers them."""

    def __call__(
        self, service: str, account: str = "", credentials: dict[str, Any] | None = None
    ) -> Any: ...


@pytest.fixture(scope="session")
def aws() -> Iterator[Server]:
    with serve() as server:
        yield server


@pytest.fixture
def account() -> str:
    return str(next(_accounts))


@pytest.fixture
def other_account() -> str:
    return str(next(_accounts))


@pytest.fixture
def client(aws: Server) -> Iterator[ClientOf]:
    made: list[Any] = []
    connect: Any = boto3.client

    def make(service: str, account: str = "", credentials: dict[str, Any] | None = None) -> Any:
        known = credentials or {}
        made.append(
            connect(
                service,
                endpoint_url=aws.url,
                region_name=REGION,
                aws_access_key_id=known.get("AccessKeyId") or root_key(account),
                aws_secret_access_key="secret",
                aws_session_token=known.get("SessionToken"),
                config=Config(retries={"total_max_attempts": 1}, read_timeout=READ),
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def by_hand() -> Iterator[ManualClock]:
    manual = ManualClock()
    clock.use(manual)
    yield manual
    clock.use(None)


@pytest.fixture
def session(client: ClientOf, account: str) -> Callable[..., dict[str, Any]]:
    """Make a role with a policy in the account and answer the credentials of a session of it."""

    def make(policy: str, **more: Any) -> dict[str, Any]:
        iam = client("iam", account)
        iam.create_role(RoleName="Worker", AssumeRolePolicyDocument=trust(account))
        iam.put_role_policy(RoleName="Worker", PolicyName="p", PolicyDocument=policy)
        arn = f"arn:aws:iam::{account}:role/Worker"
        sts = client("sts", account)
        answer = sts.assume_role(RoleArn=arn, RoleSessionName="test", **more)
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    return make


class FaultsOf(Protocol):
    """Puts rules in force for the rest of the test; answers what the sandbox says of them."""

    def __call__(self, *rules: dict[str, Any], seed: int | None = None) -> dict[str, Any]: ...


@pytest.fixture
def faults(aws: Server) -> Iterator[FaultsOf]:
    url = f"{aws.url}/_sandbox/faults"

    def order(*rules: dict[str, Any], seed: int | None = None) -> dict[str, Any]:
        sent = httpx.put(url, json={"rules": list(rules), "seed": seed})
        told: dict[str, Any] = sent.raise_for_status().json()
        return told

    yield order
    httpx.delete(url).raise_for_status()


@pytest.fixture
def worker(client: ClientOf, session: Callable[..., dict[str, Any]]) -> Callable[[str], Any]:
    """Clients of a role that may do everything; only root callers are never befallen."""
    credentials = session(allow("*"))
    return lambda service: client(service, credentials=credentials)
