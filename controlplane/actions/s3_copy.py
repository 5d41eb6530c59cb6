"""Copying one pinned version of an S3 object into another bucket: S3 moves the bytes, not we.

Every call names the account that must own the bucket, so that a bucket of the same name in other
hands is refused.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/CopyingObjectsMPUapi.html
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from controlplane.actions.base import ActionError
from controlplane.actions.s3_content import GIB, MIB, Place
from controlplane.actions.vendor import code_of

MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
PAGES = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is copied at once. one_copy is S3's own limit for CopyObject.

    A look does parts_each parts, some seconds each; 10,000 parts are S3's limit.
    """

    one_copy: int = 5 * GIB
    part: int = 512 * MIB
    parts_each: int = 2


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy: by whose client, from where (a version) to where, and who owns the buckets.

    source_owner and owner are "" where that account is not known; key is the KMS key's ARN or None.
    """

    client: Any
    source: Place
    source_owner: str
    target: Place
    owner: str
    key: str | None

    def head(self, version: str = "") -> dict[str, Any] | None:
        """Read the head of a version of the copy, else of the current one; None where none is."""
        place = Place(self.target.bucket, self.target.key, version)
        try:
            return dict(
                self.client.head_object(**place.request, **self._owned(), ChecksumMode="ENABLED")
            )
        except ClientError as error:
            if code_of(error) in MISSING:
                return None
            raise

    def size(self) -> int:
        """Bytes of the source; ActionError (permanent) where that version is gone."""
        expected = {"ExpectedBucketOwner": self.source_owner} if self.source_owner else {}
        try:
            return int(self.client.head_object(**self.source.request, **expected)["ContentLength"])
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            raise ActionError(
                f"Version {self.source.version} of {self.source.location} is gone: it can not be "
                "promoted. Upload it again, or keep versions longer.",
                permanent=True,
            ) from error

    def whole(self) -> str:
        """Copy it in one call; answers the copy's VersionId."""
        made = self.client.copy_object(
            **self._names(),
            **self._from(),
            **self._encrypted(),
            ChecksumAlgorithm="SHA256",
            # The source's tags are not ours to read or to set.
            TaggingDirective="REPLACE",
        )
        return str(made.get("VersionId") or "")

    def begin(self) -> str:
        """Begin a multipart copy; answers the upload's id."""
        made = self.client.create_multipart_upload(
            **self._names(), **self._encrypted(), ChecksumAlgorithm="SHA256"
        )
        return str(made["UploadId"])

    def unfinished(self) -> str:
        """Find the multipart copy that an earlier try began; "" where there is none."""
        listed = self.client.list_multipart_uploads(
            Bucket=self.target.bucket, Prefix=self.target.key, **self._owned()
        )
        same = [one for one in listed.get("Uploads", []) if one["Key"] == self.target.key]
        newest = max(same, key=lambda one: one["Initiated"], default=None)
        return str(newest["UploadId"]) if newest else ""

    def parts(self, upload: str, first: int, size: int, limits: Limits) -> int:
        """Copy the next few parts from number `first`; answers the number after, 0 at the end."""
        last = -(-size // limits.part)
        upto = min(first + limits.parts_each - 1, last)
        for number in range(first, upto + 1):
            begin = (number - 1) * limits.part
            end = min(begin + limits.part, size) - 1
            self.client.upload_part_copy(
                **self._names(),
                **self._from(),
                UploadId=upload,
                PartNumber=number,
                CopySourceRange=f"bytes={begin}-{end}",
            )
        return upto + 1 if upto < last else 0

    def complete(self, upload: str) -> str:
        """Put the parts together; answers the copy's VersionId."""
        made = self.client.complete_multipart_upload(
            **self._names(), UploadId=upload, MultipartUpload={"Parts": self._listed(upload)}
        )
        return str(made.get("VersionId") or "")

    def abort(self, upload: str) -> None:
        """Give up a multipart copy; harmless where it has ended."""
        try:
            self.client.abort_multipart_upload(**self._names(), UploadId=upload)
        except ClientError as error:
            if code_of(error) != "NoSuchUpload":
                raise

    def _listed(self, upload: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        marker: dict[str, int] = {}
        for _ in range(PAGES):
            answer = self.client.list_parts(**self._names(), UploadId=upload, **marker)
            for part in answer.get("Parts", []):
                sums = {k: part[k] for k in ("ChecksumSHA256",) if part.get(k)}
                found.append({"PartNumber": part["PartNumber"], "ETag": part["ETag"], **sums})
            if not answer.get("IsTruncated"):
                break
            marker = {"PartNumberMarker": answer["NextPartNumberMarker"]}
        return found

    def _names(self) -> dict[str, str]:
        return {**self.target.request, **self._owned()}

    def _owned(self) -> dict[str, str]:
        return {"ExpectedBucketOwner": self.owner} if self.owner else {}

    def _from(self) -> dict[str, Any]:
        source: dict[str, Any] = {"CopySource": self.source.request}
        return (
            {**source, "ExpectedSourceBucketOwner": self.source_owner}
            if self.source_owner
            else source
        )

    def _encrypted(self) -> dict[str, Any]:
        if self.key is None:
            return {}
        return {
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": self.key,
            "BucketKeyEnabled": True,
        }
