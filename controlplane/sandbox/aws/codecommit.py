"""CodeCommit over moto: repositories with branches, commits and files; each push is told to EventBridge.

What it does not emulate (pull requests, merges, approvals) is refused with status 400.
https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partialmethod
from typing import Any

from moto.codecommit import urls
from moto.codecommit.models import codecommit_backends
from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult, BaseResponse

from controlplane.sandbox.aws import clock, emit, hooks
from controlplane.sandbox.aws.faults import Fault

FIRST = "main"
Asked = Mapping[str, Any]
Tree = Mapping[str, tuple[str, str]]
"""Path -> blob and mode."""


def _id(*parts: Any) -> str:
    return hashlib.sha1(json.dumps(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass
class Repository:
    """One repository: heads by branch, commits and their trees, contents by blob."""

    name: str
    heads: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Any]] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)


class Repositories:
    """The repositories of one account and region, as plain calls in botocore's shapes."""

    def __init__(self, told: Callable[[Mapping[str, str]], None]) -> None:
        """told: hears of each reference that moved."""
        self._told = told
        self.known: dict[str, Repository] = {}

    def create_repository(self, asked: Asked) -> dict[str, Any]:
        name = str(asked["repositoryName"])
        if name in self.known:
            raise Fault("RepositoryNameExistsException", f"Repository named {name} already exists")
        self.known[name] = Repository(name)
        return {"repositoryMetadata": {"repositoryName": name, "repositoryId": _id(name)[:36]}}

    def put_file(self, asked: Asked) -> dict[str, Any]:
        """Commit one file to a branch."""
        one, branch = self._repository(asked), str(asked["branchName"])
        before = one.heads.get(branch, "")
        if before and asked.get("parentCommitId") != before:
            raise Fault("ParentCommitIdOutdatedException", "The parent commit is not the head.")
        content = asked["fileContent"]
        blob = _id(base64.b64encode(content).decode())
        one.blobs[blob] = content
        entry = (blob, str(asked.get("fileMode") or "NORMAL"))
        tree = {**one.trees.get(before, {}), str(asked["filePath"]): entry}
        commit = _id(sorted(tree.items()), before, asked.get("commitMessage"))
        who = {
            "name": str(asked.get("name") or ""),
            "date": f"{int(clock.now().timestamp())} +0000",
        }
        one.trees[commit], one.heads[branch] = tree, commit
        one.commits[commit] = {
            "commitId": commit,
            "treeId": _id(commit),
            "parents": [before] if before else [],
            "message": str(asked.get("commitMessage") or ""),
            "author": who,
            "committer": who,
        }
        self._tell(one, branch, commit, before)
        return {"commitId": commit, "blobId": blob, "treeId": _id(commit)}

    def get_branch(self, asked: Asked) -> dict[str, Any]:
        one, branch = self._repository(asked), str(asked["branchName"])
        if branch not in one.heads:
            raise Fault("BranchDoesNotExistException", f"Branch {branch} does not exist")
        return {"branch": {"branchName": branch, "commitId": one.heads[branch]}}

    def get_commit(self, asked: Asked) -> dict[str, Any]:
        one, commit = self._repository(asked), str(asked["commitId"])
        if commit not in one.commits:
            raise Fault("CommitIdDoesNotExistException", f"Commit {commit} does not exist")
        return {"commit": one.commits[commit]}

    def get_folder(self, asked: Asked) -> dict[str, Any]:
        one, commit = self._repository(asked), str(asked.get("commitSpecifier") or "")
        commit = one.heads.get(commit or FIRST, commit)
        if commit not in one.trees:
            raise Fault("CommitDoesNotExistException", f"Commit {commit} does not exist")
        folder = str(asked["folderPath"]).strip("/")
        inside = f"{folder}/" if folder else ""
        below = {p: e for p, e in one.trees[commit].items() if p.startswith(inside)}
        direct = {p: e for p, e in below.items() if "/" not in p.removeprefix(inside)}
        deeper = {
            inside + p.removeprefix(inside).partition("/")[0] for p in below if p not in direct
        }
        listed = [
            {"blobId": blob, "absolutePath": path, "relativePath": path, "fileMode": mode}
            for path, (blob, mode) in direct.items()
        ]
        return {
            "commitId": commit,
            "folderPath": folder,
            "treeId": _id(commit),
            "subFolders": [{"absolutePath": p, "relativePath": p} for p in sorted(deeper)],
            "files": [entry for entry in listed if entry["fileMode"] != "SYMLINK"],
            "symbolicLinks": [entry for entry in listed if entry["fileMode"] == "SYMLINK"],
            "subModules": [],
        }

    def get_blob(self, asked: Asked) -> dict[str, Any]:
        one, blob = self._repository(asked), str(asked["blobId"])
        if blob not in one.blobs:
            raise Fault("BlobIdDoesNotExistException", f"Blob {blob} does not exist")
        return {"content": one.blobs[blob]}

    def _repository(self, asked: Asked) -> Repository:
        name = str(asked["repositoryName"])
        if name not in self.known:
            raise Fault("RepositoryDoesNotExistException", f"{name} does not exist")
        return self.known[name]

    def _tell(self, one: Repository, branch: str, commit: str, before: str) -> None:
        detail = {
            "event": "referenceUpdated" if before else "referenceCreated",
            "repositoryName": one.name,
            "repositoryId": _id(one.name)[:36],
            "referenceType": "branch",
            "referenceName": branch,
            "referenceFullName": f"refs/heads/{branch}",
            "commitId": commit,
        }
        self._told({**detail, **({"oldCommitId": before} if before else {})})


OPERATIONS = (
    "create_repository",
    "get_blob",
    "get_branch",
    "get_commit",
    "get_folder",
    "put_file",
)
"""What is emulated, as boto3's methods are named."""


class Backend(BaseBackend):  # type: ignore[misc]  # moto ships no types
    """CodeCommit of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.repositories = Repositories(self._tell)

    def _tell(self, detail: Mapping[str, str]) -> None:
        where = (self.account_id, self.region_name)
        arn = f"arn:aws:codecommit:{self.region_name}:{self.account_id}:{detail['repositoryName']}"
        emit.event(*where, "aws.codecommit", "CodeCommit Repository State Change", detail, [arn])


class Response(BaseResponse):  # type: ignore[misc]  # moto ships no types
    """One method for each emulated operation."""

    def __init__(self) -> None:
        super().__init__(service_name="codecommit")
        self.automated_parameter_parsing = True

    def _answer(self, name: str) -> ActionResult:
        backend: Backend = codecommit_backends[self.current_account][self.region]
        asked = json.loads(self.body)
        if "fileContent" in asked:
            asked["fileContent"] = base64.b64decode(asked["fileContent"])
        do: Callable[[Asked], dict[str, Any]] = getattr(backend.repositories, name)
        return ActionResult(do(asked))


for _name in OPERATIONS:
    setattr(Response, _name, partialmethod(Response._answer, _name))  # noqa: SLF001 our own


def install() -> None:
    """Put this CodeCommit in moto's place."""
    hooks.swap(codecommit_backends, Backend, urls, Response)
