"""What a turn takes: what is due longest first, and then what it made due itself."""

import pytest
from sqlalchemy import select

from controlplane.engine.loop import Limits
from controlplane.sandbox.scripted import after
from controlplane.store.tables import ActionExecution, table
from tests.support.house import ANNE, House, action, pipeline

ROW = table(ActionExecution).c


@pytest.fixture
def two_in_sequence(empty: House) -> House:
    stage = {"name": "S", "actions": [action("a", "NoOp", 1), action("b", "NoOp", 2)]}
    empty.apply(pipeline(stage, mode="PARALLEL"))
    return empty


def actions(house: House) -> list[tuple[str, str]]:
    with house.database.read() as connection:
        found = connection.execute(select(ROW.name, ROW.status).order_by(ROW.id)).all()
    return [(row.name, row.status) for row in found]


def test_what_follows_is_taken_in_the_turn_that_made_it_due(two_in_sequence: House) -> None:
    two_in_sequence.commands.start("shop", ANNE)
    two_in_sequence.engine.turn()
    two_in_sequence.engine.turn()
    assert actions(two_in_sequence) == [("a", "Succeeded"), ("b", "Starting")]


def test_what_was_due_before_goes_first(two_in_sequence: House) -> None:
    engine = two_in_sequence.new_engine(Limits(batch=1))
    two_in_sequence.commands.start("shop", ANNE)
    two_in_sequence.commands.start("shop", ANNE)
    engine.turn()
    engine.turn()
    assert actions(two_in_sequence) == [("a", "Succeeded"), ("a", "Starting"), ("b", "Ready")]


def test_whoever_takes_over_what_was_made_and_taken_knows_that_it_may_have_begun(
    two_in_sequence: House,
) -> None:
    two_in_sequence.commands.start("shop", ANNE)
    two_in_sequence.engine.turn()
    two_in_sequence.engine.turn()  # and is killed before it writes what came of it
    two_in_sequence.clock.advance(Limits().lease + 1)
    two_in_sequence.new_engine().turn()
    with two_in_sequence.database.read() as connection:
        assert connection.execute(select(ROW.starts).where(ROW.name == "b")).scalar_one() == 2


def test_what_could_not_be_handed_to_a_thread_is_claimed_again_after_its_lease(
    empty: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> bool:
        raise RuntimeError("can't start new thread")

    for name in ("NoOp", "Commands"):
        empty.drivers[name].default = after(2)
    stage = {"name": "S", "actions": [action("a", "NoOp"), action("b", "Commands")]}
    empty.apply(pipeline(stage))
    execution = empty.start()
    with monkeypatch.context() as broken:
        broken.setattr(empty.engine._lanes, "submit", full)
        empty.clock.advance(5)
        with pytest.raises(RuntimeError, match="new thread"):
            empty.engine.turn()
    empty.wait(3 * Limits().lease, step=5)
    assert empty.execution(execution).status == "Succeeded"


def test_a_late_result_of_an_old_claim_does_not_end_the_renewal_of_a_newer_one(
    empty: House,
) -> None:
    empty.drivers["NoOp"].default = after(9)
    empty.apply(pipeline({"name": "S", "actions": [action("a", "NoOp")]}))
    empty.commands.start("shop", ANNE)
    engine = empty.engine
    engine.turn()
    late = engine._results.get_nowait()
    newer = late.job.row.fence + 2
    engine._held[late.job.row.id] = newer
    engine._results.put(late)
    engine.turn()
    assert engine._held[late.job.row.id] == newer
