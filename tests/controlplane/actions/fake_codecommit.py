"""The sandbox's CodeCommit behind a scripted client."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from controlplane.sandbox.aws.codecommit import OPERATIONS, Repositories
from controlplane.sandbox.aws.faults import Fault
from tests.support.scripted import Operation, Refusal


class FakeCodeCommit:
    def __init__(self) -> None:
        self.told: list[Mapping[str, str]] = []
        self.repositories = Repositories(self.told.append)
        self.repositories.create_repository({"repositoryName": "shop"})
        self.asked: list[str] = []

    def operations(self) -> Mapping[str, Operation]:
        every = {name: getattr(self.repositories, name) for name in OPERATIONS}
        return {name: partial(self._answer, name, do) for name, do in every.items()}

    def _answer(
        self, name: str, do: Callable[[Any], dict[str, Any]], asked: dict[str, Any]
    ) -> Mapping[str, Any] | Refusal:
        self.asked.append(name)
        try:
            return do(asked)
        except Fault as fault:
            return Refusal(fault.code, fault.message)

    def push(self, files: Mapping[str, bytes], branch: str = "main", mode: str = "NORMAL") -> str:
        """A commit for each file; the last one's id."""
        for path, content in files.items():
            known = self.repositories.known["shop"].heads.get(branch)
            asked = {"repositoryName": "shop", "branchName": branch, "filePath": path}
            more = {"fileContent": content, "fileMode": mode, "commitMessage": f"Add {path}\n\nx"}
            self.repositories.put_file({**asked, **more, "parentCommitId": known})
        return self.repositories.known["shop"].heads[branch]
