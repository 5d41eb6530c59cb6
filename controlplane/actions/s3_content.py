"""Which bytes an S3 object holds: its location, and its SHA-256, trusted only where S3 computed it.

S3 keeps a SHA-256 of the whole object only for uploads of one part that asked for it; a multipart
upload has a checksum of checksums (COMPOSITE), which says nothing about the whole.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
Everything else is streamed and hashed here, in bounded pieces: a driver's call reads at most
`budget` bytes (1 GiB, some ten seconds in the same region) and the next look goes on. The state of
a hash can not be stored, so after a restart hashing begins anew; nothing else is lost.
"""

import base64
import binascii
import hashlib
from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from controlplane.actions.base import ActionError

MIB = 1024**2
GIB = 1024**3
CHUNK = MIB
BUDGET = GIB
LARGEST = 100 * GIB
"""Above this we refuse: bundles are not this large, and somebody would wait for hours."""
KEPT = 64
SHA256_BYTES = 32


@dataclass(frozen=True, slots=True)
class Place:
    """One version of one object. version is "" where the current one is meant."""

    bucket: str
    key: str
    version: str = ""

    @property
    def location(self) -> str:
        """As artifacts spell it."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def request(self) -> dict[str, str]:
        """The parameters of HeadObject and GetObject; also a CopySource."""
        named = {"Bucket": self.bucket, "Key": self.key}
        return {**named, "VersionId": self.version} if self.version else named


def place_of(location: str, version: str = "") -> Place:
    """Read "s3://bucket/key"; ActionError (permanent) for anything else."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    if not location.startswith("s3://") or not bucket or not key:
        raise ActionError(
            f"{location!r} is not an object in S3; an artifact's location is s3://bucket/key.",
            permanent=True,
        )
    return Place(bucket, key, version)


def stored_digest(head: dict[str, Any]) -> str:
    """Read the digest that S3 holds for the whole object ("sha256:..."), "" where it has none."""
    value = str(head.get("ChecksumSHA256") or "")
    if not value or head.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return ""
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        return ""
    return f"sha256:{raw.hex()}" if len(raw) == SHA256_BYTES else ""


class Digester:
    """Hashes objects that S3 has no SHA-256 for, a piece a call."""

    def __init__(self, budget: int = BUDGET) -> None:
        """Read at most budget bytes a call."""
        self._budget = budget
        self._begun: OrderedDict[str, tuple[Place, int, Any]] = OrderedDict()

    def advance(self, client: Any, token: str, place: Place, size: int) -> str:
        """Hash the next piece of the object; answers the digest, or "" while there is more.

        token keeps two actions that hash the same object apart.
        """
        if size > LARGEST:
            raise ActionError(
                f"{place.location} has {size} bytes; over {LARGEST} (100 GiB) is not promoted.",
                permanent=True,
            )
        begun, done, hashed = self._begun.pop(token, (place, 0, None))
        if begun != place or hashed is None:
            done, hashed = 0, hashlib.sha256()
        end = min(done + self._budget, size)
        if end > done:
            done += _read(client, place, (done, end - 1), hashed)
        if done >= size:
            return f"sha256:{hashed.hexdigest()}"
        self._begun[token] = (place, done, hashed)
        while len(self._begun) > KEPT:
            self._begun.popitem(last=False)
        return ""


def _read(client: Any, place: Place, span: tuple[int, int], hashed: Any) -> int:
    """Hash one span (first and last byte); answers how many bytes were read."""
    first, last = span
    answer = client.get_object(**place.request, Range=f"bytes={first}-{last}")
    read = 0
    # Not "with body": entering it answers the bare connection.
    with closing(answer["Body"]) as body:
        for chunk in body.iter_chunks(CHUNK):
            hashed.update(chunk)
            read += len(chunk)
    if read != last - first + 1:
        raise ActionError(f"{place.location} broke off after {first + read} bytes.")
    return read
