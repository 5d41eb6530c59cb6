"""What is asked often goes by an index: no question grows slower with all that ever happened."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from controlplane.store import (
    actions,
    archive,
    events,
    executions,
    ledger,
    metrics,
    queries,
    standing,
    tally,
)
from controlplane.store.actions import Claim
from controlplane.store.database import Database

ASKED: dict[str, Callable[[Connection], object]] = {
    "who waits": lambda c: executions.inbound(c, "shop", "Prod"),
    "who is in": lambda c: queries.in_stage(c, "shop", "Prod"),
    "who was in last": lambda c: queries.last_in_stage(c, "shop", "Prod"),
    "who entered last": lambda c: queries.latest_in_stage(c, "shop", "Prod"),
    "who came later": lambda c: queries.newer_in_stage(c, "shop", "Prod", "e"),
    "a page of pipelines": lambda c: standing.pipelines(c, "", 50),
    "the newest of each": lambda c: standing.newest_executions(c, ["shop", "till"]),
    "who is where": lambda c: standing.latest_stages(c, [("shop", "Prod"), ("till", "Prod")]),
    "who is held in front": lambda c: standing.held_in_front(c, [("shop", "Prod")]),
    "what is closed": lambda c: standing.transitions(c, ["shop", "till"]),
    "what stands": lambda c: standing.Targets(c, ["prod//shop/all", "dev//shop/all"]),
    "the metrics": lambda c: list(metrics.read(c, 0.0)),
    "counting in": tally.fold,
    "what may go": lambda c: archive.finished(c, 1.0, "", 10),
    "its quarantine": lambda c: queries.quarantines_of(c, "shop"),
    "its ledger": lambda c: queries.ledger_of(c, "shop"),
    "how many are open": lambda c: executions.open_ones(c, "shop", 10),
    "its executions": lambda c: queries.executions_of(c, "shop"),
    "open approval": lambda c: queries.open_approval(c, "e", "Prod", ""),
    "all actions": lambda c: queries.actions_of_execution(c, "e"),
    "executions": lambda c: executions.many(c, ["e"]),
    "executions in stages": lambda c: executions.in_stages(c, ["e:1:1"]),
    "stages": lambda c: executions.stages(c, ["e:1:1"]),
    "actions of a stage": lambda c: actions.of_stages(c, ["e:1:1"]),
    "what is due": actions.next_due,
    "who waits for a deployment": lambda c: actions.waiting_for(c, "d-1"),
    "what goes out next": events.next_due,
    "claim": lambda c: actions.claim(c, Claim("me", 0.0, 1.0, (1, 1))),
    "claim of the outbox": lambda c: events.claim_outbox(c, "me", 0.0, 1.0, 1),
    "quarantine": lambda c: ledger.quarantined(c, {"sha256:a"}),
    "last known good": lambda c: ledger.entries(c, "prod//shop/all"),
}


ALLOWED = re.compile(
    r"COVERING|VIRTUAL TABLE|^SCAN due$|^SCAN due_[01]$|^SCAN wanted$|CONSTANT ROWS?"
    r"|^SCAN anon_1$|subquery-1"
    r"|ix_execution_open$|ix_freeze_now$|^SCAN tally$|^SCAN drill$"
)
"""An index that holds all that is asked for, or what is open only; the list of what is asked about; what a
claim itself found; what is counted after an index found it; a table of sums; the newest thousand drills."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    folder: Path = tmp_path_factory.mktemp("plans")
    database = Database(f"sqlite:///{folder}/towpath.db")
    database.migrate()
    return database


def plans(database: Database, question: str) -> list[str]:
    """The steps by which the database answers."""
    said: list[tuple[str, Any]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _k, sql, par, *_: said.append((sql, par)),
    )
    with database.begin() as connection:
        ASKED[question](connection)
        asked = [one for one in said if one[0].startswith(("SELECT", "UPDATE", "WITH"))]
        steps = [
            row[3]
            for sql, given in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all()
        ]
    assert steps
    return steps


@pytest.mark.parametrize("question", ASKED)
def test_nothing_is_scanned(database: Database, question: str) -> None:
    steps = plans(database, question)
    assert not [step for step in steps if step.startswith("SCAN") and not ALLOWED.search(step)]


@pytest.mark.parametrize("question", ["who is in", "who waits"])
def test_who_is_in_a_stage_is_not_looked_for_among_all_who_ever_were(
    database: Database, question: str
) -> None:
    steps = plans(database, question)
    assert any("ix_stage_ended (pipeline=? AND stage=? AND ended_at=?)" in step for step in steps)


def test_who_was_in_last_is_read_and_not_sorted(database: Database) -> None:
    assert not any("ORDER BY" in step for step in plans(database, "who was in last"))


def test_who_waits_for_a_deployment_is_found_by_its_id(database: Database) -> None:
    assert "ix_action_handle (handle=?)" in plans(database, "who waits for a deployment")[0]
