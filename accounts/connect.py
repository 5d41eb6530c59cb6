"""How our clients connect: time-outs, retries, who they say they are; and the making of them."""

import threading
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

from accounts import whole

CONNECT_SECONDS = 2
READ_SECONDS = 10
CONNECTIONS = 20

ATTEMPTS = 3
ATTEMPTS_OF: Mapping[str, int] = {
    # A call that AWS may have carried out although its answer was lost must not be sent again
    # behind our back: CreateDeployment and Invoke have no token by which AWS would know it. The
    # engine looks for what it may have started before it tries again. A CopyObject that is sent
    # again makes a second version, a CreateMultipartUpload an upload that nobody ends, a
    # RegisterTaskDefinition a second revision.
    "codedeploy": 1,
    "ecs": 1,
    "elasticbeanstalk": 1,
    "lambda": 1,
    "s3": 1,
}
"""Attempts by service.

The standard mode, not the adaptive one: that one makes a call wait inside the client, for as long
as its own estimate of the rate says, and it knows only one client; our throttle knows all calls of
an account and never sleeps. A call takes at most 3 x (2 + 10) s and 1 + 2 s between them: 39 s.
https://docs.aws.amazon.com/boto3/latest/guide/retries.html
"""


@cache
def config(service: str) -> Config:
    """Answer the configuration of a service's clients."""
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS_OF.get(service, ATTEMPTS)},
        max_pool_connections=CONNECTIONS,
        user_agent_extra=f"towpath/{_version()}",
        tcp_keepalive=True,
    )


class Connector:
    """Makes sessions and clients, one at a time: only finished clients are safe under threads."""

    def __init__(self, base: boto3.Session | None = None) -> None:
        """Take Towpath's own identity (default: what boto3 finds)."""
        self._base = base or boto3.Session()
        self._making = threading.Lock()
        self._sts: dict[str, Any] = {}
        # Shared by all sessions: the services' models are large.
        self._loader = botocore.session.Session().get_component("data_loader")

    def sts(self, region: str) -> Any:
        """Answer a client of the region's own STS; the global one is a single point of failure."""
        with self._making:
            if region not in self._sts:
                made: Any = self._base.client("sts", region_name=region, config=config("sts"))
                whole.attach(made)
                self._sts[region] = made
            return self._sts[region]

    def session(self, credentials: RefreshableCredentials, region: str) -> boto3.Session:
        """Make a session that acts with these credentials."""
        with self._making:
            core = botocore.session.Session()
            core.register_component("data_loader", self._loader)
            resolver = CredentialResolver([_Given(credentials)])
            core.register_component("credential_provider", resolver)
            return boto3.Session(botocore_session=core, region_name=region)

    def client(self, session: boto3.Session, service: str) -> Any:
        """Make a client."""
        with self._making:
            # Which service is known at run time only; the stubs want a literal name.
            made: Any = session.client(service, config=config(service))  # type: ignore[call-overload]
        whole.attach(made)
        return made


class _Given(CredentialProvider):
    METHOD = "towpath"

    def __init__(self, credentials: RefreshableCredentials) -> None:
        self._credentials = credentials

    def load(self) -> RefreshableCredentials:
        return self._credentials


def _version() -> str:
    try:
        return version("towpath")
    except PackageNotFoundError:
        return "0"
