"""The sandbox's ECS behind a scripted client, on a clock that a test turns."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from controlplane.actions.ecs_definitions import BEFORE, DIGEST, TOKEN
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.ecs.model import OPERATIONS, Ecs
from controlplane.sandbox.ecs.rollouts import Course
from tests.controlplane.actions.making import NOW, REGION
from tests.support.scripted import Operation, Refusal

KEY = ("shop", "web")
NAMED = {"cluster": "shop", "service": "web"}
PROXY = {"name": "proxy", "image": "proxy:1", "cpu": 7}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def image_definitions(**images: str) -> bytes:
    """A bundle that names these images."""
    return zipped("imagedefinitions.json", listed(images))


def listed(images: Mapping[str, str]) -> str:
    return json.dumps([{"name": name, "imageUri": image} for name, image in images.items()])


def zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


class FakeEcs:
    def __init__(self) -> None:
        self.ecs, self.now = Ecs("4" * 12, REGION), NOW
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def operations(self) -> Mapping[str, Operation]:
        return {name: partial(self._answer, name, getattr(self.ecs, name)) for name in OPERATIONS}

    def _answer(
        self, name: str, do: Callable[..., dict[str, Any]], asked: dict[str, Any]
    ) -> Mapping[str, Any] | Refusal:
        self.asked.append((name, asked))
        self.ecs.advance(self.now)
        try:
            return do(asked, self.now)
        except Fault as fault:
            return Refusal(fault.code, fault.message)

    def calls(self, name: str) -> list[dict[str, Any]]:
        return [asked for each, asked in self.asked if each == name]

    def later(self, seconds: float = 60) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)
        self.ecs.advance(self.now)

    def serve(self, **more: Any) -> None:
        """A service that runs web:1, with a proxy beside it."""
        self.ecs.create_cluster({"clusterName": "shop"}, self.now)
        self.register("web:1", team="shop")
        made = {"cluster": "shop", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2}
        self.ecs.create_service({**made, **more}, self.now)

    def register(self, image: str, **tags: str) -> str:
        """A revision; its ARN."""
        containers = [{"name": "web", "image": image, "cpu": 5}, PROXY]
        given = [{"key": key, "value": value} for key, value in tags.items()]
        asked = {"family": "web", "networkMode": "awsvpc", "containerDefinitions": containers}
        made = self.ecs.register_task_definition({**asked, "tags": given}, self.now)
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def deploy(self, token: str, digest: str = "sha256:bad") -> str:
        """What Towpath deployed earlier under a token; the revision."""
        tags = {TOKEN: token, BEFORE: self.runs, DIGEST: digest}
        arn = self.register("web:bad", **tags)
        self.update(arn)
        return arn

    def update(self, definition: str) -> None:
        """Somebody updates the service."""
        self.ecs.update_service({**NAMED, "taskDefinition": definition}, self.now)

    def goes(self, fails: str = "", seconds: float = 1.0) -> None:
        """How deployments go from now on."""
        self.ecs.courses[KEY] = Course(seconds, fails)

    @property
    def runs(self) -> str:
        """The task definition that the service is to run."""
        return self.ecs.services[KEY].primary.definition

    @property
    def begun(self) -> int:
        """Deployments that were begun by a call of the scripted client."""
        return len(self.calls("update_service"))
