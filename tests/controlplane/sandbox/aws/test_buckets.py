"""S3 refuses bodies that are not what they say, and asks the bucket's own policy."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.controlplane.sandbox.aws.documents import allow
from tests.controlplane.sandbox.conftest import REGION, ClientOf

BODY = b"release"
WRONG = base64.b64encode(b"\0" * 32).decode()
HERE = {"LocationConstraint": REGION}
Session = Callable[..., dict[str, Any]]


def sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@pytest.fixture
def bucket(client: ClientOf, account: str) -> str:
    """Make a versioned bucket in `account` with one object, shop.zip."""
    name = f"artifacts-{account}"
    s3 = client("s3", account)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=HERE)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=name, Key="shop.zip", Body=BODY)
    return name


@pytest.mark.parametrize(
    "given",
    [
        {"ChecksumSHA256": WRONG},
        {"ChecksumCRC32": "AAAAAA=="},
        {"ContentMD5": base64.b64encode(b"\0" * 16).decode()},
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(
    client: ClientOf, account: str, bucket: str, given: dict[str, str]
) -> None:
    s3 = client("s3", account)
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket=bucket, Key="bad.zip", Body=BODY, **given)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=bucket, Key="bad.zip")


def test_a_checksum_that_is_none_is_invalid(client: ClientOf, account: str, bucket: str) -> None:
    with pytest.raises(ClientError, match="InvalidDigest"):
        client("s3", account).put_object(Bucket=bucket, Key="x", Body=BODY, ContentMD5="AAAA")


def test_a_part_that_is_not_what_it_says_is_refused(
    client: ClientOf, account: str, bucket: str
) -> None:
    s3 = client("s3", account)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big.zip")["UploadId"]
    part = {"Bucket": bucket, "Key": "big.zip", "UploadId": upload, "PartNumber": 1}
    with pytest.raises(ClientError, match="BadDigest"):
        s3.upload_part(**part, Body=BODY, ChecksumSHA256=WRONG)


def test_a_right_checksum_is_kept_and_copies_get_one(
    client: ClientOf, account: str, bucket: str
) -> None:
    s3 = client("s3", account)
    s3.put_object(Bucket=bucket, Key="a", Body=BODY, ChecksumSHA256=sha256(BODY))
    s3.copy_object(
        Bucket=bucket, Key="b", CopySource=f"{bucket}/shop.zip", ChecksumAlgorithm="SHA256"
    )
    for key in ("a", "b"):
        head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        wanted = {"Bucket": bucket, "Key": key, "ObjectAttributes": ["Checksum"]}
        attributes = s3.get_object_attributes(**wanted)
        assert head["ChecksumSHA256"] == attributes["Checksum"]["ChecksumSHA256"] == sha256(BODY)


def test_another_account_needs_the_buckets_own_policy(
    client: ClientOf, account: str, other_account: str, bucket: str
) -> None:
    iam = client("iam", other_account)
    iam.create_user(UserName="ana")
    iam.put_user_policy(UserName="ana", PolicyName="p", PolicyDocument=allow("s3:*"))
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    s3 = client("s3", credentials=key)
    with pytest.raises(ClientError, match="no resource-based policy allows the s3:GetObject"):
        s3.get_object(Bucket=bucket, Key="shop.zip")
    policy = json.loads(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    policy["Statement"][0]["Principal"] = {"AWS": f"arn:aws:iam::{other_account}:root"}
    client("s3", account).put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert s3.get_object(Bucket=bucket, Key="shop.zip")["Body"].read() == BODY


def test_the_usual_deny_without_tls_does_not_lock_everybody_out(
    client: ClientOf, account: str, bucket: str, session: Session
) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3 = client("s3", account)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [deny]}))
    ours = client("s3", credentials=session(allow("s3:*")))
    assert ours.get_object(Bucket=bucket, Key="shop.zip")["ContentLength"] == len(BODY)


def test_a_denied_principal_is_denied(
    client: ClientOf, account: str, bucket: str, session: Session
) -> None:
    credentials = session(allow("s3:*"))
    deny = {
        "Effect": "Deny",
        "Principal": {"AWS": f"arn:aws:iam::{account}:role/Worker"},
        "Action": "s3:GetObject",
        "Resource": "*",
    }
    policy = json.dumps({"Statement": [deny]})
    client("s3", account).put_bucket_policy(Bucket=bucket, Policy=policy)
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        client("s3", credentials=credentials).get_object(Bucket=bucket, Key="shop.zip")


def test_a_copy_needs_to_read_its_source(client: ClientOf, bucket: str, session: Session) -> None:
    s3 = client("s3", credentials=session(allow("s3:PutObject")))
    with pytest.raises(ClientError, match=r"s3:GetObject on resource: .*shop\.zip"):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/shop.zip")


def test_a_version_is_read_with_its_own_permission(
    client: ClientOf, account: str, bucket: str, session: Session
) -> None:
    version = client("s3", account).head_object(Bucket=bucket, Key="shop.zip")["VersionId"]
    s3 = client("s3", credentials=session(allow("s3:GetObject")))
    assert s3.get_object(Bucket=bucket, Key="shop.zip")["VersionId"] == version
    with pytest.raises(ClientError, match="s3:GetObjectVersion"):
        s3.get_object(Bucket=bucket, Key="shop.zip", VersionId=version)


def test_an_encrypted_object_needs_its_key(
    client: ClientOf, account: str, bucket: str, session: Session
) -> None:
    key = client("kms", account).create_key()["KeyMetadata"]["Arn"]
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    client("s3", account).put_object(Bucket=bucket, Key="secret", Body=BODY, **encrypted)
    s3 = client("s3", credentials=session(allow("s3:*")))
    with pytest.raises(ClientError, match=f"kms:Decrypt on resource: {key}"):
        s3.get_object(Bucket=bucket, Key="secret")
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        s3.put_object(Bucket=bucket, Key="new", Body=BODY, **encrypted)


def test_an_upload_that_is_over_takes_no_more_parts_and_its_checksum_is_composite(
    client: ClientOf, account: str
) -> None:
    s3, place = client("s3", account), {"Bucket": f"parts-{account}", "Key": "copy"}
    s3.create_bucket(
        Bucket=place["Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    s3.put_object(Bucket=place["Bucket"], Key="k", Body=b"hello")
    upload = s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")["UploadId"]
    part = {"UploadId": upload, "PartNumber": 1, "CopySource": f"{place['Bucket']}/k"}
    etag = s3.upload_part_copy(**place, **part)["CopyPartResult"]["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts)
    assert s3.head_object(**place, ChecksumMode="ENABLED")["ChecksumSHA256"].endswith("=-1")
    with pytest.raises(s3.exceptions.NoSuchUpload):
        s3.upload_part_copy(**place, **part)
