"""Clients of CodePipeline's API in front of an installation: plain boto3, and one that signs by hand."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from controlplane.clock import system_clock
from controlplane.store import access_keys
from controlplane.store.roles import Role
from tests.support.doors import SECRET, Doors, InProcess, served

REGION = "eu-west-1"
URL = "http://towpath/"


def key(doors: Doors, role: Role = Role.ADMIN, expires_at: float | None = None) -> access_keys.Made:
    """A new access key of a role; it is named after the role. From now on it is the machine's time.

    botocore signs by the machine's clock, and no other.
    """
    doors.house.clock.time = system_clock()
    now = doors.house.clock().timestamp()
    with doors.house.database.begin() as connection:
        return access_keys.create(connection, (role.value, role), now, expires_at, SECRET)


@contextmanager
def boto(doors: Doors, role: Role = Role.ADMIN) -> Iterator[Any]:
    """Plain boto3, over a real socket."""
    made = key(doors, role)
    with served(doors.app) as url:
        yield boto3.Session().client(
            "codepipeline",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=made.id,
            aws_secret_access_key=made.secret,
        )


class Wire:
    """Calls operations without a socket, signed by botocore; what is sent may be spoilt on the way."""

    def __init__(self, doors: Doors, role: Role = Role.ADMIN) -> None:
        self.doors = doors
        self.made = key(doors, role)
        self.client = httpx.Client(transport=InProcess(doors.app))

    def signed(
        self,
        operation: str,
        given: Mapping[str, Any] | bytes | None = None,
        token: str | None = None,
    ) -> AWSRequest:
        """A signed request of this operation; given: the input, or the body itself."""
        body = given if isinstance(given, bytes) else json.dumps(given or {}).encode()
        headers = {
            "X-Amz-Target": f"CodePipeline_20150709.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Host": "towpath",
        }
        request = AWSRequest("POST", URL, headers, body)
        who = Credentials(self.made.id, self.made.secret, token)
        SigV4Auth(who, "codepipeline", REGION).add_auth(request)
        return request

    def send(self, request: AWSRequest) -> httpx.Response:
        """What the door answers."""
        return self.client.post(URL, headers=dict(request.headers.items()), content=request.body)

    def call(self, operation: str, given: Any = None, **more: Any) -> httpx.Response:
        """Sign and send."""
        return self.send(self.signed(operation, given, **more))

    def refusal(self, operation: str, given: Any = None) -> str:
        """The code of the refusal; "" where it was done."""
        return str(self.call(operation, given).json().get("__type", ""))
