"""Claims and fences: who may write, and who is refused."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from controlplane.declarations.model import ActionDeclaration
from controlplane.engine.rows import action_row
from controlplane.store import actions
from controlplane.store.actions import Claim
from controlplane.store.swap import StaleError
from tests.support.house import ANNE, House, action, deploying, pipeline, source

LEASE = 10.0


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.apply(pipeline(source(), deploying("Prod")))
    house.commands.start("shop", ANNE)
    return house


def claim(house: House, owner: str, now: float) -> Any:
    with house.database.begin() as connection:
        rows = actions.claim(connection, Claim(owner, now, now + LEASE, (0, 10)))
    return rows[0] if rows else None


def outcome(row: Any, now: float, status: str = "Succeeded") -> dict[str, Any]:
    kept = ("handle", "summary", "url", "output", "failures", "verdict")
    same = {name: getattr(row, name) for name in kept}
    times = {
        "b_now": now,
        "verdict_at": None,
        "verdict_since": None,
        "power": None,
        "ended_at": now,
        "due_at": None,
    }
    return {**same, **times, "b_id": row.id, "b_fence": row.fence, "b_wake": 0, "status": status}


def test_what_is_claimed_is_not_due_for_anybody_else(house: House) -> None:
    now = house.clock().timestamp()
    assert claim(house, "a", now) is not None
    assert claim(house, "b", now) is None


def test_a_claim_puts_the_intent_to_start_on_record(house: House) -> None:
    row = claim(house, "a", house.clock().timestamp())
    assert (row.status, row.starts) == ("Starting", 1)


def test_what_a_dead_owner_held_is_simply_due_again(house: House) -> None:
    now = house.clock().timestamp()
    first = claim(house, "a", now)
    second = claim(house, "b", now + LEASE)
    assert (second.id, second.fence, second.starts) == (first.id, first.fence + 1, 2)


def test_the_write_of_a_zombie_is_refused(house: House) -> None:
    now = house.clock().timestamp()
    zombie = claim(house, "a", now)
    claim(house, "b", now + LEASE)
    with house.database.begin() as connection:
        written = actions.record(connection, [outcome(zombie, now)])
        status = actions.of_stages(connection, [zombie.stage_id])[0].status
    assert (written, status) == (frozenset(), "Starting")


def test_an_outcome_is_written_once_though_the_answer_to_the_commit_was_lost(house: House) -> None:
    now = house.clock().timestamp()
    row = claim(house, "a", now)
    for expected in ({(row.id, row.fence)}, set()):
        with house.database.begin() as connection:
            assert actions.record(connection, [outcome(row, now)]) == expected


def test_what_arrives_while_it_is_looked_at_makes_it_due_at_once(house: House) -> None:
    now = house.clock().timestamp()
    row = claim(house, "a", now)
    with house.database.begin() as connection:
        assert actions.wake(connection, row.id, now)
        waiting = {**outcome(row, now, "InProgress"), "ended_at": None, "due_at": now + 999}
        actions.record(connection, [waiting])
        assert actions.next_due(connection) == now


def test_only_the_first_answer_counts(house: House) -> None:
    now = house.clock().timestamp()
    row = claim(house, "a", now)
    with house.database.begin() as connection:
        assert actions.wake(connection, row.id, now, "yes")
        assert not actions.wake(connection, row.id, now, "no")


def test_a_move_from_a_state_that_is_left_is_refused(house: House) -> None:
    row = claim(house, "a", house.clock().timestamp())
    stale = {"b_id": row.id, "b_old": "Ready", "status": "Abandoned", "ended_at": 1.0}
    with pytest.raises(StaleError), house.database.begin() as connection:
        actions.move(connection, [stale])
    with house.database.read() as connection:
        assert actions.of_stages(connection, [row.stage_id])[0].status == "Starting"


def test_rollbacks_lane_is_claimed_apart(house: House) -> None:
    now = house.clock().timestamp()
    with house.database.begin() as connection:
        assert not actions.claim(connection, Claim("a", now, now + LEASE, (10, 0)))


def test_what_is_made_and_taken_at_once_is_as_a_claim_would_leave_it(house: House) -> None:
    now = house.clock().timestamp()
    known = claim(house, "a", now)
    declared = action("Next", "NoOp")
    execution = SimpleNamespace(id=known.execution_id, type="STANDARD")
    with house.database.begin() as connection:
        new = action_row(execution, known.stage_id, ActionDeclaration.model_validate(declared), now)
        made = actions.add_claimed(connection, Claim("a", now, now + LEASE, (0, 1)), [new])[0]
    assert claim(house, "b", now) is None
    assert [made.id, *state(made)] == [known.id + 1, *state(known)]
    assert claim(house, "b", now + LEASE).fence == 2


def state(row: Any) -> list[Any]:
    return [row.status, row.starts, row.fence, row.started_at]
