"""What a build makes: an archive of its source and of a note who built it, written to S3."""

import hashlib
import io
import json
import zipfile
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends

from controlplane.sandbox.aws.needs import owner_of
from controlplane.sandbox.codebuild.builds import Made, Run

NOTE = "built-by.json"
LARGEST = 64 << 20


class BrokenError(Exception):
    """The build cannot go on; phase: where it stands. The message is what CodeBuild would say."""

    def __init__(self, phase: str, message: str) -> None:
        super().__init__(message)
        self.phase = phase


def write(run: Run, account: str) -> list[Made]:
    """Write every artifact that the build was asked for, of what its sources hold."""
    content = _archive(run, _source(run))
    asked = [run.asked.get("artifactsOverride") or run.project["artifacts"]]
    asked += run.asked.get("secondaryArtifactsOverride") or []
    encrypted = str(run.asked.get("encryptionKeyOverride") or "")
    return [_put(one, content, account, encrypted) for one in asked if _is_made(run, one)]


def _is_made(run: Run, artifact: dict[str, Any]) -> bool:
    name = str(artifact.get("name", "")).removesuffix(".zip")
    return artifact["type"] == "S3" and name not in run.course.skips


def _source(run: Run) -> bytes | None:
    """Read the primary source; the others must be there, too."""
    pinned = {
        one["sourceIdentifier"]: one["sourceVersion"]
        for one in run.asked.get("secondarySourcesVersionOverride") or []
    }
    for other in run.asked.get("secondarySourcesOverride") or []:
        if other["type"] == "S3":
            _read(other["location"], pinned.get(other["sourceIdentifier"]))
    source = run.source
    if source["type"] != "S3":
        return None
    return _read(source["location"], run.asked.get("sourceVersion"))


def _read(location: str, version: str | None) -> bytes:
    bucket, _, key = location.partition("/")
    missing = BrokenError("DOWNLOAD_SOURCE", f"NoSuchKey: no {location}, version {version}")
    owner = owner_of(bucket)
    if not owner:
        raise missing
    try:
        found = s3_backends[owner]["aws"].get_object(bucket, key, version_id=version)
    except S3ClientError:
        raise missing from None
    if found is None or not hasattr(found, "value") or found.size > LARGEST:
        raise missing
    return bytes(found.value)


def _archive(run: Run, source: bytes | None) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        if source is not None and zipfile.is_zipfile(io.BytesIO(source)):
            with zipfile.ZipFile(io.BytesIO(source)) as given:
                for info in given.infolist():
                    archive.writestr(info, given.read(info))
        archive.writestr(NOTE, json.dumps({"build": run.id, **_cloned(run)}))
    return made.getvalue()


def _cloned(run: Run) -> dict[str, Any]:
    """A repository is not brought, for nobody is called; what would be is said."""
    if run.source["type"] in ("S3", "NO_SOURCE"):
        return {}
    return {"cloned": run.source.get("location"), "commit": run.asked.get("sourceVersion")}


def _put(artifact: dict[str, Any], content: bytes, account: str, encrypted: str) -> Made:
    bucket, parts = str(artifact["location"]), [artifact.get("path"), artifact.get("name")]
    key = "/".join(str(part) for part in parts if part)
    if owner_of(bucket) != account:
        raise BrokenError("UPLOAD_ARTIFACTS", f"CLIENT_ERROR: AccessDenied: s3://{bucket}/{key}")
    under = {"encryption": "aws:kms", "kms_key_id": encrypted} if encrypted else {}
    s3_backends[account]["aws"].put_object(bucket, key, content, **under)
    digest = hashlib.sha256(content).hexdigest()
    return Made(str(artifact.get("artifactIdentifier") or ""), bucket, key, digest)
