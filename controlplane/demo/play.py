"""Play it: sandbox, Towpath, release 1, release 2; then say what was checked against the sandbox itself."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controlplane.client.api import Api, Exit
from controlplane.demo.claims import report
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
from controlplane.sandbox.shipped import path as shipped

PATIENCE = 120.0
APPROVES_AFTER = 20.0
"""Seconds that somebody who watches has to press Approve before the demo does it."""
PIPELINE = "shop"


def play(*, leave: bool, as_json: bool, port: int) -> int:
    """The whole demo; the exit code."""
    story = Story(to_stderr=as_json)
    for number in (signal.SIGINT, signal.SIGTERM):  # a script may have told us to ignore the first
        signal.signal(number, _interrupt)
    with tempfile.TemporaryDirectory(prefix="towpath-demo-") as folder:
        stage = Stage(Path(folder), story, port)
        try:
            document = stage.run(approve_at_once=leave)
            story.table(document, f"{stage.api.url}/console/", stage.token)
            if as_json:
                print(json.dumps(document))
            if not leave:
                story.say("still up; Ctrl-C ends it")
                stage.stay()
        except DemoError as error:
            kept = stage.keep_logs()
            story.say(f"the demo failed: {error}\nthe logs are kept in {kept}")
            return Exit.REFUSED
        except KeyboardInterrupt:
            story.say("bye")
        finally:
            stage.close()
    return Exit.WELL


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


class Stage:
    """The sandbox and Towpath as they run, and what was seen of them so far."""

    def __init__(self, folder: Path, story: Story, port: int) -> None:
        self.story = story
        self.folder = folder
        self.sandbox_url = f"http://127.0.0.1:{free_port()}"
        self.port = port or free_port()
        arguments = ["sandbox", "--port", self.sandbox_url.rsplit(":", 1)[1]]
        self.sandbox = Process(arguments, folder / "sandbox.log", {})
        self.towpath: Process | None = None
        self.api = Api(f"http://127.0.0.1:{self.port}", "")
        self.token = ""
        self.after = 0
        self.events: list[dict[str, Any]] = []
        self.asked: tuple[float, dict[str, Any]] | None = None
        self.expected = False  # whether an execution is to fail

    def run(self, *, approve_at_once: bool) -> dict[str, Any]:
        """Everything up to the report."""
        self.open()
        first = self.release(1)
        self.follow(lambda e: e["kind"] == "execution.succeeded", at_once=approve_at_once)
        second = self.release(2)
        self.expected = True
        self.follow(
            lambda e: e["kind"] in ("rollback.done", "rollback.failed"), at_once=approve_at_once
        )
        return report(self.api, self.sandbox_url, self.events, (first, second))

    def open(self) -> None:
        """Start the sandbox, then Towpath on it; apply the pipeline."""
        self.story.say("starting the sandbox: four AWS accounts, CodeDeploy with real agents")
        self.sandbox.start()
        self.until(lambda: is_up(f"{self.sandbox_url}/_sandbox/world"), self.sandbox, "the sandbox")
        world = answer(f"{self.sandbox_url}/_sandbox/world")
        environment = settings_for(world, self.folder, self.port)
        self.story.say("starting Towpath on SQLite")
        self.token = make_token(environment["TOWPATH_DATABASE_URL"])
        self.api = Api(self.api.url, self.token)
        self.towpath = Process(["serve"], self.folder / "towpath.log", environment)
        self.towpath.start()
        self.until(lambda: is_up(f"{self.api.url}/readyz"), self.towpath, "Towpath")
        text = pipeline_text(has_prometheus=bool(world["prometheus_url"]))
        self.api.put_text(f"/pipelines/{PIPELINE}", text, "application/json")
        self.story.say(f"console: {self.api.url}/console/   sign in with {self.token}")

    def release(self, number: int) -> dict[str, Any]:
        """Upload a release; its digest and version."""
        url = f"{self.sandbox_url}/_sandbox/release"
        found: dict[str, Any] = answer(url, method="POST", document={"release": number})
        self.story.say(f"release {number} uploaded: {found['digest'][:19]}")
        return found

    def follow(self, ends: Callable[[dict[str, Any]], bool], *, at_once: bool) -> None:
        """Tell events as they come until the one that ends this part; approve where it is asked."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline + (0.0 if at_once else APPROVES_AFTER):
            found = self.api.get("/events", after=self.after, pipeline=PIPELINE, wait=1)["events"]
            for event in found:
                self.take(event, at_once=at_once)
            if any(ends(event) for event in found):
                return
            if any(event["kind"] == "execution.failed" and not self.expected for event in found):
                raise DemoError("an execution failed that should not have")
            if self.asked and time.monotonic() >= self.asked[0]:
                self.approve(self.asked[1])
                self.asked = None
            self.check()
        raise DemoError(f"it took longer than {PATIENCE:.0f} s")

    def take(self, event: dict[str, Any], *, at_once: bool) -> None:
        """Tell an event, and remember an approval that it asks for or answers."""
        self.after = event["id"]
        self.events.append(event)
        self.story.event(event)
        if event["kind"] in ("approval.answered", "approval.decided"):
            self.asked = None
        if event["kind"] == "approval.needed":
            self.asked = (time.monotonic() + (0.0 if at_once else APPROVES_AFTER), event)
            if not at_once:
                self.story.say("approve it in the console; soon the demo does it by itself")

    def approve(self, event: dict[str, Any]) -> None:
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
            time.sleep(0.05)  # noqa: TID251 - between two looks at another process

    def stay(self) -> None:
        """Until Ctrl-C."""
        while True:
            self.check()
            time.sleep(1)  # noqa: TID251 - until Ctrl-C

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


def pipeline_text(*, has_prometheus: bool) -> str:
    """deploy/examples/pipeline.yaml; without the PromQL signal where there is no Prometheus."""
    from controlplane.declarations.json_spelling import dumps
    from controlplane.declarations.load import load_text

    file = shipped("examples/pipeline.yaml")
    declared = load_text(file.read_text(encoding="utf-8"), str(file))
    document = json.loads(dumps(declared))
    if not (has_prometheus or os.environ.get("TOWPATH_PROMETHEUS")):
        for stage in document["stages"]:
            for condition in stage.get("onSuccess", {}).get("conditions", []):
                condition["rules"] = [
                    rule
                    for rule in condition["rules"]
                    if rule["ruleTypeId"]["provider"] != "PrometheusQuery"
                ]
    return json.dumps(document)
