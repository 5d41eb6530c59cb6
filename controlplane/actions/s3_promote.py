"""Deploy/Custom/S3Promote: copy the input artifact into the account's bucket, and verify it.

Configuration: KeyPrefix ("releases"). The copy lies under <prefix>/<pipeline>/<digest>/<name>, is
made by S3 itself from the pinned version, encrypted with the account's own key, and its SHA-256 is
compared with the input artifact's. Up to 5 GiB it is one CopyObject; above, a multipart copy of
which every look does a few parts. handle: "copy PART UPLOAD" (the next part), then "verify
VERSION".
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions.base import (
    ActionError,
    Artifact,
    MonitorError,
    Outcome,
    Progress,
    Task,
)
from controlplane.actions.s3_content import Digester, Place, place_of, stored_digest
from controlplane.actions.s3_copy import Copy, Limits
from controlplane.actions.stores import in_store, owned
from controlplane.actions.vendor import (
    asking,
    code_of,
    one_input,
    output_name,
    partition_of,
    scope_of,
)
from monitors.edge import each_task

PREFIX = "releases"
SOON = timedelta(milliseconds=200)
LIMITS = Limits()


class S3Promote:
    """Promotes bytes from account to account, the digest verified at each hop."""

    purpose = Purpose.DEPLOY
    side_by_side = 4  # a large object is copied and hashed for minutes

    def __init__(
        self, clients: Clients, digester: Digester | None = None, limits: Limits = LIMITS
    ) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients
        self._digester = digester or Digester()
        self._limits = limits

    def start(self, task: Task) -> Progress:
        """Copy it, or begin to; done at once where the right bytes lie there already."""
        copy, artifact = self._copy(task), one_input(task)
        with asking(f"promote {artifact.location} to {task.account}"):
            there = copy.head()
            # A copy with another digest is not touched: ours becomes a newer version.
            if there is not None and stored_digest(there) in ("", artifact.digest):
                return self._verify(task, copy, str(there.get("VersionId") or ""))
            if copy.size() <= self._limits.one_copy:
                return self._verify(task, copy, copy.whole())
            upload = (copy.unfinished() if task.again else "") or copy.begin()
        return _copying(copy, upload, 1)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Go on with each: a few parts, or the next piece of hashing."""
        return each_task(tasks, self._go_on)

    def stop(self, task: Task) -> None:
        """Abort a multipart copy, whose parts would be paid for; what was copied whole may stay."""
        step, _, rest = task.handle.partition(" ")
        if step == "copy":
            with asking(f"abort the copy to {task.account}"):
                self._copy(task).abort(rest.partition(" ")[2])

    def _go_on(self, task: Task) -> Progress:
        copy = self._copy(task)
        step, _, rest = task.handle.partition(" ")
        with asking(f"promote {copy.source.location} to {task.account}"):
            if step == "verify":
                return self._verify(task, copy, rest)
            number, _, upload = rest.partition(" ")
            try:
                following = copy.parts(upload, int(number), copy.size(), self._limits)
                if following:
                    return _copying(copy, upload, following)
                version = copy.complete(upload)
            except ClientError as error:
                # Completed by a try whose answer was lost, or aborted by the bucket's lifecycle.
                if code_of(error) != "NoSuchUpload":
                    raise
                return self.start(task)
            return self._verify(task, copy, version)

    def _copy(self, task: Task) -> Copy:
        artifact, account = one_input(task), self._clients.registry.get(task.account)
        source = place_of(artifact.location, artifact.version)
        if not artifact.version:
            raise ActionError(
                f"{artifact.location} is not pinned to a version: turn versioning on for "
                f"{source.bucket}.",
                permanent=True,
            )
        prefix = task.configuration.get("KeyPrefix", "").strip("/") or PREFIX
        name = source.key.rsplit("/", 1)[-1] or "artifact"
        key = f"{prefix}/{task.pipeline}/{artifact.digest.removeprefix('sha256:')}/{name}"
        owner = self._owner(task, artifact)
        arn = f"arn:{partition_of(account)}"
        read = [f"{arn}:s3:::{source.bucket}/{source.key}"]
        if owner:
            # The source may be encrypted with a key of its own account; the role says which.
            read.append(f"{arn}:kms:{artifact.region or task.region}:{owner}:key/*")
        client = self._clients.client(
            "s3", task.account, task.region, self.purpose, scope_of(task, read)
        )
        target = Place(account.artifact_bucket, key)
        return Copy(client, source, owner, target, account.id, account.artifact_key)

    def _owner(self, task: Task, artifact: Artifact) -> str:
        """Whose bucket the source lies in; "" where nobody knows."""
        registry = self._clients.registry
        if task.store is not None and in_store(task, artifact):
            return owned(task.store, registry).owner
        return registry.get(artifact.account).id if artifact.account else ""

    def _verify(self, task: Task, copy: Copy, version: str) -> Progress:
        """Compare what lies there now with what was asked for."""
        if version in ("", "null"):
            raise ActionError(
                f"The bucket {copy.target.bucket} of {task.account} is not versioned: turn "
                "versioning on, so that what was tested can not be replaced.",
                permanent=True,
            )
        place = Place(copy.target.bucket, copy.target.key, version)
        head = copy.head(version)
        if head is None:
            raise ActionError(f"Version {version} of {place.location} is not there (yet).")
        digest = stored_digest(head)
        if not digest:
            size = int(head["ContentLength"])
            digest = self._digester.advance(copy.client, task.token, place, size)
        if not digest:
            text = f"verifying {place.location}"
            return Progress(Outcome.RUNNING, f"verify {version}", text, SOON)
        return _verified(task, place, digest)


def _copying(copy: Copy, upload: str, part: int) -> Progress:
    text = f"copying {copy.source.location} to {copy.target.location}, part {part} is next"
    return Progress(Outcome.RUNNING, f"copy {part} {upload}", text, SOON)


def _verified(task: Task, place: Place, digest: str) -> Progress:
    wanted = one_input(task)
    if digest != wanted.digest:
        raise ActionError(
            f"The copy {place.location} (version {place.version}) has digest {digest}, but "
            f"{wanted.location} was tested with {wanted.digest}: nothing was deployed from it. "
            "Delete that version once you know who wrote it.",
            permanent=True,
        )
    copied = Artifact(
        output_name(task), digest, place.location, place.version, task.account, task.region
    )
    return Progress(
        Outcome.SUCCEEDED,
        handle=f"verify {place.version}",
        summary=f"{place.location} version {place.version} is {digest}",
        output={"BucketName": place.bucket, "ObjectKey": place.key, "VersionId": place.version},
        artifacts=(copied,),
    )
