"""The sandbox's Elastic Beanstalk behind a scripted client, on a clock that a test turns."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from controlplane.actions.beanstalk_api import BEFORE
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.beanstalk.model import OPERATIONS, Beanstalk, Course
from tests.controlplane.actions.making import NOW, REGION
from tests.support.scripted import Operation, Refusal

KEY = ("shop", "shop-web")
NAMED = {"ApplicationName": "shop", "EnvironmentName": "shop-web"}


class FakeBeanstalk:
    def __init__(self) -> None:
        self.beanstalk, self.now = Beanstalk("4" * 12, REGION), NOW
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def operations(self) -> Mapping[str, Operation]:
        every = {name: getattr(self.beanstalk, name) for name in OPERATIONS}
        return {name: partial(self._answer, name, do) for name, do in every.items()}

    def _answer(
        self, name: str, do: Callable[..., dict[str, Any]], asked: dict[str, Any]
    ) -> Mapping[str, Any] | Refusal:
        self.asked.append((name, asked))
        self.beanstalk.advance(self.now)
        try:
            return do(asked, self.now)
        except Fault as fault:
            return Refusal(fault.code, fault.message)

    def calls(self, name: str) -> list[dict[str, Any]]:
        return [asked for each, asked in self.asked if each == name]

    def later(self, seconds: float = 60) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)
        self.beanstalk.advance(self.now)

    def host(self, label: str = "v1") -> None:
        """An environment that runs a version of somebody's."""
        self.beanstalk.create_application({"ApplicationName": "shop"}, self.now)
        self.version(label)
        self.beanstalk.create_environment({**NAMED, "VersionLabel": label}, self.now)
        self.later()

    def version(self, label: str, before: str = "") -> None:
        """A version of the application."""
        said = f"{BEFORE}{before}" if before else ""
        asked = {"ApplicationName": "shop", "VersionLabel": label, "Description": said}
        self.beanstalk.create_application_version(asked, self.now)

    def deploy(self, token: str, digest: str = "bad") -> str:
        """What Towpath deployed earlier under a token; the label."""
        label = f"{token}.{digest}"
        self.version(label, self.runs)
        self.update(label)
        return label

    def update(self, label: str) -> None:
        """Somebody updates the environment."""
        self.beanstalk.update_environment({**NAMED, "VersionLabel": label}, self.now)

    def goes(self, fails: str = "", seconds: float = 1.0) -> None:
        """How updates go from now on."""
        self.beanstalk.courses[KEY] = Course(seconds, fails)

    @property
    def runs(self) -> str:
        """The version that the environment runs."""
        return self.beanstalk.environments[KEY].version

    @property
    def begun(self) -> int:
        """Updates begun or aborted by a call of the scripted client."""
        return len(self.calls("update_environment")) + len(self.calls("abort_environment_update"))
