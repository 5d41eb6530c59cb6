"""Where a source keeps what it made: its account's artifact bucket, under the content's digest."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Account, Purpose
from controlplane.actions.base import ActionError, Task
from controlplane.actions.s3_content import Place, stored_digest
from controlplane.actions.vendor import asking, code_of, scope_of

PREFIX = "sources"
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


@dataclass(frozen=True, slots=True)
class Named:
    """What a content is called: its digest, and the last part of its key."""

    digest: str
    file: str


def store(
    clients: Clients, purpose: Purpose, task: Task, content: IO[bytes], named: Named
) -> Place:
    """Write it once for one digest: what lies there already is what would be written."""
    account = clients.registry.get(task.account)
    raw = named.digest.removeprefix("sha256:")
    place = Place(account.artifact_bucket, f"{PREFIX}/{task.pipeline}/{raw}/{named.file}")
    client = clients.client("s3", task.account, task.region, purpose, scope_of(task))
    with asking(f"write {place.location} in {task.account}"):
        there = _head(client, place)
        if there is not None and stored_digest(there) == named.digest:
            return _pinned(place, there, task)
        content.seek(0)
        checksum = base64.b64encode(bytes.fromhex(raw)).decode()
        request = {**place.request, "Body": content, "ChecksumSHA256": checksum}
        return _pinned(place, client.put_object(**request, **_encryption(account)), task)


def _head(client: Any, place: Place) -> dict[str, Any] | None:
    try:
        return dict(client.head_object(**place.request, ChecksumMode="ENABLED"))
    except ClientError as error:
        if code_of(error) in MISSING:
            return None
        raise


def _pinned(place: Place, answer: Mapping[str, Any], task: Task) -> Place:
    version = str(answer.get("VersionId") or "")
    if version in ("", "null"):
        raise ActionError(
            f"The bucket {place.bucket} of {task.account} is not versioned: turn versioning on.",
            permanent=True,
        )
    return Place(place.bucket, place.key, version)


def _encryption(account: Account) -> dict[str, str]:
    if not account.artifact_key:
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": account.artifact_key}
