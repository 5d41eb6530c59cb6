"""What a build made, as immutable artifacts: a version of an object in S3, and the digest of its bytes.

CodeBuild says where it wrote; the bytes are read and hashed here, so the digest is of what lies there. Where
CodeBuild tells a SHA-256 of what it wrote, both must be the same.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions.base import ActionError, Artifact, Task
from controlplane.actions.build_words import identifier
from controlplane.actions.codebuild_api import Build, outputs_of
from controlplane.actions.s3_content import Digester, Place, stored_digest
from controlplane.actions.stores import keeper, keeping, store_of
from controlplane.actions.vendor import code_of, partition_of, scope_of

MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchVersion"})
KEPT = 256


class Outputs:
    """Reads what builds made; large ones a piece a call."""

    def __init__(self, clients: Clients, digester: Digester | None = None) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients
        self._digester = digester or Digester()
        self._known: OrderedDict[Place, str] = OrderedDict()

    def of(self, task: Task, build: Build) -> tuple[Artifact, ...] | None:
        """Answer the artifacts that the task names; None while there is more to read."""
        made = outputs_of(build)
        found = []
        for name in task.outputs:
            told = made.get("" if len(task.outputs) == 1 else identifier(name))
            one = self._artifact(task, name, told or {})
            if one is None:
                return None
            found.append(one)
        return tuple(found)

    def _artifact(self, task: Task, name: str, told: Mapping[str, Any]) -> Artifact | None:
        place = _place(task, name, str(told.get("location", "")))
        partition = partition_of(self._clients.registry.get(task.account))
        scope = scope_of(task, (f"arn:{partition}:s3:::{place.bucket}/{place.key}",))
        client = self._clients.client("s3", task.account, task.region, Purpose.DEPLOY, scope)
        registry = self._clients.registry
        store, role = store_of(task, registry), registry.get(task.account).role(Purpose.DEPLOY)
        with keeping(task, store, f"read {place.location} in {task.account}", role):
            try:
                head = dict(client.head_object(**place.request, ChecksumMode="ENABLED"))
            except ClientError as error:
                if code_of(error) not in MISSING:
                    raise
                said = f"The build says that it wrote {place.location}, but there is no such object"
                raise ActionError(f"{said} in {task.account}.", permanent=True) from error
            pinned = Place(place.bucket, place.key, _version(head, place))
            digest = self._digest(client, task, head, pinned)
        if not digest:
            return None
        _same(digest, str(told.get("sha256sum", "")), pinned)
        named = keeper(task, pinned.bucket, registry), task.region
        return Artifact(name, digest, pinned.location, pinned.version, *named)

    def _digest(self, client: Any, task: Task, head: dict[str, Any], place: Place) -> str:
        """A version never changes, so its digest is read once."""
        digest = stored_digest(head) or self._known.get(place, "")
        if not digest:
            size, token = int(head["ContentLength"]), f"{task.token}/{place.key}"
            digest = self._digester.advance(client, token, place, size)
        if digest:
            self._known[place] = digest
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return digest


def _place(task: Task, name: str, arn: str) -> Place:
    """Read arn:aws:s3:::bucket/key."""
    bucket, _, key = arn.partition(":s3:::")[2].partition("/")
    if not bucket or not key:
        said = f"The build of {task.action} made no artifact {name}: does its buildspec say so"
        of_several = f" (secondary-artifacts: {identifier(name)})" if len(task.outputs) > 1 else ""
        raise ActionError(f"{said}{of_several}?", permanent=True)
    return Place(bucket, key)


def _version(head: Mapping[str, Any], place: Place) -> str:
    version = str(head.get("VersionId") or "")
    if version in ("", "null"):
        raise ActionError(
            f"{place.location} has no VersionId: turn versioning on for bucket {place.bucket}, so "
            "that what was tested can not be replaced.",
            permanent=True,
        )
    return version


def _same(digest: str, said: str, place: Place) -> None:
    if said and digest != f"sha256:{said.lower()}":
        raise ActionError(
            f"{place.location} (version {place.version}) is {digest}, but the build wrote "
            f"sha256:{said}: somebody else wrote there, and nothing is released from it.",
            permanent=True,
        )
