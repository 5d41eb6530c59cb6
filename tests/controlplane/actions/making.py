"""Tasks, artifacts and refusals as the drivers of this room meet them."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from monitors.base import Artifact, Task

REGION = "eu-west-1"
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TOKEN = "tp-0123456789abcdef01234567"
CONTENT = b"release 1"
GROUP = {"ApplicationName": "shop", "DeploymentGroupName": "shop-prod"}


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def bundle(content: bytes = CONTENT, **given: str) -> Artifact:
    """The shop's bundle, where S3Promote puts it in prod."""
    fields = {
        "name": "bundle",
        "digest": digest_of(content),
        "location": "s3://towpath-artifacts-444444444444/releases/shop/shop.zip",
        "version": "v1",
        "account": "prod",
        "region": REGION,
    }
    return Artifact(**{**fields, **given})


def task(**given: Any) -> Task:
    """An action's task in prod; everything may be said otherwise."""
    fields: dict[str, Any] = {
        "token": TOKEN,
        "pipeline": "shop",
        "execution": "e-1",
        "stage": "prod",
        "action": "act",
        "configuration": {},
        "account": "prod",
        "region": REGION,
        "since": NOW,
        "now": NOW,
    }
    return Task(**{**fields, **given})


def refused(operation: str, code: str, message: str = "no", status: int = 400) -> ClientError:
    """What botocore raises where AWS says no."""
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)
