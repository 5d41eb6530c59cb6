"""S3: a body that is not what its checksum says is refused, as S3 does; moto takes it.

Who may do what in a bucket is checked at the door (auth.py), bucket policy and conditions included,
so moto's own reading of bucket policies, which ignores principals and conditions, is switched off.
"""

import base64
import binascii
import hashlib
import importlib
import re
import zlib
from collections.abc import Callable
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3 import models, responses, urls
from moto.s3.exceptions import NoSuchUpload, S3ClientError

ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}
"""Checksums that we can compute; CRC32C and CRC64NVME would need a library."""

TRAILER = re.compile(rb"x-amz-checksum-(\w+):([A-Za-z0-9+/]+=*)")


class Response(responses.S3Response):  # type: ignore[misc]  # moto ships no types
    """Checks the body before moto keeps it."""

    def put_object(self) -> Any:
        self._check_body()
        return super().put_object()

    def upload_part(self) -> Any:
        self._check_body()
        return super().upload_part()

    def _get_checksum(self, response_headers: dict[str, Any]) -> tuple[str, str | None]:
        """Keep a checksum that was given, also where the client names no algorithm beside it."""
        algorithm, value = super()._get_checksum(response_headers)
        for name, given in () if algorithm else self._checksums():
            response_headers[f"x-amz-checksum-{name}"] = given
            return name.upper(), given
        return algorithm, value

    def _check_body(self) -> None:
        body: bytes = self.body or b""
        if given := self.headers.get("Content-MD5"):
            actual = hashlib.md5(body, usedforsecurity=False).digest()
            _compare(given, actual, "Content-MD5")
        for name, given in self._checksums():
            _compare(given, ALGORITHMS[name](body), name.upper())

    def _checksums(self) -> list[tuple[str, str]]:
        found = {name: self.headers.get(f"x-amz-checksum-{name}") for name in ALGORITHMS}
        # A streamed body carries it after its last chunk.
        if self.headers.get("x-amz-trailer"):
            for name, value in TRAILER.findall(self.raw_body[-512:]):
                found[name.decode().lower()] = value.decode()
        return [(name, value) for name, value in found.items() if value and name in ALGORITHMS]


def _compare(given: str, actual: bytes, name: str) -> None:
    try:
        wanted = base64.b64decode(given, validate=True)
    except binascii.Error:
        wanted = b""
    if len(wanted) != len(actual):
        raise S3ClientError("InvalidDigest", f"The {name} you specified was invalid.")
    if wanted != actual:
        what = f"The {name} you specified did not match what we received."
        raise S3ClientError("BadDigest", what)


def _install_uploads() -> None:
    """Refuse parts for an upload that is over, and mark the checksum that is made of parts' own.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    copy, complete = models.S3Backend.upload_part_copy, models.S3Backend.complete_multipart_upload

    def copy_part(self: Any, bucket: str, upload: str, *given: Any, **named: Any) -> Any:
        if upload not in self.get_bucket(bucket).multiparts:
            raise NoSuchUpload(upload_id=upload)
        return copy(self, bucket, upload, *given, **named)

    def complete_upload(self: Any, *given: Any, **named: Any) -> Any:
        key = complete(self, *given, **named)
        if key is not None and key.checksum_value and key.checksum_type == "COMPOSITE":
            key.checksum_value = f"{key.checksum_value}-{key.checksum_parts}"
        return key

    models.S3Backend.upload_part_copy = copy_part
    models.S3Backend.complete_multipart_upload = complete_upload


def _neutral(_bucket: Any, _action: str, _resource: str) -> Any:
    return PermissionResult.NEUTRAL


def install() -> None:
    """Answer S3's calls here."""
    # moto reloads its table of URLs whenever it makes an S3 backend; it then finds ours.
    responses.S3Response = Response
    importlib.reload(urls)
    models.FakeBucket.get_permission = _neutral
    _install_uploads()
