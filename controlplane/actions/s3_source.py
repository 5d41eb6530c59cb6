"""Source/AWS/S3: one key of a versioned bucket. A revision is a VersionId.

Configuration: S3Bucket, S3ObjectKey, PollForSourceChanges; RevisionId is the pinned VersionId. The artifact
is that version itself, or its copy in the pipeline's store.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import stores
from controlplane.actions.base import (
    ActionError,
    Artifact,
    MonitorError,
    Outcome,
    Progress,
    Revision,
    Task,
)
from controlplane.actions.s3_content import Digester, Place, stored_digest
from controlplane.actions.store_copy import Bringer, Wanted
from controlplane.actions.vendor import asking, code_of, need, output_name
from monitors.edge import each_task

MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchVersion"})
SOON = timedelta(milliseconds=200)
PREFIX = "sources"
SUMMARY = "codepipeline-artifact-revision-summary"
"""Object metadata that CodePipeline shows as the revision's summary."""


class S3Source:
    """Names the newest version of an object, and resolves a pinned one into an artifact."""

    purpose = Purpose.WATCH

    def __init__(self, clients: Clients, digester: Digester | None = None) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients
        self._digester = digester or Digester()
        self._bringer = Bringer(clients, self._digester)

    def latest(
        self, configuration: Mapping[str, str], account: str, region: str
    ) -> Revision | None:
        """Name the newest version; None where the object is not there (or was deleted)."""
        place = Place(configuration.get("S3Bucket", ""), configuration.get("S3ObjectKey", ""))
        head = self._head(self._client(account, region), place, account)
        if head is None:
            return None
        version = _version(head, place)
        summary = str(head.get("Metadata", {}).get(SUMMARY, ""))[:500]
        return Revision(version, place.location, summary, head.get("LastModified"))

    def start(self, task: Task) -> Progress:
        """Resolve the pinned version: its content's digest is the output artifact's."""
        return self._resolve(task, task.configuration.get("RevisionId", ""))

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Hash the next piece of large objects; all others end with their start."""
        return each_task(tasks, lambda task: self._resolve(task, task.handle))

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""

    def _resolve(self, task: Task, version: str) -> Progress:
        """Without a version (nobody pinned one) the newest is taken."""
        place = Place(need(task, "S3Bucket"), need(task, "S3ObjectKey"), version)
        client = self._client(task.account, task.region)
        head = self._head(client, place, task.account)
        if head is None:
            named = f"version {version} of {place.location}" if version else place.location
            raise ActionError(f"There is no {named} in {task.account}.", permanent=True)
        pinned = Place(place.bucket, place.key, _version(head, place))
        digest = stored_digest(head)
        if not digest:
            with asking(f"read {pinned.location} in {task.account}"):
                size = int(head["ContentLength"])
                digest = self._digester.advance(client, task.token, pinned, size)
        if not digest:
            return _hashing(pinned)
        copy = self._stored(task, pinned, digest) if task.store else pinned
        if copy is None:
            return _hashing(pinned)
        where = stores.keeper(task, copy.bucket, self._clients.registry), task.region
        made = Artifact(output_name(task), digest, copy.location, copy.version, *where)
        return _progress(pinned, str(head.get("ETag", "")), made)

    def _stored(self, task: Task, pinned: Place, digest: str) -> Place | None:
        """Put it into the pipeline's store, as CodePipeline does; None while the copy is hashed."""
        name = pinned.key.rsplit("/", 1)[-1] or "artifact"
        key = f"{PREFIX}/{task.pipeline}/{digest.removeprefix('sha256:')}/{name}"
        account = self._clients.registry.get(task.account)
        return self._bringer.bring(task, account, Wanted(pinned, "", key, digest))

    def _client(self, account: str, region: str) -> Any:
        return self._clients.client("s3", account, region, self.purpose)

    def _head(self, client: Any, place: Place, account: str) -> dict[str, Any] | None:
        with asking(f"read {place.location} in {account}"):
            try:
                return dict(client.head_object(**place.request, ChecksumMode="ENABLED"))
            except ClientError as error:
                if code_of(error) in MISSING:
                    return None
                raise


def _version(head: Mapping[str, Any], place: Place) -> str:
    """Read the VersionId: without it the bytes under a key may change between two stages."""
    version = str(head.get("VersionId") or "")
    if version in ("", "null"):
        raise ActionError(
            f"{place.location} has no VersionId: turn versioning on for bucket {place.bucket} "
            "and upload the object again.",
            permanent=True,
        )
    return version


def _hashing(place: Place) -> Progress:
    return Progress(Outcome.RUNNING, place.version, f"hashing {place.location}", SOON)


def _progress(place: Place, etag: str, artifact: Artifact) -> Progress:
    """place: of the source itself, wherever the artifact was put."""
    return Progress(
        Outcome.SUCCEEDED,
        handle=place.version,
        summary=f"{place.location} version {place.version}, {artifact.digest}",
        output={
            "BucketName": place.bucket,
            "ETag": etag.strip('"'),
            "ObjectKey": place.key,
            "VersionId": place.version,
        },
        artifacts=(artifact,),
    )
