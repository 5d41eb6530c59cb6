"""What a call needs: one or more (action, resource) pairs, each to be allowed.

Most need one. S3's copies read the source too, KMS is used on behalf of who reads or writes, and
CreateDeployment asks for what it does on the way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from controlplane.sandbox.aws.actions import action_of, with_version
from controlplane.sandbox.aws.calls import Call
from controlplane.sandbox.aws.resources import key_arn, resources_of

READS = ("GetObject",)
WRITES = ("CopyObject", "CreateMultipartUpload", "PutObject")
COPIES = ("CopyObject", "UploadPartCopy")
DEFAULT_CONFIG = "CodeDeployDefault.OneAtATime"


@dataclass(frozen=True, slots=True)
class Need:
    """One permission; resource as in `policy.Request`."""

    action: str
    resource: str | None


def needs(call: Call, account: str) -> list[Need]:
    """Answer all that a call of this account needs, the main one first."""
    action = action_of(call.service, call.operation)
    if call.service == "s3" and call.parameters.get("VersionId"):
        action = with_version(action)
    found = [Need(action, resource) for resource in resources_of(call, account)]
    more = {"s3": _of_s3, "codedeploy": _of_codedeploy}.get(call.service)
    return found + (list(more(call, account)) if more else [])


def _of_codedeploy(call: Call, account: str) -> Iterator[Need]:
    # AWS checks both on the way of CreateDeployment.
    if call.operation != "CreateDeployment":
        return
    start = f"arn:aws:codedeploy:{call.region}:{account}"
    config = call.parameters.get("deploymentConfigName") or DEFAULT_CONFIG
    application = call.parameters.get("applicationName")
    yield Need("codedeploy:GetDeploymentConfig", f"{start}:deploymentconfig:{config}")
    yield Need("codedeploy:RegisterApplicationRevision", f"{start}:application:{application}")


def _of_s3(call: Call, _account: str) -> Iterator[Need]:
    given = call.parameters
    bucket, key, version = given.get("Bucket"), given.get("Key"), given.get("VersionId", "")
    if call.operation == "GetObjectAttributes":
        action = "s3:GetObject"
        yield Need(with_version(action) if version else action, f"arn:aws:s3:::{bucket}/{key}")
    if call.operation in READS:
        yield from _decrypt(str(bucket), str(key), str(version))
    if call.operation in COPIES:
        yield from _source(str(given.get("CopySource", "")), str(given.get("CopySourceVersionId")))
    if call.operation in WRITES:
        yield from _encrypt(str(bucket), given)


def _source(path: str, version: str) -> Iterator[Need]:
    action = "s3:GetObjectVersion" if version not in ("", "None") else "s3:GetObject"
    yield Need(action, f"arn:aws:s3:::{path}")
    bucket, _, key = path.partition("/")
    yield from _decrypt(bucket, key, version)


def owner_of(bucket: str) -> str:
    """Answer the account that owns a bucket, "" where there is no such bucket."""
    from moto.s3.models import s3_backends

    _, account = s3_backends.bucket_accounts.get(bucket, ("", ""))
    return str(account)


def bucket_of(name: str) -> Any:
    """Answer moto's bucket, in whatever account; None where there is none."""
    from moto.s3.models import s3_backends

    owner = owner_of(name)
    return s3_backends[owner]["aws"].buckets.get(name) if owner else None


def _decrypt(name: str, key: str, version: str) -> Iterator[Need]:
    bucket = bucket_of(name)
    if bucket is None:
        return
    versions = bucket.keys.getlist(key) or []
    wanted = version if version not in ("", "None") else None
    found = [v for v in versions if wanted is None or str(getattr(v, "version_id", "")) == wanted]
    used = getattr(found[-1], "kms_key_id", None) if found else None
    if used:
        yield Need("kms:Decrypt", key_arn(used, owner_of(name), bucket.region_name))


def _encrypt(name: str, given: dict[str, Any]) -> Iterator[Need]:
    bucket = bucket_of(name)
    if bucket is None:
        return
    rule = ((bucket.encryption or {}).get("Rule") or {}).get("ApplyServerSideEncryptionByDefault")
    used = given.get("SSEKMSKeyId") or (rule or {}).get("KMSMasterKeyID")
    if used and given.get("ServerSideEncryption") != "AES256":
        yield Need("kms:GenerateDataKey", key_arn(used, owner_of(name), bucket.region_name))
