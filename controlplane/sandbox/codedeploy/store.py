"""The agent's way to its bundle: the account's own bucket, read through moto's S3."""

from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

from controlplane.sandbox.codedeploy.bundle import LARGEST_BUNDLE


class Missing(Exception):  # noqa: N818  # what the agent reports, not a fault of ours
    """The bundle is not there, or not for us; the message is S3's."""


def read(account: str, location: dict[str, Any]) -> bytes:
    """Read the object an S3Location names; Missing where the account has no such object."""
    backend = s3_backends[account]["aws"]
    bucket, key, version = location["bucket"], location["key"], location.get("version")
    if bucket not in backend.buckets:
        raise Missing(f"Access Denied: the bucket {bucket} is not the account's own")
    try:
        found = backend.get_object(bucket, key, version_id=version)
    except S3ClientError as error:
        raise Missing(f"The specified key does not exist: {key} ({error.message})") from None
    if found is None or not hasattr(found, "value"):  # none, or a delete marker
        raise Missing(f"The specified key does not exist: {key}, version {version or 'latest'}")
    if location.get("eTag") and location["eTag"].strip('"') != found.etag.strip('"'):
        raise Missing(f"The object {key} does not have the ETag {location['eTag']}")
    if found.size > LARGEST_BUNDLE:
        raise Missing(f"The bundle has {found.size} bytes; {LARGEST_BUNDLE} are allowed")
    return bytes(found.value)
