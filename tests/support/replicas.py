"""Towpath as several processes on one database, somebody who kills them at random, and load.

One replica on SQLite is the smallest case of it. Each goes by a name of its own as it would on a host of
its own: only a restarted process takes at once what its dead predecessor held, the others wait for leases.
"""

import json
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from controlplane.client.api import Api, ApiError, Exit
from controlplane.demo.pipelines import pipeline_text
from controlplane.demo.processes import Process, answer, free_port, is_up, settings_for
from controlplane.demo.stage import PIPELINE, Stage, make_token
from controlplane.demo.story import Story
from tests.support.crashing import OVER, Evidence, unfinished, unsent

LEASE = "2"
"""Seconds: what nobody's successor takes over goes on soon enough for a test."""
QUICK = ("quick-1", "quick-2")
PATIENCE = 120.0
RELEASED_WITHIN = 600.0
"""Seconds for a release and its way back, however often it is disturbed."""


class Balanced(Api):
    """Asks any replica, and another one where that does not answer: what a load balancer does."""

    def __init__(self, urls: Sequence[str], token: str, chance: random.Random) -> None:
        super().__init__(urls[0], token)
        self._replicas = [Api(url, token) for url in urls]
        self._chance = chance

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._chance.choice(self._replicas)._ask(method, path, **more)
            except ApiError as error:
                if error.code is not Exit.UNREACHABLE or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def close(self) -> None:
        super().close()
        for replica in self._replicas:
            replica.close()


class Crashing(Stage):
    """The demo's stage with so many replicas, and somebody who pulls their plugs again and again."""

    def __init__(self, folder: Path, seed: int, replicas: int = 1, database: str = "") -> None:
        super().__init__(folder, Story(to_stderr=True), 0)
        self.chance = random.Random(seed)
        self.count, self.database = replicas, database
        self.replicas: list[Process] = []
        self.kills = 0
        self.deadline = 0.0
        self.asked_for: dict[str, str] = {}

    def open(self) -> None:
        """The sandbox, the replicas, the demo's pipeline and the quick ones."""
        self.sandbox.start()
        self.until(lambda: is_up(f"{self.sandbox_url}/_sandbox/world"), self.sandbox, "the sandbox")
        world = answer(f"{self.sandbox_url}/_sandbox/world")
        ports = [free_port() for _ in range(self.count)]
        database = self.database or settings_for(world, self.folder, 0)["TOWPATH_DATABASE_URL"]
        self.evidence = Evidence(self.sandbox_url, database)
        self.token = make_token(database)
        for number, port in enumerate(ports, start=1):
            environment = settings_for(world, self.folder, port) | {
                "TOWPATH_DATABASE_URL": database,
                "TOWPATH_REPLICA": f"replica-{number}",
                "TOWPATH_LEASE_SECONDS": LEASE,
                "TOWPATH_POLL_SOURCES_SECONDS": "2",
            }
            log = self.folder / f"towpath-{number}.log"
            self.replicas.append(Process(["serve"], log, environment))
        for replica in self.replicas:
            replica.start()
        self.api = Balanced([f"http://127.0.0.1:{port}" for port in ports], self.token, self.chance)
        text = pipeline_text(has_prometheus=bool(world["prometheus_url"]))
        for name, declared in [(PIPELINE, text), *quick_pipelines(text)]:
            self.api.put_text(f"/pipelines/{name}", declared, "application/json")

    def pull_a_plug(self) -> None:
        """kill -9 of a random replica, now and then while it is still starting, and start it again."""
        victim = self.chance.choice(self.replicas)
        for _ in range(1 if self.chance.random() < 0.8 else 2):
            victim.kill()
            self.kills += 1
            victim.start()

    def look(self, wait: float) -> None:
        """Take what happened within so many seconds, and approve what waits for it."""
        assert time.monotonic() < self.deadline, self._stuck()
        found = self.api.get("/events", after=self.after, pipeline=PIPELINE, wait=wait)
        for event in found["events"]:
            self.after = event["id"]
            self.events.append(event)
        done = {e["executionId"] for e in self.events if e["kind"] == "approval.answered"}
        for event in self.events:
            if event["kind"] == "approval.needed" and event["executionId"] not in done:
                with suppress(ApiError):  # it was decided, and the event is on its way
                    self.approve(event)

    def load(self) -> None:
        """Ask for an execution, as often as it takes; the token makes that one execution."""
        pipeline, token = self.chance.choice(QUICK), f"load-{len(self.asked_for)}"
        document = {"clientRequestToken": token}
        answered = self.api.send("POST", f"/pipelines/{pipeline}/executions", document)
        self.asked_for[token] = answered["id"]

    def newest(self) -> dict[str, Any]:
        """The demo pipeline's newest execution; an empty one before the first."""
        found = self.api.get(f"/pipelines/{PIPELINE}/executions", limit=1)
        return dict(found[0]) if found else {"id": ""}

    def play(self, kills: int, *, loaded: bool = False) -> None:
        """Releases until so many processes were killed, and at least until one came back."""
        for release in _releases():
            known = self.newest()["id"]
            self.deadline = time.monotonic() + RELEASED_WITHIN
            self.release(release)
            while self.newest()["id"] == known:
                self.look(0.3)
            while self._is_under_way(release):
                self.look(self.chance.uniform(0.05, 1.5))
                if loaded:
                    self.load()
                if self.kills < kills:
                    self.pull_a_plug()
            if release == 2:
                self._resume()
                if self.kills >= kills:
                    break
        self.settle()

    def settle(self) -> None:
        """Until every execution is over, and everything that must be told has left."""
        self.deadline = time.monotonic() + PATIENCE
        while unfinished(self.evidence) or unsent(self.evidence):
            self.look(0.3)

    def close(self) -> None:
        self.api.close()
        for replica in self.replicas:
            replica.stop()
        self.sandbox.stop()

    def _stuck(self) -> str:
        open_, silent = unfinished(self.evidence), unsent(self.evidence)
        return f"after {self.kills} kills: {open_} executions are not over, {silent} notes not told"

    def _is_under_way(self, release: int) -> bool:
        """Release 2 fails; its rollback is the newest execution from then on."""
        newest = self.newest()
        comes_back = release == 2 and newest["type"] == "STANDARD" and newest["status"] == "Failed"
        return newest["status"] not in OVER or comes_back

    def _resume(self) -> None:
        """A person lifts what the rollback left behind."""
        said = {"reason": "release 1 may go in again"}
        self.api.send("PUT", f"/pipelines/{PIPELINE}/stages/Prod/transition", said)
        for held in self.api.get("/quarantine"):
            with suppress(ApiError):  # an earlier try was not answered
                self.api.send("DELETE", f"/quarantine/{held['digest']}", said)


def _releases() -> Iterator[int]:
    """Release 1 becomes the last known good, release 2 comes back, and so on."""
    while True:
        yield from (1, 2)


def quick_pipelines(text: str) -> Iterator[tuple[str, str]]:
    """Pipelines that release the demo's source to nowhere: twelve actions, and people are told."""
    demo = json.loads(text)
    kind = {"category": "Test", "owner": "Custom", "provider": "NoOp", "version": "1"}
    told = [one for one in demo["notifications"] if one["provider"] == "SNS"]
    stages = [
        {
            "name": f"Stage{stage}",
            "actions": [
                {"name": f"Action{n}", "actionTypeId": kind, "runOrder": n} for n in range(1, 5)
            ],
        }
        for stage in range(1, 4)
    ]
    for name in QUICK:
        document = {
            "name": name,
            "executionMode": "PARALLEL",
            "stages": [demo["stages"][0], *stages],
            "notifications": told,
        }
        yield name, json.dumps(document)


@contextmanager
def opened(stage: Crashing) -> Iterator[Crashing]:
    """Open it, and leave no process behind."""
    try:
        stage.open()
        yield stage
    finally:
        stage.close()
