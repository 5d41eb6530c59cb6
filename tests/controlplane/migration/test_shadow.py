"""A migrated pipeline follows the old one: the old CodePipeline is a Towpath's own wire door."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.base import AccountError
from accounts.preflight import walk
from controlplane.doctor import _followed
from controlplane.engine.gate_commands import Scope
from controlplane.engine.refusals import Person
from controlplane.store import audit, migrated
from tests.support.moving import Moving, moving, structure

ANNE = Person("anne", "api")
POLL = Person("Upload", "schedule")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Moving]:
    """Two stages, without the approval: what is released goes through at the old one at once."""
    told = structure()
    del told["stages"][1]
    with moving(tmp_path) as found:
        found.aws.create_pipeline(pipeline=told)
        found.move(shadow=True)
        yield found


def release(two: Moving, revision: str, *, here: bool) -> str:
    """The old one's source finds a revision, and ours does, too, where it is `here`."""
    ids = [_start(side, revision) for side in ((two.old, two.new) if here else (two.old,))]
    return ids[0]


def _start(side: Any, revision: str) -> str:
    id_ = side.house.commands.start(
        "shop", POLL, revisions={"Upload": revision}, dedupe=f"source:shop:Upload:{revision}"
    )
    side.house.settle()
    return str(id_)


def findings(two: Moving) -> list[tuple[str, str, str]]:
    (one,) = two.seen()["executions"]
    return [(found["stage"], found["point"], found["verdict"]) for found in one["findings"]]


def test_the_same_revision_goes_the_same_way_and_nothing_is_done_here(two: Moving) -> None:
    id_ = release(two, "v1", here=True)
    events = two.new.events()
    assert two.shadow.follow() == 1
    assert two.new.events() == events
    assert findings(two) == [("", "start", "same"), ("Prod", "entry", "same")]
    seen = two.seen()
    assert (seen["executions"][0]["execution"], seen["differing"]) == (id_, 0)
    assert two.shadow.follow() == 0


def test_one_that_has_just_ended_waits_for_our_own_look_at_the_sources(two: Moving) -> None:
    release(two, "v1", here=True)
    two.shadow._settled = 60
    assert two.shadow.follow() == 0
    two.new.house.clock.advance(60)
    assert two.shadow.follow() == 1


def test_a_freeze_and_a_revision_that_was_not_seen_are_differences(two: Moving) -> None:
    two.new.house.commands.freeze(Scope("shop", "", "", None), ANNE, reason="a fair")
    release(two, "v1", here=False)
    two.shadow.follow()
    assert findings(two)[:2] == [("", "start", "differs"), ("Prod", "freeze", "differs")]
    assert two.seen()["differing"] == 1


def test_a_way_in_that_a_person_closed_counts_and_the_migrations_own_does_not(two: Moving) -> None:
    house = two.new.house
    house.commands.enable_transition("shop", "Prod", ANNE, reason="go")
    house.commands.disable_transition("shop", "Prod", ANNE, reason="a fair")
    release(two, "v1", here=True)
    house.clock.advance(1)
    house.commands.enable_transition("shop", "Prod", ANNE, reason="over")
    two.shadow.follow()
    assert ("Prod", "transition", "differs") in findings(two)


def test_one_that_is_not_followed_or_cannot_be_read_is_left(two: Moving) -> None:
    release(two, "v1", here=True)
    two.clients.refuse = AccountError("away", permanent=False)
    assert two.shadow.follow() == 0
    two.clients.refuse = None
    with two.new.client() as client:
        client.put("/api/v1/pipelines/shop/shadow", json={"follow": False})
        assert two.shadow.follow() == 0
        assert client.get("/api/v1/pipelines/none/shadow").status_code == 404


def test_the_doctor_asks_whether_the_old_one_can_be_read(two: Moving) -> None:
    with two.new.house.database.read() as connection:
        came = migrated.of(connection, "shop")
    (hop,) = walk(two.clients, _followed("shop", came))
    assert hop.message == "follow the old pipeline shop: ok"
    (hop,) = walk(two.clients, _followed("gone", came))
    assert "PipelineNotFoundException" in hop.message


def test_who_follows_and_who_stops_is_on_record_where_it_changes_something(two: Moving) -> None:
    with two.new.client() as client:
        for wanted in (True, False, False, True):
            body = {"follow": wanted}
            assert client.put("/api/v1/pipelines/shop/shadow", json=body).status_code == 204
        before = two.new.events()
        missing = client.put("/api/v1/pipelines/none/shadow", json={"follow": True})
    assert (missing.status_code, two.new.events()) == (404, before)
    with two.new.house.database.read() as connection:
        found = [
            (one["kind"], one["who"], one["pipeline"])
            for one in audit.entries(connection)
            if one["kind"] in ("pipeline.left", "pipeline.followed")
        ]
    assert found == [("pipeline.left", "admin", "shop"), ("pipeline.followed", "admin", "shop")]
