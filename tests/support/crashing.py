"""What every crash test asserts at its end: nothing lost, nothing doubled.

What was started and what was told is read from the sandbox, which saw the calls; not from Towpath.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from sqlalchemy import func, select

from controlplane.demo.processes import answer
from controlplane.store.database import Database
from controlplane.store.tables import Event, Execution, LedgerEntry, Outbox, table

ENVIRONMENTS = ("dev", "test", "prod")
OVER = ("Succeeded", "Failed", "Superseded", "Stopped")
ONCE = ("execution.", "stage.", "approval.", "rollback.", "digest.", "action.succeeded")
"""Kinds of events that an execution can have once only at each of its places."""


@dataclass(frozen=True)
class Evidence:
    """Where to look: the sandbox's own records, and the database that Towpath left behind."""

    sandbox: str
    database: str

    def world(self) -> Any:
        return answer(f"{self.sandbox}/_sandbox/world")

    @contextmanager
    def root(self, service: str, account: str) -> Iterator[Any]:
        """A client that may see everything in an account of the sandbox."""
        world = self.world()
        key = world["accounts"][account]["root_access_key_id"]
        session: Any = boto3.Session(key, "sandbox", region_name=world["region"])
        with closing(session.client(service, endpoint_url=self.sandbox)) as client:
            yield client

    def rows(self, statement: Any) -> list[Any]:
        """What the database answers."""
        database = Database(self.database)
        try:
            with database.read() as connection:
                return list(connection.execute(statement).all())
        finally:
            database.close()


def deployments(evidence: Evidence) -> Counter[str]:
    """How often a deployment was started under each of our tokens."""
    tokens: Counter[str] = Counter()
    for account in ENVIRONMENTS:
        with evidence.root("codedeploy", account) as codedeploy:
            ids = codedeploy.list_deployments()["deployments"]
            for i in range(0, len(ids), 25):
                found = codedeploy.batch_get_deployments(deploymentIds=ids[i : i + 25])
                said = [info.get("description", "") for info in found["deploymentsInfo"]]
                tokens.update(text.split()[1] for text in said if text.startswith("towpath "))
    return tokens


def nothing_was_started_twice(evidence: Evidence) -> None:
    """Each deployment that the ledger knows was started, and once."""
    tokens = deployments(evidence)
    ledger = table(LedgerEntry)
    known = {row.token for row in evidence.rows(select(ledger.c.token))}
    assert tokens
    assert [token for token, times in tokens.items() if times > 1] == []
    assert set(tokens) <= known


def nothing_happened_twice(evidence: Evidence) -> None:
    """Moves that can be made once are told once."""
    event = table(Event)
    place = (event.c.kind, event.c.execution_id, event.c.stage, event.c.action)
    twice = select(*place).group_by(*place).having(func.count() > 1)
    found = [tuple(row) for row in evidence.rows(twice)]
    assert [row for row in found if row[0].startswith(ONCE)] == []


def unsent(evidence: Evidence) -> int:
    """How many notifications have not left yet."""
    rows = table(Outbox)
    return len(evidence.rows(select(rows.c.id).where(rows.c.status == "PENDING")))


def every_event_was_told(evidence: Evidence) -> None:
    """Each outbox row reached the queue that hears the topic; twice is allowed, lost is not."""
    outbox, event = table(Outbox), table(Event)
    statement = (
        select(event.c.id)
        .join(outbox, outbox.c.event_id == event.c.id)
        .where(outbox.c.provider == "SNS")
    )
    wanted = {f"towpath-event-{row.id}" for row in evidence.rows(statement)}
    assert wanted
    assert wanted == heard(evidence)


def heard(evidence: Evidence) -> set[str]:
    """The notes that arrived at the queue which hears the topic."""
    bodies = answer(f"{evidence.sandbox}/_sandbox/topic/bodies")["bodies"]
    return {json.loads(body)["id"] for body in bodies}


def standing(evidence: Evidence) -> list[tuple[str, str, str]]:
    """(type, status, how far the rollback is) of every execution, the oldest first."""
    rows = table(Execution)
    statement = select(rows.c.type, rows.c.status, rows.c.rollback_state).order_by(rows.c.id)
    return [tuple(row) for row in evidence.rows(statement)]


def unfinished(evidence: Evidence) -> int:
    """How many executions are not over yet."""
    rows = table(Execution)
    return len(evidence.rows(select(rows.c.id).where(rows.c.status.not_in(OVER))))


def what_was_asked_for_is_there(evidence: Evidence, asked: Mapping[str, str]) -> None:
    """Each request made one execution, the one that was answered, whoever asked again."""
    rows = table(Execution)
    statement = select(rows.c.id, rows.c.dedupe).where(rows.c.dedupe.startswith("request/"))
    found = {row.dedupe.rsplit("/", 1)[1]: row.id for row in evidence.rows(statement)}
    assert found == asked


def nothing_was_lost_or_doubled(evidence: Evidence, asked: Mapping[str, str]) -> None:
    """All of it, once everything is over and told."""
    assert (unfinished(evidence), unsent(evidence)) == (0, 0)
    assert ("ROLLBACK", "Succeeded", "done") in standing(evidence)
    what_was_asked_for_is_there(evidence, asked)
    nothing_was_started_twice(evidence)
    nothing_happened_twice(evidence)
    every_event_was_told(evidence)
    assert releases_served(evidence)["prod"] == {1}


def releases_served(evidence: Evidence) -> dict[str, set[int]]:
    """What the instances of each environment really answer."""
    found = answer(f"{evidence.sandbox}/_sandbox/serving")
    return {name: {one["release"] for one in instances} for name, instances in found.items()}
