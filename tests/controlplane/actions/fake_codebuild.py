"""A CodeBuild in memory that never moves by itself, for tests.support.scripted.

begun and stopped count what was begun outside; asked the calls by operation. Tokens are
remembered until `forget`.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.controlplane.actions.making import NOW
from tests.support.scripted import Operation, Refusal


class FakeCodeBuild:
    def __init__(self, *projects: str) -> None:
        self.projects = projects or ("shop",)
        self.builds: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str] = {}
        self.requests: list[dict[str, Any]] = []
        self.stopped = 0
        self.asked: Counter[str] = Counter()
        self.page = 100
        self.add(status="SUCCEEDED")  # botocore's shape has no empty list; it is somebody else's

    @property
    def begun(self) -> int:
        return len(self.requests)

    def operations(self) -> Mapping[str, Operation]:
        known: dict[str, Operation] = {
            "start_build": lambda asked: self._start(asked, "build"),
            "start_build_batch": lambda asked: self._start(asked, "buildBatch"),
            "batch_get_builds": lambda asked: self._read(asked, "builds"),
            "batch_get_build_batches": lambda asked: self._read(asked, "buildBatches"),
            "list_builds_for_project": self._list,
            "list_build_batches_for_project": self._list,
            "stop_build": self._stop,
        }

        def counted(name: str) -> Operation:
            def answer(asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
                self.asked[name] += 1
                return known[name](asked)

            return answer

        return {name: counted(name) for name in known}

    def add(self, project: str = "shop", **given: Any) -> str:
        """A build; answers its id."""
        build = f"{project}:{len(self.builds) + 1:08}"
        status = given.pop("status", "IN_PROGRESS")
        both = {"buildStatus": status, "buildBatchStatus": status}
        fields = {"id": build, "projectName": project, "startTime": NOW, **both}
        self.builds[build] = {**fields, **given}
        return build

    def forget(self) -> None:
        """Five minutes are over."""
        self.tokens.clear()

    def _start(self, asked: dict[str, Any], word: str) -> Mapping[str, Any] | Refusal:
        if asked["projectName"] not in self.projects:
            return Refusal("ResourceNotFoundException", "Project cannot be found")
        token = asked["idempotencyToken"]
        if token not in self.tokens:
            self.requests.append(asked)
            variables = asked["environmentVariablesOverride"]
            environment = {"type": "LINUX_CONTAINER", "image": "i", "computeType": "C"}
            environment |= {"environmentVariables": variables}
            self.tokens[token] = self.add(asked["projectName"], environment=environment)
        return {word: self._shown(self.tokens[token], word)}

    def _shown(self, id_: str, word: str) -> dict[str, Any]:
        other = "buildStatus" if word.startswith("buildBatch") else "buildBatchStatus"
        return {name: value for name, value in self.builds[id_].items() if name != other}

    def _read(self, asked: dict[str, Any], word: str) -> Mapping[str, Any] | Refusal:
        ids = asked["ids"]
        if not 1 <= len(ids) <= 100:
            return Refusal("InvalidInputException", "between 1 and 100 ids")
        found = [self._shown(one, word) for one in ids if one in self.builds]
        lost = [one for one in ids if one not in self.builds]
        return {word: found, **({f"{word}NotFound": lost} if lost else {})}

    def _list(self, asked: dict[str, Any]) -> Mapping[str, Any]:
        first = int(asked.get("nextToken", 0))
        ids = list(reversed(self.builds))
        answer: dict[str, Any] = {"ids": ids[first : first + self.page]}
        if first + self.page < len(ids):
            answer["nextToken"] = str(first + self.page)
        return answer

    def _stop(self, asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
        found = self.builds.get(asked["id"])
        if found is None:
            return Refusal("ResourceNotFoundException", "no such build")
        if found["buildStatus"] != "IN_PROGRESS":
            return Refusal("InvalidInputException", "it has ended")
        self.stopped += 1
        found["buildStatus"] = "STOPPED"
        return {"build": self._shown(asked["id"], "build")}
