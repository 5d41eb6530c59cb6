"""Source/AWS/CodeStarSourceConnection: a branch of a repository. A revision is a commit.

Configuration: ConnectionArn, FullRepositoryName, BranchName, OutputArtifactFormat (CODE_ZIP, or
CODEBUILD_CLONE_REF for a document that says what to clone), DetectChanges. The artifact lies in the
pipeline's store, or the artifact bucket of the action's account, under its digest. RevisionId is the pinned
commit; TriggerRef and PullRequestId say what started the execution.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
"""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

from accounts.base import Clients
from accounts.models import Purpose
from controlplane.actions import clones, stores
from controlplane.actions.base import (
    ActionError,
    Artifact,
    MonitorError,
    Outcome,
    Progress,
    Revision,
    Task,
)
from controlplane.actions.git.base import Commit, Host, Hosts
from controlplane.actions.git.bundle import Bounds, keep, repack
from controlplane.actions.source_store import Named, store
from controlplane.actions.vendor import need, output_name
from monitors.edge import each_task

HEADS, TAGS = "refs/heads/", "refs/tags/"
MEMORY = 8 * 1024 * 1024
"""Bytes of an archive that are kept off the disk."""
MOST_TEXT = 1_000


class GitSource:
    """Names the newest commit of a branch, and makes a pinned one an artifact."""

    purpose = Purpose.DEPLOY  # it writes into the account's artifact bucket
    side_by_side = 4

    def __init__(self, clients: Clients, hosts: Hosts, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - frozen
        """Take the clients that act in accounts, and the Git hosts."""
        self._clients, self._hosts, self._bounds = clients, hosts, bounds

    def latest(
        self, configuration: Mapping[str, str], account: str, region: str
    ) -> Revision | None:
        """Name the head of the action's own branch."""
        del account, region
        branch = configuration.get("BranchName", "")
        host = self._hosts.of(configuration.get("ConnectionArn", ""))
        head = host.head(configuration.get("FullRepositoryName", ""), branch)
        if head is None:
            return None
        return Revision(head.id, head.url, _line(head.message), ref=f"{HEADS}{branch}")

    def start(self, task: Task) -> Progress:
        """Bring the commit; without one (nobody pinned it) the head of the branch."""
        name = need(task, "FullRepositoryName")
        host = self._hosts.of(need(task, "ConnectionArn"))
        pinned = task.configuration.get("RevisionId", "")
        commit = host.commit(name, pinned) if pinned else host.head(name, need(task, "BranchName"))
        if commit is None:
            branch = task.configuration["BranchName"]
            raise ActionError(f"{name} has no branch {branch!r} at {host.name}.", permanent=True)
        with tempfile.SpooledTemporaryFile(MEMORY) as content:
            if task.configuration.get("OutputArtifactFormat") == clones.FORMAT:
                digest, file = _reference(task, commit, host, content), "clone-ref.json"
            else:
                with tempfile.SpooledTemporaryFile(MEMORY) as packed:
                    with host.archive(name, commit.id) as chunks:
                        keep(chunks, packed, self._bounds)
                    packed.seek(0)
                    digest = repack(packed, content, self._bounds)
                file = f"{name.rsplit('/', 1)[-1]}.zip"
            place = store(self._clients, self.purpose, task, content, Named(digest, file))
        where = stores.keeper(task, place.bucket, self._clients.registry), task.region
        artifact = Artifact(output_name(task), digest, place.location, place.version, *where)
        return Progress(
            Outcome.SUCCEEDED,
            handle=commit.id,
            summary=_line(commit.message) or commit.id,
            url=commit.url,
            output=_variables(task, commit),
            artifacts=(artifact,),
        )

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """It ends with its start."""
        return each_task(tasks, self.start)

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""


def _reference(task: Task, commit: Commit, host: Host, content: IO[bytes]) -> str:
    """What CodeBuild clones by: the same words for the same commit."""
    settings, name = host.settings, need(task, "FullRepositoryName")
    type_, address = clones.where(settings.kind, settings.address, settings.site)
    said = {
        "CloneUrl": f"{address}/{name}.git",
        "SourceType": type_,
        "ConnectionArn": need(task, "ConnectionArn"),
        "FullRepositoryName": name,
        "CommitId": commit.id,
        "BranchName": _branch(task),
    }
    text = clones.written(said)
    content.write(text)
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def _branch(task: Task) -> str:
    ref = task.configuration.get("TriggerRef", "")
    if ref.startswith(TAGS):
        return ""
    return ref.removeprefix(HEADS) or task.configuration.get("BranchName", "")


def _variables(task: Task, commit: Commit) -> dict[str, str]:
    """CodePipeline's own names; one that is not known is not there."""
    ref = task.configuration.get("TriggerRef", "")
    found = {
        "AuthorDate": commit.date,
        "AuthorDisplayName": commit.author,
        "AuthorEmail": commit.email,
        "BranchName": _branch(task),
        "CommitId": commit.id,
        "CommitMessage": commit.message[:MOST_TEXT],
        "ConnectionArn": task.configuration.get("ConnectionArn", ""),
        "FullRepositoryName": task.configuration.get("FullRepositoryName", ""),
        "PullRequestId": task.configuration.get("PullRequestId", ""),
        "TagName": ref.removeprefix(TAGS) if ref.startswith(TAGS) else "",
    }
    return {name: value for name, value in found.items() if value}


def _line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:200]
