"""What a job has made, once it is said to be done: every output artifact is read, and named by its digest.

Said is not done: an object that is not there fails the action. Where the worker told nothing else it is
the newest version under the key, and from then on that version and no other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from accounts.base import Clients
from accounts.models import Account, Purpose
from controlplane.actions import stores
from controlplane.actions.base import Artifact, MonitorError, Outcome, Progress, Task
from controlplane.actions.job_data import home, outputs
from controlplane.actions.job_words import stand
from controlplane.actions.s3_content import Digester, Place, stored_digest
from controlplane.actions.vendor import code_of, scope_of
from monitors.edge import asking, each_task

MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
SOON = timedelta(milliseconds=200)


class JobOutputs:
    """Reads what a job has made."""

    def __init__(self, clients: Clients, digester: Digester | None = None) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients
        self._digester = digester or Digester()

    def start(self, task: Task) -> Progress:
        """A worker may be done before anybody looked."""
        return self._collect(task)

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Hash the next piece of large objects; all others end at once."""
        return each_task(tasks, self._collect)

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""

    def _collect(self, task: Task) -> Progress:
        with asking(f"read what {task.action} has made"):
            return self._read(task)

    def _read(self, task: Task) -> Progress:
        told = stand(task)
        account = home(task, self._clients.registry)
        made: list[Artifact] = []
        for name, place in outputs(task, account):
            found = self._artifact(_at(task, account), name, place)
            if found is None:
                return _failed(told, f"it put no object at {place.location}")
            if not found.digest:
                summary = f"hashing {place.location}"
                return Progress(Outcome.RUNNING, told.handle, summary, SOON, url=told.url)
            made.append(found)
        return replace(told, artifacts=tuple(made))

    def _artifact(self, task: Task, name: str, place: Place) -> Artifact | None:
        """Answer None where there is no such object; without a digest while there is more to hash."""
        client = self._clients.client(
            "s3", task.account, task.region, Purpose.DEPLOY, scope_of(task)
        )
        registry = self._clients.registry
        store, role = (
            stores.store_of(task, registry),
            registry.get(task.account).role(Purpose.DEPLOY),
        )
        with stores.keeping(task, store, f"read {place.location} in {task.account}", role):
            head = _head(client, place)
        if head is None:
            return None
        version = str(head.get("VersionId") or "")
        pinned = Place(place.bucket, place.key, version if version != "null" else "")
        digest = stored_digest(head)
        if not digest:
            size = int(head["ContentLength"])
            digest = self._digester.advance(client, f"{task.token}/{name}", pinned, size)
        where = stores.keeper(task, place.bucket, self._clients.registry), task.region
        return Artifact(name, digest, place.location, pinned.version, *where)


def _at(task: Task, account: Account | None) -> Task:
    """Where the outputs lie, as `outputs` has made sure that there is an account."""
    if account is None:
        return task
    return replace(task, account=account.name, region=task.region or account.regions[0])


def _head(client: Any, place: Place) -> dict[str, Any] | None:
    try:
        return dict(client.head_object(**place.request, ChecksumMode="ENABLED"))
    except ClientError as error:
        if code_of(error) in MISSING:
            return None
        raise


def _failed(told: Progress, why: str) -> Progress:
    summary = f"JobFailed: it was said to be done, but {why}"
    return Progress(Outcome.FAILED, told.handle, summary, url=told.url)
