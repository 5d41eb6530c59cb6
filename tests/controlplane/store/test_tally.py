"""Counters: every end is counted once, whoever counts, and archived executions stay counted."""

import pytest
from sqlalchemy import delete

from controlplane.sandbox.scripted import after
from controlplane.store import metrics, tally
from controlplane.store.tables import Event, Execution, table
from monitors.base import Outcome
from tests.support.explained import rolled_back
from tests.support.house import ANNE, House, action, deploying, pipeline, source

SUCCEEDED = ("execution", "shop", "STANDARD", "Succeeded")
DEPLOYED = ("deployment", "shop", "Prod", "Succeeded")


@pytest.fixture
def house(empty: House) -> House:
    empty.apply(pipeline(source(), deploying("Prod", watched=False)))
    empty.start()
    empty.start()
    return empty


def counts(house: House) -> dict[tuple[str, str, str, str], int]:
    with house.database.read() as connection:
        return dict(tally.read(connection))


def fold(house: House, most: int = 1_000) -> bool:
    with house.database.begin() as connection:
        return tally.fold(connection, most)


def test_what_ended_is_counted_before_anybody_folds(house: House) -> None:
    assert counts(house) == {SUCCEEDED: 2, DEPLOYED: 2}, "a source stage deploys nothing"


@pytest.mark.parametrize("most", [1, 3, 1_000])
def test_folding_changes_no_count_however_far_it_gets(house: House, most: int) -> None:
    before = counts(house)
    while not fold(house, most):
        assert counts(house) == before
    assert counts(house) == before


def test_what_ends_after_a_fold_is_added(house: House) -> None:
    fold(house)
    house.start()
    fold(house)
    assert counts(house) == {SUCCEEDED: 3, DEPLOYED: 3}


def test_what_was_folded_stays_when_its_rows_are_gone(house: House) -> None:
    fold(house)
    with house.database.begin() as connection:
        connection.execute(delete(table(Execution)))
        connection.execute(delete(table(Event)).where(table(Event).c.execution_id != ""))
    assert counts(house) == {SUCCEEDED: 2, DEPLOYED: 2}


def test_of_two_replicas_that_fold_at_once_one_counts(house: House) -> None:
    with house.database.begin() as connection:
        assert tally._move_place(connection, 0, 5)
        assert not tally._move_place(connection, 0, 5)


def test_each_end_of_a_retried_execution_counts(empty: House) -> None:
    empty.apply(pipeline(source(), {"name": "Test", "actions": [action("Try", "NoOp")]}))
    empty.drivers["NoOp"].default = after(0, Outcome.FAILED)
    failed = empty.start()
    empty.commands.retry(failed, "Test", ANNE, all_actions=True)
    empty.settle()
    assert counts(empty)["execution", "shop", "STANDARD", "Failed"] == 2


def test_verdicts_and_the_time_of_rollbacks_are_counted_through_folds(empty: House) -> None:
    empty.drivers["CodeDeployRestore"].default = after(4)
    rolled_back(empty)
    before = counts(empty)
    assert before["verdict", "shop", "Prod", "FAIL"] == 1
    tenths = before["rollback", "shop", "Prod", tally.TENTHS]
    assert 10 * took(empty) == pytest.approx(tenths, abs=1)
    (bound,) = [key[3] for key in before if key[0] == "rollback" and key[3] != tally.TENTHS]
    assert took(empty) <= float(bound)
    fold(empty)
    assert counts(empty) == before


def test_rollbacks_are_a_histogram(empty: House) -> None:
    empty.drivers["CodeDeployRestore"].default = after(4)
    rolled_back(empty)
    with empty.database.read() as connection:
        ((buckets, total),) = metrics.rollback_seconds(connection).values()
    assert [count for _, count in buckets] == [
        float(took(empty) <= float(end)) for end, _ in buckets
    ]
    assert total == pytest.approx(took(empty), abs=0.1)


def took(house: House) -> float:
    back = house.rows()[0]
    seconds: float = back.ended_at - back.started_at
    assert seconds > 0
    return seconds
