"""A few buckets in memory, with the answers of S3 that promotion and sources read.

Written by hand because moto keeps no checksum of what was copied in parts, and takes wrong ones.
"""

import base64
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.controlplane.actions.making import NOW, refused


@dataclass
class Version:
    """One version of an object; composite: uploaded in parts, so S3 has no SHA-256 of the whole."""

    id: str
    content: bytes
    composite: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


class Body:
    """What GetObject streams."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def close(self) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        return iter(lambda: self._file.read(size), b"")


class FakeS3:
    """Objects by (bucket, key); asked records (operation, parameters)."""

    def __init__(self, *, versioned: bool = True) -> None:
        self.versioned = versioned
        self.objects: dict[tuple[str, str], list[Version]] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.names: dict[str, tuple[str, str]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.spoil = b""

    def put(self, bucket: str, key: str, content: bytes, *, composite: bool = False) -> str:
        versions = self.objects.setdefault((bucket, key), [])
        versions.append(Version(f"v{len(versions) + 1}", content, composite))
        return versions[-1].id

    def calls(self, operation: str) -> list[dict[str, Any]]:
        return [given for name, given in self.asked if name == operation]

    def head_object(self, **given: Any) -> dict[str, Any]:
        self.asked.append(("HeadObject", given))
        found = self._find(given, "HeadObject", "404")
        answer: dict[str, Any] = {
            "ContentLength": len(found.content),
            "ETag": '"etag"',
            "LastModified": NOW,
            "Metadata": found.metadata,
        }
        if self.versioned:
            answer["VersionId"] = found.id
        if not found.composite and given.get("ChecksumMode") == "ENABLED":
            digest = hashlib.sha256(found.content).digest()
            answer["ChecksumSHA256"] = base64.b64encode(digest).decode()
            answer["ChecksumType"] = "FULL_OBJECT"
        return answer

    def put_object(self, **given: Any) -> dict[str, Any]:
        """Checks the checksum, as S3 does."""
        self.asked.append(("PutObject", given))
        content = given["Body"].read()
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        if given["ChecksumSHA256"] != digest:
            raise refused("PutObject", "BadDigest")
        made = self.put(given["Bucket"], given["Key"], content)
        return {"VersionId": made} if self.versioned else {}

    def get_object(self, **given: Any) -> dict[str, Any]:
        self.asked.append(("GetObject", given))
        first, last = given["Range"].removeprefix("bytes=").split("-")
        found = self._find(given, "GetObject", "NoSuchKey")
        return {"Body": Body(found.content[int(first) : int(last) + 1])}

    def copy_object(self, **given: Any) -> dict[str, Any]:
        self.asked.append(("CopyObject", given))
        source = self._find(given["CopySource"], "CopyObject", "NoSuchKey")
        content = self.spoil or source.content
        made = self.put(given["Bucket"], given["Key"], content)
        return {"VersionId": made} if self.versioned else {}

    def create_multipart_upload(self, **given: Any) -> dict[str, Any]:
        self.asked.append(("CreateMultipartUpload", given))
        upload = f"upload-{len(self.names) + 1}"
        self.uploads[upload], self.names[upload] = {}, (given["Bucket"], given["Key"])
        return {"UploadId": upload}

    def list_multipart_uploads(self, **given: Any) -> dict[str, Any]:
        found = [(one, self.names[one][1]) for one in self.uploads]
        listed = [{"UploadId": one, "Key": key, "Initiated": NOW} for one, key in found]
        return {"Uploads": [one for one in listed if str(one["Key"]).startswith(given["Prefix"])]}

    def upload_part_copy(self, **given: Any) -> dict[str, Any]:
        self.asked.append(("UploadPartCopy", given))
        parts = self._upload(given, "UploadPartCopy")
        source = self._find(given["CopySource"], "UploadPartCopy", "NoSuchKey")
        first, last = given["CopySourceRange"].removeprefix("bytes=").split("-")
        parts[given["PartNumber"]] = source.content[int(first) : int(last) + 1]
        return {"CopyPartResult": {"ETag": "e"}}

    def list_parts(self, **given: Any) -> dict[str, Any]:
        parts = self._upload(given, "ListParts")
        return {"Parts": [{"PartNumber": n, "ETag": f"e{n}"} for n in sorted(parts)]}

    def complete_multipart_upload(self, **given: Any) -> dict[str, Any]:
        parts = self._upload(given, "CompleteMultipartUpload")
        numbers = [part["PartNumber"] for part in given["MultipartUpload"]["Parts"]]
        content = b"".join(parts[number] for number in numbers)
        del self.uploads[given["UploadId"]]
        return {"VersionId": self.put(given["Bucket"], given["Key"], content, composite=True)}

    def abort_multipart_upload(self, **given: Any) -> dict[str, Any]:
        self._upload(given, "AbortMultipartUpload")
        del self.uploads[given["UploadId"]]
        return {}

    def _upload(self, given: dict[str, Any], operation: str) -> dict[int, bytes]:
        if given["UploadId"] not in self.uploads:
            raise refused(operation, "NoSuchUpload", status=404)
        return self.uploads[given["UploadId"]]

    def _find(self, given: dict[str, Any], operation: str, missing: str) -> Version:
        versions = self.objects.get((given["Bucket"], given["Key"]), [])
        wanted = given.get("VersionId")
        found = [one for one in versions if wanted in (None, one.id)]
        if not found:
            raise refused(operation, missing, status=404)
        return found[-1]
