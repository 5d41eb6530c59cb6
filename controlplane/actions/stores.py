"""Where a task's artifacts lie: the pipeline's own store where it names one, else the account's bucket.

Whoever writes there or reads what lies there asks here whose bucket it is, how it is encrypted, and says a
refusal in one sentence that names bucket, key, account and mend.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from accounts.base import Registry
from accounts.errors import explain
from accounts.statements import TEMPLATE
from controlplane.actions.base import ActionError, Task
from controlplane.actions.s3_content import Place, place_of
from controlplane.actions.vendor import code_of, message_of
from monitors.base import Artifact, Store

GONE = frozenset({"NoSuchBucket"})
DENIED = frozenset({"403", "AccessDenied", "AllAccessDisabled", "Forbidden"})
WRONG_KEY = "KMS."
"""How S3's codes begin where the key is disabled, gone, or no key at all."""
OWN = "the bucket's own"


def store_of(task: Task, registry: Registry) -> Store:
    """Answer where the task's artifacts go, and whose bucket that is; AccountError for an unknown account."""
    if task.store is not None:
        return owned(task.store, registry)
    account = registry.get(task.account)
    return Store(account.artifact_bucket, account.artifact_key or "", account.id)


def owned(store: Store, registry: Registry) -> Store:
    """Say whose the bucket is, where the structure does not: it may be a registered account's."""
    if store.owner:
        return store
    whose = {one.id for one in registry.all() if one.artifact_bucket == store.bucket}
    return Store(store.bucket, store.key, whose.pop()) if len(whose) == 1 else store


def keeper(task: Task, bucket: str, registry: Registry) -> str:
    """Name the registered account that a bucket belongs to; the one that the task acts in, if none is known."""
    if task.store is None or bucket != task.store.bucket:
        return task.account
    owner = owned(task.store, registry).owner
    names = [one.name for one in registry.all() if one.id == owner]
    return task.account if task.account in names or not names else names[0]


def in_store(task: Task, artifact: Artifact) -> bool:
    """Say whether an artifact lies in the pipeline's own store of the task's region."""
    return task.store is not None and bucket_of(artifact) == task.store.bucket


def bucket_of(artifact: Artifact) -> str:
    """Name the bucket that an artifact lies in; "" for an image."""
    if not artifact.location.startswith("s3://"):
        return ""
    return place_of(artifact.location).bucket


def encryption(store: Store) -> dict[str, str]:
    """Answer what PutObject is told; nothing where the bucket encrypts in its own way."""
    if not store.key:
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": store.key}


def expected(store: Store) -> dict[str, str]:
    """Answer the account that the bucket must belong to: one of that name in other hands is refused."""
    return {"ExpectedBucketOwner": store.owner} if store.owner else {}


def versioned(place: Place, answer: Mapping[str, Any], said: str) -> Place:
    """Pin a place to the version that S3 answered; ActionError where the bucket keeps none."""
    version = str(answer.get("VersionId") or "")
    if version in ("", "null"):
        raise ActionError(
            f"The bucket {place.bucket} of {said} is not versioned: turn versioning on, so that "
            "what was tested can not be replaced.",
            permanent=True,
        )
    return Place(place.bucket, place.key, version)


@contextmanager
def keeping(task: Task, store: Store, doing: str, role: str) -> Iterator[None]:
    """Turn what S3 and KMS refuse into an ActionError that says which bucket, which key, and the mend.

    doing: "write s3://bucket/key in prod". role: the ARN that acted.
    """
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        told = explain(error, doing)
        more = _mend(task, store, role, error) if isinstance(error, ClientError) else ""
        raise ActionError(
            f"{told}{more}",
            permanent=told.permanent,
            retry_after=told.retry_after,
            postponed=told.postponed,
            refused=told.refused,
        ) from error


def _mend(task: Task, store: Store, role: str, error: ClientError) -> str:
    code = code_of(error)
    if task.store is None or not (code in GONE | DENIED or code.startswith(WRONG_KEY)):
        return ""
    key = store.key or f"{OWN} key"
    named = (
        f" {store.bucket} is the artifact store of {task.pipeline} in {task.region}, its key {key}:"
    )
    if code in GONE:
        return f"{named} make the bucket, or correct the structure's artifact store."
    if code.startswith(WRONG_KEY) or "kms:" in message_of(error):
        return (
            f"{named} the key must be enabled, and its policy must let {role} (account {task.account}) "
            f"decrypt and make data keys; StoreKeyArn of {TEMPLATE} lets the role."
        )
    whose = f", and belong to account {store.owner}" if store.owner else ""
    return (
        f"{named} the bucket's policy must let {role} (account {task.account}) read and write{whose}; "
        f"StoreBucketArn and StoreKeyArn of {TEMPLATE} let the role."
    )
