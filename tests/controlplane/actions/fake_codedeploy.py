"""A CodeDeploy in memory that never moves by itself: one group, its deployments, their states.

`operations()` gives what tests.support.scripted checks against botocore's own shapes. created and
stopped count what was begun outside, asked the calls by operation.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.controlplane.actions.codedeploy_answers import ACTIVE
from tests.controlplane.actions.making import NOW
from tests.support.scripted import Operation, Refusal


class FakeCodeDeploy:
    def __init__(self) -> None:
        self.deployments: dict[str, dict[str, Any]] = {}
        self.created = 0
        self.stopped = 0
        self.asked: Counter[str] = Counter()

    def operations(self) -> Mapping[str, Operation]:
        known: dict[str, Operation] = {
            "create_deployment": self._create,
            "list_deployments": self._list,
            "batch_get_deployments": self._read,
            "get_deployment_group": self._group,
            "stop_deployment": self._stop,
            "list_deployment_targets": lambda _: {"targetIds": []},
        }

        def counted(name: str) -> Operation:
            def answer(asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
                self.asked[name] += 1
                return known[name](asked)

            return answer

        return {name: counted(name) for name in known}

    def add(self, description: str, status: str = "InProgress") -> str:
        """A deployment; answers its id."""
        deployment = f"d-{len(self.deployments) + 1:09}"
        self.deployments[deployment] = {
            "deploymentId": deployment,
            "description": description,
            "status": status,
            "createTime": NOW,
            "creator": "user",
        }
        return deployment

    def _create(self, asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
        if any(one["status"] in ACTIVE for one in self.deployments.values()):
            return Refusal("DeploymentLimitExceededException", "busy")
        self.created += 1
        return {"deploymentId": self.add(asked["description"])}

    def _list(self, asked: dict[str, Any]) -> Mapping[str, Any]:
        wanted = asked.get("includeOnlyStatuses")
        found = [n for n, one in self.deployments.items() if not wanted or one["status"] in wanted]
        return {"deployments": list(reversed(found))}

    def _read(self, asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
        if len(asked["deploymentIds"]) > 25:
            return Refusal("BatchLimitExceededException")
        found = [self.deployments.get(one) for one in asked["deploymentIds"]]
        return {"deploymentsInfo": [one for one in found if one]}

    def _group(self, _asked: dict[str, Any]) -> Mapping[str, Any]:
        return {"deploymentGroupInfo": {}}

    def _stop(self, asked: dict[str, Any]) -> Mapping[str, Any] | Refusal:
        found = self.deployments.get(asked["deploymentId"])
        if found is None:
            return Refusal("DeploymentDoesNotExistException")
        if found["status"] not in ACTIVE:
            return Refusal("DeploymentAlreadyCompletedException")
        self.stopped += 1
        found["status"] = "Stopped"
        return {"status": "Succeeded"}
