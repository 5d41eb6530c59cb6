"""kill -9 of the one process at 50 random points of the demo pipeline: nothing lost, nothing doubled.

What was started and what was told is read from the sandbox, which saw the calls; not from Towpath.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from sqlalchemy import select

from controlplane.client.api import ApiError
from controlplane.demo.play import PIPELINE, Stage
from controlplane.demo.processes import answer, is_up
from controlplane.demo.story import Story
from controlplane.store.database import Database
from controlplane.store.tables import Event, Execution, Outbox, table

KILLS = 50
GIVE_UP = 900
ENVIRONMENTS = ("dev", "test", "prod")
OVER = ("Succeeded", "Failed", "Superseded", "Stopped")


class Crashing(Stage):
    """The demo's stage, with somebody who pulls the plug of Towpath again and again."""

    kills = 0

    def pull_the_plug(self, chance: random.Random) -> None:
        """kill -9 at a random moment (now and then while it is still starting), and start again."""
        assert self.towpath is not None
        self.towpath.kill()
        self.kills += 1
        self.towpath.start()
        if chance.random() < 0.2:
            self.towpath.kill()
            self.kills += 1
            self.towpath.start()
        self.until(lambda: is_up(f"{self.api.url}/readyz"), self.towpath, "Towpath")

    def look(self, wait: float) -> None:
        """Take what happened within so many seconds, and approve what waits for it."""
        found = self.api.get("/events", after=self.after, pipeline=PIPELINE, wait=wait)
        for event in found["events"]:
            self.after = event["id"]
            self.events.append(event)
        with suppress(ApiError):  # it was decided, and the event is on its way
            self.approve_what_waits()

    def approve_what_waits(self) -> None:
        asked = [e for e in self.events if e["kind"] == "approval.needed"]
        done = {e["executionId"] for e in self.events if e["kind"] == "approval.answered"}
        for event in asked:
            if event["executionId"] not in done:
                self.approve(event)

    def resume(self) -> None:
        """A person lifts the hold that the rollback left."""
        path = f"/pipelines/{PIPELINE}/stages/Prod/transition"
        self.api.send("PUT", path, {"reason": "release 1 may go in again"})

    def newest(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/pipelines/{PIPELINE}/executions")[0]
        return found

    def root(self, service: str, account: str) -> Any:
        world = answer(f"{self.sandbox_url}/_sandbox/world")
        key = world["accounts"][account]["root_access_key_id"]
        session: Any = boto3.Session(key, "sandbox", region_name=world["region"])
        return session.client(service, endpoint_url=self.sandbox_url)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Crashing]:
    made = Crashing(tmp_path, Story(to_stderr=True), 0)
    try:
        made.open()
        yield made
    finally:
        made.close()


@pytest.mark.timeout(GIVE_UP)
def test_killed_at_fifty_random_points_it_goes_on(stage: Crashing) -> None:
    chance = random.Random(20261123)
    for release in releases():
        known = len(stage.api.get(f"/pipelines/{PIPELINE}/executions"))
        stage.release(release)
        while len(stage.api.get(f"/pipelines/{PIPELINE}/executions")) == known:
            stage.look(0.5)
        while stage.newest()["status"] not in OVER or rollback_is_coming(stage, release):
            stage.look(chance.uniform(0.05, 1.5))
            if stage.kills < KILLS:
                stage.pull_the_plug(chance)
        if release == 2:
            stage.resume()
        elif stage.kills >= KILLS:
            break
    settled(stage)
    nothing_was_started_twice(stage)
    every_event_was_told(stage)
    every_execution_is_over(stage)
    prod_serves(stage, 1)


def releases() -> Iterator[int]:
    """Release 1 becomes the last known good, release 2 comes back; then 1 again, for the rest."""
    yield from (1, 2)
    while True:
        yield 1


def rollback_is_coming(stage: Crashing, release: int) -> bool:
    """Release 2 fails; its rollback is the newest execution from then on."""
    newest = stage.newest()
    return release == 2 and newest["type"] == "STANDARD" and newest["status"] == "Failed"


def settled(stage: Crashing) -> None:
    """Everything that must be told has left."""
    for _ in range(200):
        if not unsent(stage):
            return
        stage.look(0.3)
    raise AssertionError(f"{unsent(stage)} notifications have not left")


def unsent(stage: Crashing) -> int:
    database = Database(f"sqlite:///{stage.folder}/towpath.db")
    rows = table(Outbox)
    with database.read() as connection:
        found = connection.execute(select(rows.c.id).where(rows.c.status == "PENDING")).all()
    database.close()
    return len(found)


def nothing_was_started_twice(stage: Crashing) -> None:
    tokens: Counter[str] = Counter()
    for account in ENVIRONMENTS:
        with closing(stage.root("codedeploy", account)) as codedeploy:
            ids = codedeploy.list_deployments()["deployments"]
            for i in range(0, len(ids), 25):
                found = codedeploy.batch_get_deployments(deploymentIds=ids[i : i + 25])
                for info in found["deploymentsInfo"]:
                    if info.get("description", "").startswith("towpath "):
                        tokens[info["description"].split()[1]] += 1
    assert tokens
    assert [token for token, times in tokens.items() if times > 1] == []


def every_event_was_told(stage: Crashing) -> None:
    """Each outbox row reached the queue that hears the topic; twice is allowed, lost is not."""
    database = Database(f"sqlite:///{stage.folder}/towpath.db")
    outbox, event = table(Outbox), table(Event)
    with database.read() as connection:
        wanted = (
            connection.execute(
                select(event.c.id)
                .join(outbox, outbox.c.event_id == event.c.id)
                .where(outbox.c.provider == "SNS")
            )
            .scalars()
            .all()
        )
    database.close()
    assert {f"towpath-event-{id_}" for id_ in wanted} == heard(stage)


def heard(stage: Crashing) -> set[str]:
    world = answer(f"{stage.sandbox_url}/_sandbox/world")
    url = world["notifications"]["audit_queue_url"]
    found: set[str] = set()
    with closing(stage.root("sqs", "tools")) as sqs:
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.add(json.loads(json.loads(message["Body"])["Message"])["id"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def every_execution_is_over(stage: Crashing) -> None:
    database = Database(f"sqlite:///{stage.folder}/towpath.db")
    rows = table(Execution)
    with database.read() as connection:
        found = connection.execute(select(rows.c.type, rows.c.status, rows.c.rollback_state)).all()
    database.close()
    assert [row for row in found if row.status not in OVER] == []
    assert ("ROLLBACK", "Succeeded", "done") in {tuple(row) for row in found}


def prod_serves(stage: Crashing, release: int) -> None:
    serving = httpx.get(f"{stage.sandbox_url}/_sandbox/serving", timeout=10).json()["prod"]
    assert {instance["release"] for instance in serving} == {release}
