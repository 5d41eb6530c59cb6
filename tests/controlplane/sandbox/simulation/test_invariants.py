"""Every invariant is proven to be able to fail: a broken world is shown to it."""

from collections.abc import Callable

import pytest

from controlplane.sandbox.simulation.invariants import INVARIANTS, ROUNDS, broken
from controlplane.sandbox.simulation.mirror import Bake, Call, Mirror, Seen
from controlplane.sandbox.simulation.witness import Due, Move, Told

CALL = Call("d-1", "tp-1", "sha256:1", True, "Starting", "STANDARD", "sha256:1", True, False)
BAKE = Bake("e-1:1:1", "Alarm", "PASS", 100.0, 100.0, 100.0)
STARTED = Told(1, "execution.started", "shop", "e-1", "", "", "", 0)
BEGUN = Move(1, "execution", "e-1", "e-1", "shop", "STANDARD", "", "InProgress")


def entered(execution: str, number: int = 2) -> Move:
    row = f"{execution}:1:1"
    return Move(number, "stage", row, execution, "shop", "Prod", "Inbound", "InProgress")


def told_entered(execution: str, number: int = 2) -> Told:
    return Told(number, "stage.entered", "shop", execution, "Prod", "", "", 0)


def seen(mode: str = "QUEUED", moves: tuple[Move, ...] = (BEGUN,), **more: object) -> Seen:
    made = Seen(Mirror(), {"shop": mode}, lambda _: 0, moves=list(moves), events=[STARTED])
    for move in moves:
        made.mirror.apply(move)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def two_inside(mode: str = "QUEUED") -> Seen:
    moves = (BEGUN, entered("e-1"), entered("e-2", 3))
    return seen(mode, moves, events=[STARTED, told_entered("e-1"), told_entered("e-2", 3)])


def under_way(status: str, kind: str = "action") -> Seen:
    over = Move(2, "execution", "e-1", "e-1", "shop", "STANDARD", "InProgress", status)
    told = Told(2, f"execution.{status.lower()}", "shop", "e-1", "", "", "", 0)
    due = Due(1, "e-1", "Deploy", 1, 5.0, "InProgress", 1, kind)
    return seen(moves=(BEGUN, over), events=[STARTED, told], due=[due])


def skipped() -> Seen:
    back = Move(2, "execution", "e-1", "e-1", "shop", "STANDARD", "Succeeded", "Failed")
    told = Told(2, "execution.failed", "shop", "e-1", "", "", "", 0)
    return seen(moves=(BEGUN, back), events=[STARTED, told])


def starved() -> Seen:
    made = seen(due=[Due(1, "e-1", "Restore", 0, 5.0, "Ready", 1, "action")], now=60.0, served=True)
    made.mirror.waits[1] = (1, ROUNDS)
    return made


BROKEN: dict[str, Callable[[], Seen]] = {
    "every move is legal": skipped,
    "every move has its event": lambda: seen(events=[]),
    "every event reached its outbox": lambda: seen(wanted=lambda _: 2),
    "one execution at a time in a stage": two_inside,
    "what is over has nothing under way": lambda: under_way("Succeeded"),
    "nothing is begun for what is over": lambda: seen(calls=[CALL._replace(over=True)]),
    "the intent is on record before the call": lambda: seen(calls=[CALL._replace(status="Ready")]),
    "nothing starts twice under one token": lambda: seen(calls=[CALL._replace(twin=True)]),
    "only what passed the stage before is deployed": lambda: seen(
        calls=[CALL._replace(passed=False)]
    ),
    "the digest is the one that was tested": lambda: seen(calls=[CALL._replace(about="sha256:2")]),
    "no silence is taken for health": lambda: seen(bakes=[BAKE._replace(verdict="NO_DATA")]),
    "rollback is never starved": starved,
    "nothing is lost in the log": lambda: seen(lost=["a row cannot be made a task"]),
}


def names(of: Seen) -> list[str]:
    return [name for name, _ in broken(of)]


def test_every_invariant_has_its_broken_world() -> None:
    assert set(BROKEN) == set(INVARIANTS)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_world_is_seen_and_only_that_is_told(name: str) -> None:
    assert names(BROKEN[name]()) == [name]


WHOLE: tuple[Callable[[], Seen], ...] = (
    seen,
    lambda: two_inside("PARALLEL"),
    lambda: seen(calls=[CALL, CALL._replace(kind="ROLLBACK", passed=False, about="sha256:2")]),
    lambda: seen(bakes=[BAKE]),
    lambda: seen(due=[Due(1, "e-1", "Deploy", 1, 5.0, "InProgress", 1, "action")]),
    lambda: under_way("Stopped", "abandoned"),
)


@pytest.mark.parametrize("well", WHOLE)
def test_a_world_in_order_is_in_order(well: Callable[[], Seen]) -> None:
    assert not names(well())


@pytest.mark.parametrize(
    "bake",
    [
        BAKE._replace(ended=99.0),
        BAKE._replace(answered_well=99.0),
    ],
)
def test_a_bake_that_was_short_or_rests_on_an_old_answer_is_no_health(bake: Bake) -> None:
    assert names(seen(bakes=[bake])) == ["no silence is taken for health"]


def test_an_event_of_what_did_not_happen_is_a_lie() -> None:
    assert names(seen(events=[STARTED, told_entered("e-1")])) == ["every move has its event"]


def test_a_call_that_nobody_has_on_record_was_never_intended() -> None:
    unknown = CALL._replace(known=False, status="", about="", passed=False)
    assert names(seen(calls=[unknown])) == ["the intent is on record before the call"]


def test_a_row_that_is_claimed_now_and_then_is_not_starved() -> None:
    made = starved()
    made.due = [made.due[0]._replace(fence=2)]
    assert not names(made)
