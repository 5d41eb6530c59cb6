"""Where a source keeps what it made: the pipeline's store, or its account's bucket, under the digest."""

import base64
from dataclasses import dataclass
from typing import IO, Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import stores
from controlplane.actions.base import Task
from controlplane.actions.s3_content import Place, stored_digest
from controlplane.actions.vendor import code_of, scope_of
from monitors.base import Store

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
    kept, role = (
        stores.store_of(task, clients.registry),
        clients.registry.get(task.account).role(purpose),
    )
    raw = named.digest.removeprefix("sha256:")
    place = Place(kept.bucket, f"{PREFIX}/{task.pipeline}/{raw}/{named.file}")
    client = clients.client("s3", task.account, task.region, purpose, scope_of(task))
    with stores.keeping(task, kept, f"write {place.location} in {task.account}", role):
        there = _head(client, place, kept)
        if there is not None and stored_digest(there) == named.digest:
            return stores.versioned(place, there, task.account)
        content.seek(0)
        checksum = base64.b64encode(bytes.fromhex(raw)).decode()
        request = {**place.request, **stores.expected(kept), **stores.encryption(kept)}
        made = client.put_object(**request, Body=content, ChecksumSHA256=checksum)
    return stores.versioned(place, made, task.account)


def _head(client: Any, place: Place, kept: Store) -> dict[str, Any] | None:
    request = {**place.request, **stores.expected(kept)}
    try:
        return dict(client.head_object(**request, ChecksumMode="ENABLED"))
    except ClientError as error:
        if code_of(error) in MISSING:
            return None
        raise
