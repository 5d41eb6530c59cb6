"""No call goes out once its lease has run out; while the engine renews the lease, a long one goes on."""

import pytest
from sqlalchemy import update

from accounts import term
from controlplane.engine.loop import Limits
from controlplane.sandbox.scripted import after
from controlplane.store.actions import ACTION
from monitors.base import Progress, Task
from tests.support.house import ANNE, House, action, pipeline

LEASE = Limits().lease


@pytest.fixture
def house(empty: House) -> House:
    empty.engine.tick = lambda: empty.clock().timestamp()
    empty.apply(pipeline({"name": "S", "actions": [action("a", "NoOp")]}))
    return empty


def calling(house: House, seconds: float, *, renews: bool) -> tuple[str, list[str]]:
    """An execution whose first start lasts so long before it calls; what came of its calls."""
    seen: list[str] = []

    def script(task: Task, asked: int) -> Progress:
        if asked:
            return after(0)(task, asked)  # type: ignore[return-value]
        house.clock.advance(0 if seen else seconds)
        if renews and not seen:
            house.engine.turn()
        seen.append("overdue")
        term.check()
        seen[-1] = "sent"
        return after(2)(task, asked)  # type: ignore[return-value]

    house.drivers["NoOp"].default = script
    execution = house.commands.start("shop", ANNE)
    house.wait(60, step=5)
    return house.execution(execution).status, seen


@pytest.mark.parametrize(
    ("seconds", "renews", "seen"),
    [
        (LEASE / 2, False, ["sent"]),
        (LEASE - 5, False, ["overdue", "sent"]),
        (LEASE + 5, False, ["overdue", "sent"]),
        (LEASE - 5, True, ["sent"]),
    ],
)
def test_what_the_lease_does_not_cover_is_not_called_and_tried_again(
    house: House, seconds: float, renews: bool, seen: list[str]
) -> None:
    assert calling(house, seconds, renews=renews) == ("Succeeded", seen)


def test_a_claim_of_later_lets_no_call_of_an_older_one_go_out(house: House) -> None:
    """Another replica had taken it meanwhile, and we again: whoever stood still must not go on by that."""
    seen: list[str] = []

    def script(task: Task, asked: int) -> Progress:
        if not seen:
            house.clock.advance(LEASE + 5)
            with house.database.begin() as connection:
                again = {"fence": ACTION.c.fence + 1, "due_at": 0.0}
                connection.execute(update(ACTION).where(ACTION.c.token == task.token).values(again))
            house.engine.turn()
        seen.append("overdue")
        term.check()
        seen[-1] = "sent"
        return after(0)(task, asked)  # type: ignore[return-value]

    house.drivers["NoOp"].default = script
    house.commands.start("shop", ANNE)
    house.wait(60, step=5)
    assert seen == ["overdue", "sent"]


def test_giving_up_what_is_late_needs_no_lease(house: House) -> None:
    """Whoever stops something twice does no harm, and nobody else may be there to do it."""
    stopped: list[bool] = []
    driver = house.drivers["NoOp"]
    driver.default = after(1000)
    driver.stop = lambda task: stopped.append(term.is_set())  # type: ignore[method-assign] # noqa: ARG005
    house.start()
    house.wait(3700, step=60)
    assert stopped == [False]
