"""S3 in memory: versioned objects that are their digest."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controlplane.sandbox.simulation.refusals import RefusalError

SIZE = 1_000_000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object."""

    id: str
    digest: str
    at: datetime


@dataclass(slots=True)
class S3:
    """Every bucket of every account: their names are unique in the world."""

    versions: dict[tuple[str, str], list[Version]] = field(default_factory=dict)

    def upload(self, bucket: str, key: str, digest: str, at: datetime) -> str:
        """A new version of an object; answers its id."""
        kept = self.versions.setdefault((bucket, key), [])
        kept.append(Version(f"v{len(kept) + 1}", digest, at))
        return kept[-1].id

    def find(self, bucket: str, key: str, version: str = "") -> Version:
        """A version, the newest where none is named."""
        kept = self.versions.get((bucket, key), [])
        found = [one for one in kept if version in ("", one.id)]
        if not found:
            raise RefusalError("404", "Not Found", 404)
        return found[-1]

    def at(self, now: datetime) -> "Door":
        """What a client calls now."""
        return Door(self, now)


@dataclass(frozen=True, slots=True)
class Door:
    """S3's operations, by boto3's names."""

    s3: S3
    now: datetime

    def head_object(self, **asked: Any) -> dict[str, Any]:
        """Tell of one version."""
        found = self.s3.find(asked["Bucket"], asked["Key"], asked.get("VersionId", ""))
        raw = bytes.fromhex(found.digest.removeprefix("sha256:"))
        return {
            "VersionId": found.id,
            "ContentLength": SIZE,
            "ETag": f'"{found.digest[7:23]}"',
            "ChecksumSHA256": base64.b64encode(raw).decode(),
            "ChecksumType": "FULL_OBJECT",
            "LastModified": found.at,
            "Metadata": {},
        }

    def copy_object(self, **asked: Any) -> dict[str, Any]:
        """Copy one version; the copy is a new version where it goes to."""
        source = asked["CopySource"]
        found = self.s3.find(source["Bucket"], source["Key"], source.get("VersionId", ""))
        made = self.s3.upload(asked["Bucket"], asked["Key"], found.digest, self.now)
        return {"VersionId": made}
