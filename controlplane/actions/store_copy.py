"""Copies between artifact stores: S3 moves the bytes, and each copy's digest is checked.

As at CodePipeline, an action finds its inputs in the store of its own region; the engine has this driver bring
them there before the action starts. It acts in the account that the stores belong to, as the pipeline's own
role does there, and else in the one that made the artifact.
https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from accounts.base import Clients
from accounts.models import Account, Purpose
from controlplane.actions import stores
from controlplane.actions.base import (
    ActionError,
    Artifact,
    MonitorError,
    Outcome,
    Progress,
    Task,
)
from controlplane.actions.s3_content import GIB, Digester, Place, place_of, stored_digest
from controlplane.actions.s3_copy import Copy
from controlplane.actions.vendor import KEY_ARN, partition_of, scope_of
from monitors.base import Store
from monitors.edge import each_task

SOON = timedelta(milliseconds=200)
LARGEST_COPY = 5 * GIB
"""S3's own limit for CopyObject, and CodePipeline's for an artifact."""


class Wanted(NamedTuple):
    """What is to lie in a store under a key: a pinned place elsewhere, of whom ("" unknown), and its digest."""

    source: Place
    owner: str
    key: str
    digest: str


class Bringer:
    """Brings objects into a task's store, once for one digest."""

    purpose = Purpose.DEPLOY

    def __init__(self, clients: Clients, digester: Digester | None = None) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients
        self._digester = digester or Digester()

    def bring(self, task: Task, account: Account, wanted: Wanted) -> Place | None:
        """Answer the copy, which is what was wanted to the byte; None while it is hashed. ActionError."""
        store = stores.store_of(task, self._clients.registry)
        target = Place(store.bucket, wanted.key)
        read = f"arn:{partition_of(account)}:s3:::{wanted.source.bucket}/{wanted.source.key}"
        scope = scope_of(task, (read,))
        client = self._clients.client("s3", account.name, task.region, self.purpose, scope)
        copy = Copy(client, wanted.source, wanted.owner, target, store.owner, store.key or None)
        doing = f"copy {wanted.source.location} to {target.location} in {account.name}"
        with stores.keeping(task, store, doing, account.role(self.purpose)):
            return self._verified(task, copy, _put(copy, store, wanted.digest), wanted)

    def _verified(self, task: Task, copy: Copy, version: str, wanted: Wanted) -> Place | None:
        place = stores.versioned(
            copy.target, {"VersionId": version}, f"the store of {task.pipeline}"
        )
        head = copy.head(version)
        if head is None:
            raise ActionError(f"Version {version} of {place.location} is not there (yet).")
        digest = stored_digest(head)
        if not digest:
            token, size = f"{task.token}/{place.location}", int(head["ContentLength"])
            digest = self._digester.advance(copy.client, token, place, size)
        if digest in ("", wanted.digest):
            return place if digest else None
        raise ActionError(
            f"The copy {place.location} (version {version}) has digest {digest}, but "
            f"{wanted.source.location} is {wanted.digest}: nothing was done with it. Delete that version "
            "once you know who wrote it.",
            permanent=True,
        )


class StoreCopy:
    """Brings an action's inputs into the store of its region."""

    purpose = Purpose.DEPLOY
    side_by_side = 4  # S3 may copy for a while

    def __init__(self, clients: Clients, digester: Digester | None = None) -> None:
        """Take the clients that act in accounts."""
        self._registry = clients.registry
        self._bringer = Bringer(clients, digester)

    def start(self, task: Task) -> Progress:
        """Bring them; RUNNING while one is hashed."""
        copies = []
        for artifact in task.inputs:
            account = self._account(task, artifact)
            source = place_of(artifact.location, artifact.version)
            wanted = Wanted(source, "", source.key, artifact.digest)
            place = self._bringer.bring(task, account, wanted)
            if place is None:
                text = f"hashing the copy of {artifact.name} in {task.region}"
                return Progress(Outcome.RUNNING, summary=text, look_after=SOON)
            named = stores.keeper(task, place.bucket, self._registry), task.region
            copies.append(
                Artifact(artifact.name, artifact.digest, place.location, place.version, *named)
            )
        names = ", ".join(copy.name for copy in copies)
        text = f"{names} lies in the artifact store of {task.region}"
        return Progress(Outcome.SUCCEEDED, summary=text, artifacts=tuple(copies))

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Go on where it stands: what was brought lies there."""
        return each_task(tasks, self.start)

    def stop(self, task: Task) -> None:
        """Nothing runs outside: S3 copies in one call."""

    def _account(self, task: Task, artifact: Artifact) -> Account:
        """Who may read the one store and write the other."""
        store = stores.store_of(task, self._registry)
        at_home = [one for one in self._registry.all() if one.id == store.owner]
        named = at_home or [self._registry.get(artifact.account or task.account)]
        return next((one for one in named if task.region in one.regions), named[0])


def _put(copy: Copy, store: Store, digest: str) -> str:
    """Copy it, unless these bytes lie there already under this key; answers the copy's version."""
    there = copy.head()
    if there is not None and stored_digest(there) in ("", digest) and _under(store, there):
        return str(there.get("VersionId") or "")
    size = copy.size()
    if size > LARGEST_COPY:
        raise ActionError(
            f"{copy.source.location} has {size} bytes; over {LARGEST_COPY} (5 GiB) nothing goes into an "
            "artifact store, as at CodePipeline: make it smaller.",
            permanent=True,
        )
    return copy.whole()


def _under(store: Store, head: Mapping[str, object]) -> bool:
    return not KEY_ARN.fullmatch(store.key) or head.get("SSEKMSKeyId") == store.key
