"""Source/AWS/CodeCommit: a branch of a repository. A revision is a commit.

Configuration: RepositoryName, BranchName, PollForSourceChanges, OutputArtifactFormat (CODE_ZIP). The artifact
lies in the artifact bucket of the action's account, under its digest. RevisionId is the pinned commit.
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
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
from controlplane.actions.codecommit_tree import Commit, Trees
from controlplane.actions.git.bundle import digest_of
from controlplane.actions.source_store import Named, store
from controlplane.actions.vendor import (
    asking,
    code_of,
    need,
    output_name,
    partition_of,
    scope_of,
    told,
)
from monitors.edge import each_task

HEADS = "refs/heads/"
SOON = timedelta(milliseconds=200)
MOST_TEXT = 1_000


class CodeCommit:
    """Names the newest commit of a branch, and makes a pinned one an artifact."""

    purpose = Purpose.DEPLOY  # it writes into the account's artifact bucket
    side_by_side = 4

    def __init__(self, clients: Clients, trees: Trees | None = None) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients
        self._trees = trees or Trees()

    def latest(
        self, configuration: Mapping[str, str], account: str, region: str
    ) -> Revision | None:
        """Name the head of the branch; None where there is no such branch (yet)."""
        repository = configuration.get("RepositoryName", "")
        branch = configuration.get("BranchName", "")
        client = self._clients.client("codecommit", account, region, Purpose.WATCH)
        head = _head(client, repository, branch, account)
        location = f"codecommit::{region}://{repository}"
        return (
            Revision(head, location, f"{repository} {branch}", ref=f"{HEADS}{branch}")
            if head
            else None
        )

    def start(self, task: Task) -> Progress:
        """Read the commit; without one (nobody pinned it) the head of the branch."""
        repository, branch = need(task, "RepositoryName"), need(task, "BranchName")
        client = self._client(task)
        pinned = task.configuration.get("RevisionId", "") or _head(
            client, repository, branch, task.account
        )
        if not pinned:
            said = f"{repository} in {task.account} has no branch {branch!r}."
            raise ActionError(said, permanent=True)
        return self._read(task, Commit(client, repository, pinned, task.account))

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Read the next piece of large commits; all others end with their start."""
        return each_task(tasks, self._go_on)

    def stop(self, task: Task) -> None:
        """Nothing runs outside."""

    def _go_on(self, task: Task) -> Progress:
        named = (self._client(task), need(task, "RepositoryName"), task.handle, task.account)
        return self._read(task, Commit(*named))

    def _client(self, task: Task) -> Any:
        account = self._clients.registry.get(task.account)
        where = f"arn:{partition_of(account)}:codecommit:{task.region}:{account.id}"
        scope = scope_of(task, (f"{where}:{need(task, 'RepositoryName')}",))
        return self._clients.client("codecommit", task.account, task.region, self.purpose, scope)

    def _read(self, task: Task, commit: Commit) -> Progress:
        packed = self._trees.advance(task.token, commit)
        if packed is None:
            return Progress(Outcome.RUNNING, commit.id, f"reading {commit}", SOON)
        with closing(packed):
            with asking(f"read {commit}"):
                answer = commit.client.get_commit(
                    repositoryName=commit.repository, commitId=commit.id
                )
            about = told(answer, "commit")
            named = Named(digest_of(packed), f"{commit.repository}.zip")
            place = store(self._clients, self.purpose, task, packed, named)
        keeper = stores.keeper(task, place.bucket, self._clients.registry)
        where = (place.location, place.version, keeper, task.region)
        message = str(about.get("message", ""))
        return Progress(
            Outcome.SUCCEEDED,
            handle=commit.id,
            summary=message.strip().split("\n", 1)[0][:200] or commit.id,
            url=_url(task, commit),
            output=_variables(task, commit, about),
            artifacts=(Artifact(output_name(task), named.digest, *where),),
        )


def _head(client: Any, repository: str, branch: str, account: str) -> str:
    """Read the commit that a branch is at; "" where there is no such branch."""
    with asking(f"read branch {branch} of {repository} in {account}"):
        try:
            answer = client.get_branch(repositoryName=repository, branchName=branch)
        except ClientError as error:
            if code_of(error) == "BranchDoesNotExistException":
                return ""
            raise
    return str(told(answer, "branch")["commitId"])


def _url(task: Task, commit: Commit) -> str:
    host = f"{task.region}.console.aws.amazon.com/codesuite/codecommit/repositories"
    return f"https://{host}/{commit.repository}/commit/{commit.id}?region={task.region}"


def _variables(task: Task, commit: Commit, about: Mapping[str, Any]) -> dict[str, str]:
    """CodePipeline's own names; one that is not known is not there."""
    found = {
        "AuthorDate": _when(about.get("author")),
        "BranchName": task.configuration.get("BranchName", ""),
        "CommitId": commit.id,
        "CommitMessage": str(about.get("message", ""))[:MOST_TEXT],
        "CommitterDate": _when(about.get("committer")),
        "RepositoryName": commit.repository,
    }
    return {name: value for name, value in found.items() if value}


def _when(person: Any) -> str:
    """Read Git's own "1484167798 -0800" as a time in UTC; "" for anything else."""
    seconds = str((person or {}).get("date", "")).partition(" ")[0]
    if not seconds.isdecimal() or len(seconds) > len("99999999999"):
        return ""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
