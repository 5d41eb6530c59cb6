"""The stage: the sandbox and Towpath as they run, driven from outside as a person would drive them.

A scenario opens it, uploads releases, follows what happens, and then asks the sandbox what became of it.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane.client.api import Api
from controlplane.demo.pipelines import shop
from controlplane.demo.processes import (
    STARTED_WITHIN,
    DemoError,
    Process,
    answer,
    free_port,
    is_up,
    settings_for,
)
from controlplane.demo.story import Story

PATIENCE = 120.0
APPROVES_AFTER = 20.0
"""Seconds that somebody who watches has to press Approve before the demo does it."""
PIPELINE = "shop"

Event = dict[str, Any]
World = Mapping[str, Any]
"""What GET /_sandbox/world answers."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a scenario plays. pipeline: the world -> the text that is applied, YAML or JSON.

    layout: of the sandbox's world, see `controlplane.sandbox.world.LAYOUTS`. variables: of Towpath's
    process, beside those that every scenario has.
    """

    pipeline: Callable[[World], str] = shop
    layout: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


SHOP = Setting()


class Stage:
    """The sandbox and Towpath as they run, and what was seen of them so far.

    at_once: approve as soon as it is asked for, instead of waiting for a person.
    """

    def __init__(
        self,
        folder: Path,
        story: Story,
        port: int,
        *,
        setting: Setting = SHOP,
        at_once: bool = True,
    ) -> None:
        self.setting = setting
        self.story = story
        self.folder = folder
        self.at_once = at_once
        self.sandbox_url = f"http://127.0.0.1:{free_port()}"
        self.port = port or free_port()
        arguments = ["sandbox", "--port", self.sandbox_url.rsplit(":", 1)[1]]
        if setting.layout:
            arguments += ["--layout", setting.layout]
        self.sandbox = Process(arguments, folder / "sandbox.log", {})
        self.towpath: Process | None = None
        self.api = Api(f"http://127.0.0.1:{self.port}", "")
        self.token = ""
        self.after = 0
        self.events: list[Event] = []
        self.asked: tuple[float, Event] | None = None

    def open(self) -> None:
        """Start the sandbox, then Towpath on it; apply the pipeline."""
        self.story.say("starting the sandbox: four AWS accounts, CodeDeploy with real agents")
        self.sandbox.start()
        self.until(lambda: is_up(f"{self.sandbox_url}/_sandbox/world"), self.sandbox, "the sandbox")
        world = self.ask("world")
        environment = settings_for(world, self.folder, self.port) | dict(self.setting.variables)
        self.story.say("starting Towpath on SQLite")
        self.token = make_token(environment["TOWPATH_DATABASE_URL"])
        self.api = Api(self.api.url, self.token)
        self.towpath = Process(["serve"], self.folder / "towpath.log", environment)
        self.towpath.start()
        self.until(lambda: is_up(f"{self.api.url}/readyz"), self.towpath, "Towpath")
        self.api.put_text(f"/pipelines/{PIPELINE}", self.setting.pipeline(world), "text/yaml")
        self.story.say(f"console: {self.api.url}/console/   sign in with {self.token}")

    def ask(self, what: str) -> Any:
        """What the sandbox itself answers to GET /_sandbox/{what}: the evidence of every claim."""
        return answer(f"{self.sandbox_url}/_sandbox/{what}")

    def tell(self, what: str, document: Any, method: str = "POST") -> Any:
        """Order something of the sandbox itself, such as a fault."""
        return answer(f"{self.sandbox_url}/_sandbox/{what}", method=method, document=document)

    def release(self, number: int) -> dict[str, Any]:
        """Upload a release; its digest and version."""
        found: dict[str, Any] = self.tell("release", {"release": number})
        self.story.say(f"release {number} uploaded: {found['digest'][:19]}")
        return found

    def follow(
        self,
        ends: Callable[[Event], bool],
        *,
        may_fail: bool = False,
        patience: float = PATIENCE,
    ) -> Event:
        """Tell events as they come until one ends this part, and answer it; approve where it is asked.

        may_fail: an execution is to fail on the way. DemoError where one fails that should not, or where
        it takes longer than `patience` seconds.
        """
        deadline = time.monotonic() + patience + (0.0 if self.at_once else APPROVES_AFTER)
        while time.monotonic() < deadline:
            found = self.api.get("/events", after=self.after, pipeline=PIPELINE, wait=1)["events"]
            for event in found:
                self.take(event)
            for event in found:
                if ends(event):
                    return dict(event)
            if not may_fail and any(event["kind"] == "execution.failed" for event in found):
                raise DemoError("an execution failed that should not have")
            if self.asked and time.monotonic() >= self.asked[0]:
                self.approve(self.asked[1])
                self.asked = None
            self.check()
        raise DemoError(f"it took longer than {patience:.0f} s")

    def take(self, event: Event) -> None:
        """Tell an event, and remember an approval that it asks for or answers."""
        self.after = event["id"]
        self.events.append(event)
        self.story.event(event)
        if event["kind"] in ("approval.answered", "approval.decided"):
            self.asked = None
        if event["kind"] == "approval.needed":
            self.asked = (time.monotonic() + (0.0 if self.at_once else APPROVES_AFTER), event)
            if not self.at_once:
                self.story.say("approve it in the console; soon the demo does it by itself")

    def approve(self, event: Event) -> None:
        """What `towpath approve` does."""
        path = f"/executions/{event['executionId']}/stages/{event['stage']}/approval"
        self.api.send("POST", path, {"result": "Approved", "summary": "by the demo"})

    def check(self) -> None:
        """Both still live."""
        self.sandbox.check()
        if self.towpath is not None:
            self.towpath.check()

    def until(
        self,
        ready: Callable[[], bool],
        process: Process,
        name: str,
        within: float = STARTED_WITHIN,
    ) -> None:
        """Wait for a process to be ready."""
        deadline = time.monotonic() + within
        while not ready():
            process.check()
            if time.monotonic() > deadline:
                raise DemoError(f"{name} was not ready within {within:.0f} s")
            time.sleep(0.05)

    def stay(self) -> None:
        """Until Ctrl-C."""
        while True:
            self.check()
            time.sleep(1)

    def keep_logs(self) -> Path:
        """Put the logs where they outlive the demo."""
        kept = Path(tempfile.mkdtemp(prefix="towpath-demo-logs-"))
        for log in self.folder.glob("*.log"):
            shutil.copy(log, kept)
        return kept

    def close(self) -> None:
        """Stop both, Towpath first: it drains."""
        self.api.close()
        if self.towpath is not None:
            self.towpath.stop()
        self.sandbox.stop()


def make_token(database_url: str) -> str:
    """An admin token for the demo, made as `towpath token create` makes it."""
    from controlplane.clock import system_clock
    from controlplane.store.database import Database
    from controlplane.store.roles import Role
    from controlplane.store.tokens import create

    database = Database(database_url)
    database.migrate()
    with database.begin() as connection:
        _, secret = create(connection, "demo", Role.ADMIN, system_clock().timestamp())
    database.close()
    return secret
